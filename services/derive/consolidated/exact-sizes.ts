import { decimalScale, fromBigInt, parseMantissa } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";

/** What a size of a source is multiplied by to count the base asset. */
export type SizeFactor = { readonly mantissa: bigint; readonly scale: number };

const ONE: SizeFactor = { mantissa: 1n, scale: 0 };

/**
 * How the sizes of an instrument become amounts of the base asset. Undefined where that depends on
 * the price (inverse contracts, sizes in the quote asset), because it is not exact then.
 */
export function sizeFactorOf(
  instrument: Pick<Instrument, "sizeUnit" | "inverse" | "contractSize">,
): SizeFactor | undefined {
  const { sizeUnit = "base", inverse, contractSize } = instrument;
  if (sizeUnit === "base") return ONE;
  if (sizeUnit === "quote" || inverse || contractSize === undefined) return undefined;
  const scale = decimalScale(contractSize);
  const mantissa = parseMantissa(contractSize, scale);
  const isAmount = typeof mantissa === "bigint" || Number.isFinite(mantissa);
  return isAmount && mantissa > 0 ? { mantissa: BigInt(mantissa), scale } : undefined;
}

/** The product, exactly. */
export function multiplyMantissa(mantissa: Mantissa, factor: bigint): Mantissa {
  return factor === 1n ? mantissa : fromBigInt(BigInt(mantissa) * factor);
}

/** The sum, exactly. */
export function addMantissa(one: Mantissa, other: Mantissa): Mantissa {
  if (typeof one === "number" && typeof other === "number") {
    const sum = one + other;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return fromBigInt(BigInt(one) + BigInt(other));
}

/** The difference, exactly. */
export function subtractMantissa(one: Mantissa, other: Mantissa): Mantissa {
  if (typeof one === "number" && typeof other === "number") {
    const difference = one - other;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return fromBigInt(BigInt(one) - BigInt(other));
}
