import { hasSignedPrices } from "#core/instrument.ts";
import type { Instrument } from "#core/instrument.ts";
import type { AggressorSide, Trade } from "#core/market-event.ts";
import { QuoteAt, TickAt, TradeAt } from "#core/market-tick.ts";
import type { FeedTick, QuoteTick, TradeTick } from "#core/market-tick.ts";
import type { EventSubject } from "./emit.ts";
import type { ScaleTracker } from "./scale-tracker.ts";

/** What a tick is about, and the scales of its numbers. */
type TickSubject = { readonly instrument: Instrument; readonly scales: ScaleTracker };

/**
 * Sets all of a tick but what its kind has of its own. False for a time that is none: what that
 * says is for the decoder to tell.
 */
export function beginTick(
  tick: FeedTick,
  { instrument, scales }: TickSubject,
  receivedTimeUs: number,
  venueTimeUs: number | undefined,
): boolean {
  tick.instrument = instrument;
  tick.priceScale = scales.priceScale;
  tick.sizeScale = scales.sizeScale;
  tick.numbers[TickAt.Received] = receivedTimeUs;
  tick.numbers[TickAt.Venue] = venueTimeUs ?? Number.NaN;
  return venueTimeUs === undefined || !Number.isNaN(venueTimeUs);
}

/**
 * False if one of the numbers of a quote is zero or its instrument has signed prices: what that
 * says is decided by `quoteEvent`.
 */
export function isWholeQuote({ numbers, instrument }: QuoteTick): boolean {
  if (numbers[QuoteAt.Bid] === 0 || numbers[QuoteAt.BidSize] === 0) return false;
  if (numbers[QuoteAt.Ask] === 0 || numbers[QuoteAt.AskSize] === 0) return false;
  return !hasSignedPrices(instrument);
}

/** False where `tradeEvent` has to decide. */
export function isWholeTrade({ numbers }: TradeTick): boolean {
  return numbers[TradeAt.Price] !== 0 && numbers[TradeAt.Size] !== 0;
}

/**
 * The trade whose price and size stand in the column from an index on. Undefined where `tradeEvent`
 * has to decide.
 */
export function scannedTrade(
  subject: EventSubject,
  scales: ScaleTracker,
  column: Float64Array,
  first: number,
  aggressorSide: AggressorSide,
  tradeId: string,
): Trade | undefined {
  const priceMantissa = column[first]!;
  const sizeMantissa = column[first + 1]!;
  if (priceMantissa === 0 || sizeMantissa === 0) return undefined;
  return {
    kind: "trade",
    instrument: subject.instrument,
    venueTimeUs: subject.venueTimeUs,
    receivedTimeUs: subject.receivedTimeUs,
    priceMantissa,
    priceScale: scales.priceScale,
    sizeMantissa,
    sizeScale: scales.sizeScale,
    aggressorSide,
    tradeId,
    historical: false,
  };
}
