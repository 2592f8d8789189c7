/** Prices and sizes are integers: so many of the smallest step that the instrument has. */
export type Units = number;

/** How many decimals prices and sizes of an instrument have. */
export type Scales = { readonly price: number; readonly size: number };

/** Decimals of a step such as `0.01`; of an unknown one, eight. */
export function scaleOfStep(step: string | undefined): number {
  if (step === undefined) return 8;
  const point = step.indexOf(".");
  return point === -1 ? 0 : step.length - point - 1;
}

/** `mantissa / 10^scale` in units of `10^-unitScale`; undefined if that is no whole number. */
export function unitsOf(
  mantissa: number | bigint,
  scale: number,
  unitScale: number,
): Units | undefined {
  const exact = BigInt(mantissa);
  const factor = 10n ** BigInt(Math.abs(unitScale - scale));
  if (scale > unitScale && exact % factor !== 0n) return undefined;
  const units = Number(scale > unitScale ? exact / factor : exact * factor);
  return Number.isSafeInteger(units) ? units : undefined;
}

/** Units as decimal text: 150 at two decimals is `1.50`. */
export function formatUnits(units: Units | bigint, scale: number): string {
  const negative = units < 0;
  const digits = String(units)
    .replace("-", "")
    .padStart(scale + 1, "0");
  const text =
    scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(digits.length - scale)}`;
  return negative ? `-${text}` : text;
}

/** `2026-11-26T10:00:00.123456Z` */
export function formatTime(timeUs: number): string {
  const micros = String(timeUs % 1_000).padStart(3, "0");
  return new Date(Math.floor(timeUs / 1_000)).toISOString().replace("Z", `${micros}Z`);
}
