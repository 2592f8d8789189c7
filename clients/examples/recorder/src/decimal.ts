import { DuckDBDecimalValue } from "@duckdb/node-api";

/** All prices and sizes have this type: what venues send has fewer digits behind the point. */
export const DECIMAL = { width: 38, scale: 18 } as const;

const LIMIT = 10n ** BigInt(DECIMAL.width);

/**
 * The exact value of `mantissa` / 10^`scale`; undefined if the type has no room for it, since a
 * number that was rounded would be taken for the venue's.
 */
export function decimalOf(
  mantissa: number | bigint,
  scale: number,
): DuckDBDecimalValue | undefined {
  const shift = DECIMAL.scale - scale;
  const factor = 10n ** BigInt(Math.abs(shift));
  const whole = BigInt(mantissa);
  if (shift < 0 && whole % factor !== 0n) return undefined;
  const value = shift < 0 ? whole / factor : whole * factor;
  if (value >= LIMIT || value <= -LIMIT) return undefined;
  return new DuckDBDecimalValue(value, DECIMAL.width, DECIMAL.scale);
}
