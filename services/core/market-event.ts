import { EVENT_KINDS } from "@tickwire/proto/model";
import type {
  CandleRow,
  ChannelOfType,
  FundingRow,
  LiquidationRow,
  ListingRow,
  Mantissa,
  MarkPriceRow,
  OpenInterestRow,
  QuoteRow,
  RowTimes,
  StatusRow,
  TickerRow,
  TradeRow,
} from "@tickwire/proto/model";
import type { Channel, Instrument } from "./instrument.ts";

export type { AggressorSide, TopicState } from "@tickwire/proto/model";

/**
 * An event is a row of its kind, whose fields are those of the schema, and its instrument. Times
 * are integer microseconds since 1970. Decimals as text are canonical plain text.
 */
type EventOf<Kind extends keyof ChannelOfType, Row> = Row & {
  readonly kind: Kind;
  readonly instrument: Instrument;
};

export type Trade = EventOf<"trade", TradeRow>;

/** A side without orders has size 0 and price 0. */
export type Quote = EventOf<"quote", QuoteRow>;

/** Levels of one side in columns: price i and size i belong together. Size 0 removes the level. */
export type LevelColumns = {
  readonly prices: readonly Mantissa[];
  readonly sizes: readonly Mantissa[];
};

/** A book snapshot (best levels first) or a delta of absolute sizes. */
export type BookEvent = EventOf<"book", RowTimes> & {
  readonly snapshot: boolean;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: LevelColumns;
  readonly asks: LevelColumns;
};

export type Candle = EventOf<"candle", CandleRow>;
export type Ticker = EventOf<"ticker", TickerRow>;
type Funding = EventOf<"funding", FundingRow>;
type MarkPrice = EventOf<"mark-price", MarkPriceRow>;
type OpenInterest = EventOf<"open-interest", OpenInterestRow>;
type Liquidation = EventOf<"liquidation", LiquidationRow>;

/**
 * What became of an instrument in the list of its venue. `instrument` is the venue's market as a
 * whole (`marketOf`); the instrument that this is about is in the row's own fields.
 */
export type Listing = EventOf<"listing", ListingRow>;

/** The state of one channel of one instrument changed. venueTimeUs is undefined. */
export type Status = EventOf<"status", StatusRow> & { readonly channel: Channel };

/** What leaves the pipeline and is published. */
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

/** The channel that an event is published on. */
export const CHANNEL_OF_KIND = Object.fromEntries(
  EVENT_KINDS.map(({ type, channel }) => [type, channel]),
) as ChannelOfType;
