import type { Instrument } from "./instrument.ts";
import type { AggressorSide, Quote, Trade } from "./market-event.ts";

/** Where the times of a tick stand among its numbers, in microseconds since 1970. */
export const TickAt = {
  Received: 0,
  /** NaN where the venue gives no time. */
  Venue: 1,
} as const;

/** Where the mantissas of a quote stand. */
export const QuoteAt = { ...TickAt, Bid: 2, BidSize: 3, Ask: 4, AskSize: 5 } as const;

/** Where the numbers of a trade stand. */
export const TradeAt = {
  ...TickAt,
  Price: 2,
  Size: 3,
  /** An id that is counted, see `countedId`; NaN where `idText` has the id. */
  Id: 4,
} as const;

/**
 * A quote as the numbers that were read of a frame. Like every tick it stands for an event that
 * nobody has made: whoever read it uses it again for the next one, so whoever takes it is done with
 * it before the call returns, and makes the event if it has to be kept. Its numbers are safe
 * integers; both sides have a price and a size above zero.
 */
export class QuoteTick {
  readonly kind = "quote";
  readonly channel = "quotes";
  /** Set, like all that follows, before the tick is handed on. */
  instrument!: Instrument;
  priceScale = 0;
  sizeScale = 0;
  /** See `QuoteAt`. */
  readonly numbers = new Float64Array(6);

  /** The same as an event, which may be kept. */
  event(): Quote {
    const { instrument, priceScale, sizeScale, numbers } = this;
    return {
      kind: "quote",
      instrument,
      venueTimeUs: venueTimeOf(numbers),
      receivedTimeUs: numbers[TickAt.Received]!,
      priceScale,
      sizeScale,
      bidPriceMantissa: numbers[QuoteAt.Bid]!,
      bidSizeMantissa: numbers[QuoteAt.BidSize]!,
      askPriceMantissa: numbers[QuoteAt.Ask]!,
      askSizeMantissa: numbers[QuoteAt.AskSize]!,
    };
  }
}

/** A trade that happened just now, in the same way. Price and size are above zero. */
export class TradeTick {
  readonly kind = "trade";
  readonly channel = "trades";
  instrument!: Instrument;
  priceScale = 0;
  sizeScale = 0;
  side: AggressorSide = "none";
  /** An id that is not counted; empty for a trade without one. */
  idText = "";
  /** See `TradeAt`. */
  readonly numbers = new Float64Array(5);

  /** The text of its id. */
  get tradeId(): string {
    const id = this.numbers[TradeAt.Id]!;
    return Number.isNaN(id) ? this.idText : String(id);
  }

  /** The same as an event, which may be kept. */
  event(): Trade {
    const { instrument, priceScale, sizeScale, numbers } = this;
    return {
      kind: "trade",
      instrument,
      venueTimeUs: venueTimeOf(numbers),
      receivedTimeUs: numbers[TickAt.Received]!,
      priceMantissa: numbers[TradeAt.Price]!,
      priceScale,
      sizeMantissa: numbers[TradeAt.Size]!,
      sizeScale,
      aggressorSide: this.side,
      tradeId: this.tradeId,
      historical: false,
    };
  }
}

/** What a scanner hands on in place of an event. */
export type MarketTick = QuoteTick | TradeTick;

function venueTimeOf(numbers: Float64Array): number | undefined {
  const timeUs = numbers[TickAt.Venue]!;
  return Number.isNaN(timeUs) ? undefined : timeUs;
}
