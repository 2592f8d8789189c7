import type { Instrument } from "./instrument.ts";
import type { TruncatedPrices } from "@tickwire/proto/model";
import { deltaEvent } from "./book-events.ts";
import type { RawBook } from "./book-sync.ts";
import type { TickLevels } from "./tick-levels.ts";
import type { AggressorSide, BookEvent, LevelColumns, Quote, Trade } from "./market-event.ts";

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

/** Where the numbers of a change of a book stand; NaN for those that the venue does not say. */
export const BookAt = {
  ...TickAt,
  FirstId: 2,
  LastId: 3,
  PreviousId: 4,
  Checksum: 5,
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
      venueTimeUs: numberOf(numbers, TickAt.Venue),
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
      venueTimeUs: numberOf(numbers, TickAt.Venue),
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

const NO_LEVELS: TickLevels = {
  prices: new Float64Array(0),
  sizes: new Float64Array(0),
  count: 0,
};

/**
 * A change of a book as the venue sent it, in the same way; never a snapshot. Prices are above
 * zero, sizes are not below it.
 */
export class BookTick {
  readonly kind = "book";
  readonly channel = "book";
  instrument!: Instrument;
  priceScale = 0;
  sizeScale = 0;
  /** See `RawBook`. */
  depth: number | undefined;
  bids: TickLevels = NO_LEVELS;
  asks: TickLevels = NO_LEVELS;
  /** See `BookAt`. */
  readonly numbers = new Float64Array(6).fill(Number.NaN);

  get firstUpdateId(): number | undefined {
    return numberOf(this.numbers, BookAt.FirstId);
  }

  get lastUpdateId(): number | undefined {
    return numberOf(this.numbers, BookAt.LastId);
  }

  get previousUpdateId(): number | undefined {
    return numberOf(this.numbers, BookAt.PreviousId);
  }

  get checksum(): number | undefined {
    return numberOf(this.numbers, BookAt.Checksum);
  }

  /** True for a checksum that came by itself, which tells consumers nothing. */
  get isProofAlone(): boolean {
    if (this.bids.count + this.asks.count > 0) return false;
    return this.checksum !== undefined && this.lastUpdateId === undefined;
  }

  /** The same as a message of the feed, which may be kept. */
  event(): RawBook {
    const { instrument, priceScale, sizeScale, numbers } = this;
    return {
      kind: "raw-book",
      instrument,
      venueTimeUs: numberOf(numbers, BookAt.Venue),
      receivedTimeUs: numbers[BookAt.Received]!,
      snapshot: false,
      source: "in-band",
      firstUpdateId: this.firstUpdateId,
      lastUpdateId: this.lastUpdateId,
      previousUpdateId: this.previousUpdateId,
      checksum: this.checksum,
      depth: this.depth,
      priceScale,
      sizeScale,
      bids: columnsOf(this.bids),
      asks: columnsOf(this.asks),
    };
  }
}

/** A change that was applied to its book, at whose scales it is, and what the book was cut by. */
export class DeltaTick {
  readonly kind = "book";
  change: BookTick;
  /** Removed with it. */
  truncated: TruncatedPrices;

  constructor(change: BookTick, truncated: TruncatedPrices) {
    this.change = change;
    this.truncated = truncated;
  }

  get instrument(): Instrument {
    return this.change.instrument;
  }

  get priceScale(): number {
    return this.change.priceScale;
  }

  get sizeScale(): number {
    return this.change.sizeScale;
  }

  /** The same as an event, which may be kept. */
  event(): BookEvent {
    return deltaEvent(this.change.event(), this.truncated, this.change);
  }
}

/** What a scanner hands on in place of an event. */
export type FeedTick = QuoteTick | TradeTick | BookTick;

/** What is published in place of an event. */
export type MarketTick = QuoteTick | TradeTick | DeltaTick;

function columnsOf({ prices, sizes, count }: TickLevels): LevelColumns {
  return {
    prices: Array.from(prices.subarray(0, count)),
    sizes: Array.from(sizes.subarray(0, count)),
  };
}

function numberOf(numbers: Float64Array, place: number): number | undefined {
  const number = numbers[place]!;
  return Number.isNaN(number) ? undefined : number;
}
