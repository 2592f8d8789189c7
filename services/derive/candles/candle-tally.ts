import { decimalScale, formatDecimal, fromBigInt, parseMantissa } from "@tickwire/proto/model";
import type { Candle } from "#core/market-event.ts";

/** Scales of the numbers of all candles of one instrument. They only grow. */
export type TallyScales = { readonly price: number; readonly size: number };

/** A trade in whole numbers at the scales of the instrument. */
export type TallyTrade = {
  readonly timeUs: number;
  readonly price: bigint;
  readonly size: bigint;
};

/** The values of a candle as text, as events have them. */
export type CandleTexts = Pick<
  Candle,
  "open" | "high" | "low" | "close" | "volume" | "quoteVolume" | "tradeCount"
>;

/**
 * What the trades of one stretch of time amount to, exactly and in any order of arrival: the first
 * and the last price are those of the earliest and the latest time; of equal times the one that
 * came first, and the one that came last.
 */
export class CandleTally {
  #firstUs = Infinity;
  #lastUs = -Infinity;
  #open = 0n;
  #high = 0n;
  #low = 0n;
  #close = 0n;
  #volume = 0n;
  /** Undefined where a part of it does not say. */
  #turnover: bigint | undefined = 0n;
  #count: number | undefined = 0;

  /** Nothing traded. */
  get isEmpty(): boolean {
    return this.#firstUs === Infinity;
  }

  add({ timeUs, price, size }: TallyTrade): void {
    if (this.isEmpty || price > this.#high) this.#high = price;
    if (this.isEmpty || price < this.#low) this.#low = price;
    if (timeUs < this.#firstUs) [this.#firstUs, this.#open] = [timeUs, price];
    if (timeUs >= this.#lastUs) [this.#lastUs, this.#close] = [timeUs, price];
    this.#volume += size;
    if (this.#turnover !== undefined) this.#turnover += price * size;
    if (this.#count !== undefined) this.#count += 1;
  }

  /** Adds a candle of the venue that lies within; its scales must not be finer than these. */
  addCandle(candle: Candle, scales: TallyScales): void {
    const price = (text: string): bigint => BigInt(parseMantissa(text, scales.price));
    const endUs = candle.openTimeUs + candle.intervalMs * 1_000;
    const [high, low] = [price(candle.high), price(candle.low)];
    if (this.isEmpty || high > this.#high) this.#high = high;
    if (this.isEmpty || low < this.#low) this.#low = low;
    if (candle.openTimeUs < this.#firstUs) {
      [this.#firstUs, this.#open] = [candle.openTimeUs, price(candle.open)];
    }
    if (endUs > this.#lastUs) [this.#lastUs, this.#close] = [endUs - 1, price(candle.close)];
    this.#volume += BigInt(parseMantissa(candle.volume, scales.size));
    const { quoteVolume, tradeCount } = candle;
    const turnover =
      quoteVolume === undefined || decimalScale(quoteVolume) > scales.price + scales.size
        ? undefined
        : BigInt(parseMantissa(quoteVolume, scales.price + scales.size));
    this.#turnover =
      this.#turnover === undefined || turnover === undefined
        ? undefined
        : this.#turnover + turnover;
    this.#count =
      this.#count === undefined || tradeCount === undefined ? undefined : this.#count + tradeCount;
  }

  /** Adds another stretch of time. */
  merge(other: CandleTally): void {
    if (other.isEmpty) return;
    if (this.isEmpty || other.#high > this.#high) this.#high = other.#high;
    if (this.isEmpty || other.#low < this.#low) this.#low = other.#low;
    if (other.#firstUs < this.#firstUs) [this.#firstUs, this.#open] = [other.#firstUs, other.#open];
    if (other.#lastUs >= this.#lastUs) [this.#lastUs, this.#close] = [other.#lastUs, other.#close];
    this.#volume += other.#volume;
    const [one, two] = [this.#turnover, other.#turnover];
    this.#turnover = one === undefined || two === undefined ? undefined : one + two;
    const [count, more] = [this.#count, other.#count];
    this.#count = count === undefined || more === undefined ? undefined : count + more;
  }

  /** Brings the numbers to finer scales. */
  rescale(priceFactor: bigint, sizeFactor: bigint): void {
    this.#open *= priceFactor;
    this.#high *= priceFactor;
    this.#low *= priceFactor;
    this.#close *= priceFactor;
    this.#volume *= sizeFactor;
    if (this.#turnover !== undefined) this.#turnover *= priceFactor * sizeFactor;
  }

  texts({ price, size }: TallyScales): CandleTexts {
    const text = (value: bigint): string => formatDecimal(fromBigInt(value), price);
    return {
      open: text(this.#open),
      high: text(this.#high),
      low: text(this.#low),
      close: text(this.#close),
      volume: formatDecimal(fromBigInt(this.#volume), size),
      quoteVolume:
        this.#turnover === undefined
          ? undefined
          : formatDecimal(fromBigInt(this.#turnover), price + size),
      tradeCount: this.#count,
    };
  }
}
