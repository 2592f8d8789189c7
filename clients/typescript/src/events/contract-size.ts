import { canonicalDecimal, multiplyDecimals } from "@tickwire/proto/model";
import type { Instrument } from "../rpc/instrument.ts";

/** What of an instrument says how much a size is worth. */
export type SizedInstrument = Pick<Instrument, "sizeUnit" | "contractSizeText" | "inverse">;

/**
 * A size in units of the base asset, exactly. Undefined where that is no plain product: a size in
 * the quote asset or an inverse contract would have to be divided by a price, and a contract of
 * unknown worth cannot be converted at all.
 */
export function sizeInBase(size: string, instrument: SizedInstrument): string | undefined {
  const { sizeUnit, contractSizeText, inverse } = instrument;
  if (sizeUnit === "base") return canonicalDecimal(size);
  if (sizeUnit !== "contract" || inverse || contractSizeText === undefined) return undefined;
  return multiplyDecimals(size, contractSizeText);
}

/**
 * What a size is worth in the quote asset at a price, exactly. Undefined where the worth of a
 * contract is unknown.
 */
export function valueInQuote(
  { size, price }: { readonly size: string; readonly price: string },
  instrument: SizedInstrument,
): string | undefined {
  const { sizeUnit, contractSizeText, inverse } = instrument;
  if (sizeUnit === "quote") return canonicalDecimal(size);
  if (sizeUnit === "contract" && inverse) {
    return contractSizeText === undefined ? undefined : multiplyDecimals(size, contractSizeText);
  }
  const inBase = sizeInBase(size, instrument);
  return inBase === undefined ? undefined : multiplyDecimals(inBase, price);
}
