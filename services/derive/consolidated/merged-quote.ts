import { compareMantissa, rescaleMantissa } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import { addMantissa, multiplyMantissa } from "./exact-sizes.ts";
import type { SizeFactor } from "./exact-sizes.ts";

/** A best bid and offer. A side without orders has size 0 and price 0. */
export type QuoteColumns = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bidPriceMantissa: Mantissa;
  readonly bidSizeMantissa: Mantissa;
  readonly askPriceMantissa: Mantissa;
  readonly askSizeMantissa: Mantissa;
};

/** Nobody quotes anything. */
export const NO_QUOTE: QuoteColumns = {
  priceScale: 0,
  sizeScale: 0,
  bidPriceMantissa: 0,
  bidSizeMantissa: 0,
  askPriceMantissa: 0,
  askSizeMantissa: 0,
};

/** The quote with its sizes in amounts of the base asset. */
export function convertQuote(quote: QuoteColumns, factor: SizeFactor): QuoteColumns {
  if (factor.mantissa === 1n && factor.scale === 0) return quote;
  return {
    ...quote,
    sizeScale: quote.sizeScale + factor.scale,
    bidSizeMantissa: multiplyMantissa(quote.bidSizeMantissa, factor.mantissa),
    askSizeMantissa: multiplyMantissa(quote.askSizeMantissa, factor.mantissa),
  };
}

/** True if both sides have orders and the bid is not below the ask. */
export function isCrossed(quote: QuoteColumns): boolean {
  const { bidPriceMantissa, bidSizeMantissa, askPriceMantissa, askSizeMantissa } = quote;
  if (bidSizeMantissa === 0 || askSizeMantissa === 0) return false;
  return compareMantissa(bidPriceMantissa, askPriceMantissa) >= 0;
}

/** The same prices and sizes, where the scales of the first are as fine as those of the other. */
export function isSameQuote(one: QuoteColumns, other: QuoteColumns): boolean {
  const { priceScale, sizeScale } = other;
  const [finerPrice, finerSize] = [one.priceScale, one.sizeScale];
  return (
    one.bidPriceMantissa === rescaleMantissa(other.bidPriceMantissa, priceScale, finerPrice) &&
    one.bidSizeMantissa === rescaleMantissa(other.bidSizeMantissa, sizeScale, finerSize) &&
    one.askPriceMantissa === rescaleMantissa(other.askPriceMantissa, priceScale, finerPrice) &&
    one.askSizeMantissa === rescaleMantissa(other.askSizeMantissa, sizeScale, finerSize)
  );
}

/**
 * The best bid and offer over several quotes: the best price of each side, and at it the sizes of
 * all who have it. Scales are the finest that anybody had.
 */
export class MergedQuote {
  readonly #quotes: (QuoteColumns | undefined)[];
  #priceScale = 0;
  #sizeScale = 0;

  constructor(sources: number) {
    this.#quotes = Array.from({ length: sources }, () => undefined);
  }

  /** What a source quotes now; undefined if it is set aside. */
  set(source: number, quote: QuoteColumns | undefined): void {
    this.#quotes[source] = quote;
    if (quote === undefined) return;
    if (quote.priceScale > this.#priceScale) this.#priceScale = quote.priceScale;
    if (quote.sizeScale > this.#sizeScale) this.#sizeScale = quote.sizeScale;
  }

  best(): QuoteColumns {
    const [priceScale, sizeScale] = [this.#priceScale, this.#sizeScale];
    let [bidPrice, bidSize, askPrice, askSize]: [Mantissa, Mantissa, Mantissa, Mantissa] = [
      0, 0, 0, 0,
    ];
    for (const quote of this.#quotes) {
      if (quote === undefined) continue;
      if (quote.bidSizeMantissa !== 0) {
        const price = rescaleMantissa(quote.bidPriceMantissa, quote.priceScale, priceScale);
        const size = rescaleMantissa(quote.bidSizeMantissa, quote.sizeScale, sizeScale);
        if (bidSize === 0 || price > bidPrice) [bidPrice, bidSize] = [price, size];
        else if (price === bidPrice) bidSize = addMantissa(bidSize, size);
      }
      if (quote.askSizeMantissa !== 0) {
        const price = rescaleMantissa(quote.askPriceMantissa, quote.priceScale, priceScale);
        const size = rescaleMantissa(quote.askSizeMantissa, quote.sizeScale, sizeScale);
        if (askSize === 0 || price < askPrice) [askPrice, askSize] = [price, size];
        else if (price === askPrice) askSize = addMantissa(askSize, size);
      }
    }
    return {
      priceScale,
      sizeScale,
      bidPriceMantissa: bidPrice,
      bidSizeMantissa: bidSize,
      askPriceMantissa: askPrice,
      askSizeMantissa: askSize,
    };
  }
}
