import type {
  CandleFields,
  FundingFields,
  LiquidationFields,
  ListingFields,
  MarkPriceFields,
  OpenInterestFields,
  QuoteFields,
  StatusFields,
  TickerFields,
  TradeFields,
} from "@tickwire/proto/model";
import type { BookLevel } from "./event-fields.ts";
import type { EventHead } from "./event-head.ts";

/** One trade. */
export type Trade = EventHead<"trade"> & TradeFields;

/** Best bid and offer. A side without orders has size 0; its price then means nothing. */
export type Quote = EventHead<"quote"> & QuoteFields;

/** A change to a book, or the whole of it. Sizes are absolute; size 0 removes the level. */
export type BookEvent = EventHead<"book"> & {
  /** True if this replaces the whole book; its levels are then best first. */
  readonly snapshot: boolean;
  /** Decimals of the prices. */
  readonly priceScale: number;
  /** Decimals of the sizes. */
  readonly sizeScale: number;
  /** The levels of the bid side that changed; in a snapshot, all of them. */
  readonly bids: readonly BookLevel[];
  /** The levels of the ask side that changed; in a snapshot, all of them. */
  readonly asks: readonly BookLevel[];
};

/** One candle. */
export type Candle = EventHead<"candle"> & CandleFields;

/** Statistics of the last 24 hours; undefined where the venue does not say. */
export type Ticker = EventHead<"ticker"> & TickerFields;

/** The funding rate of a perpetual. */
export type Funding = EventHead<"funding"> & FundingFields;

/** The price that a derivative is marked to. */
export type MarkPrice = EventHead<"mark-price"> & MarkPriceFields;

/** Open interest of a derivative. */
export type OpenInterest = EventHead<"open-interest"> & OpenInterestFields;

/** A liquidation order. */
export type Liquidation = EventHead<"liquidation"> & LiquidationFields;

/** The state of one channel of one instrument changed. */
export type Status = EventHead<"status"> & StatusFields;

/**
 * An instrument came into a venue's list, changed there, or went. `symbol` and `venueSymbol` are
 * the instrument's; the topic is the venue's.
 */
export type Listing = EventHead<"listing"> & ListingFields;

/** Anything that happened in a market. Decide by `type`. */
export type MarketEvent =
  | Trade
  | Quote
  | BookEvent
  | Candle
  | Ticker
  | Funding
  | MarkPrice
  | OpenInterest
  | Liquidation
  | Status
  | Listing;
