import type { Instrument } from "./instrument.ts";
import type { Candle } from "./market-event.ts";

/** Closed candles that begin in a range of time, and all of them. */
export type CandleSlice = {
  /** In the order of their starts. */
  readonly candles: readonly Candle[];
  /** Of the range that was looked through; it may be shorter than what was asked for. */
  readonly fromTimeUs: number;
  /** The first moment after it. */
  readonly toTimeUs: number;
  /** There is nothing before it. */
  readonly isOldest: boolean;
};

/** What is wanted of the past. `countMax` candles are enough. */
export type CandleWish = {
  readonly intervalMs: number;
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  readonly countMax: number;
};

/**
 * Candles from before they were streamed, as somebody else has them. All ways to ask
 * reject with CandlePastError where they cannot be had now.
 */
export type CandlePast = {
  /** Lengths that it has, rising. */
  readonly intervalsMs: readonly number[];
  /** Up to where it has closed candles of a length: the first moment of which it does not. */
  knownUntilUs(intervalMs: number): number;
  /** The part of a range that ends where the range does. */
  before(instrument: Instrument, wish: CandleWish): Promise<CandleSlice>;
  /** The part of a range that begins where the range does. */
  after(instrument: Instrument, wish: CandleWish): Promise<CandleSlice>;
  /**
   * Candles that have ended since `knownUntilUs`, in the order of their starts, as far as somebody
   * has them. They may still change.
   */
  recent(instrument: Instrument, intervalMs: number): Promise<readonly Candle[]>;
  /** The first moment of which no candle of a length has ended. */
  endedUntilUs(intervalMs: number): number;
};

/** Why candles of the past cannot be had now. The message reaches clients. */
export class CandlePastError extends Error {
  readonly code: "unavailable" | "busy" | "unknown-instrument";

  constructor(code: CandlePastError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
