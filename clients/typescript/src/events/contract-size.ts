import { canonicalDecimal, multiplyDecimals } from "@tickwire/proto/model";
import type { Instrument } from "@tickwire/proto/service";

/** What of an instrument says how much a size is worth. */
export type SizedInstrument = Pick<Instrument, "sizeUnit" | "contractSize" | "inverse">;

/**
 * A size in units of the base asset, exactly. Undefined where that is no plain product: a size in
 * the quote asset or an inverse contract would have to be divided by a price, and a contract of
 * unknown worth cannot be converted at all.
 */
export function sizeInBase(size: string, instrument: SizedInstrument): string | undefined {
  const { sizeUnit, contractSize, inverse } = instrument;
  if (sizeUnit === "SIZE_UNIT_BASE") return canonicalDecimal(size);
  if (sizeUnit !== "SIZE_UNIT_CONTRACT" || inverse || contractSize === "") return undefined;
  return multiplyDecimals(size, contractSize);
}

/**
 * What a size is worth in the quote asset at a price, exactly. Undefined where the worth of a
 * contract is unknown.
 */
export function valueInQuote(
  { size, price }: { readonly size: string; readonly price: string },
  instrument: SizedInstrument,
): string | undefined {
  const { sizeUnit, contractSize, inverse } = instrument;
  if (sizeUnit === "SIZE_UNIT_QUOTE") return canonicalDecimal(size);
  if (sizeUnit === "SIZE_UNIT_CONTRACT" && inverse) {
    return contractSize === "" ? undefined : multiplyDecimals(size, contractSize);
  }
  const inBase = sizeInBase(size, instrument);
  return inBase === undefined ? undefined : multiplyDecimals(inBase, price);
}
