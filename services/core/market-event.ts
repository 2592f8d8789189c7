import type { Mantissa } from "@tickwire/proto/model";
import type { Channel, Instrument } from "./instrument.ts";

/** Who took liquidity; `none` where the venue says nobody did, or does not say. */
export type AggressorSide = "buyer" | "seller" | "none";

/** What every market event has. Times are integer microseconds since 1970. */
type EventBase = {
  readonly instrument: Instrument;
  /** When the venue says it happened; undefined if it says nothing, never filled in. */
  readonly venueTimeUs: number | undefined;
  /** Our clock when the frame arrived. */
  readonly receivedTimeUs: number;
};

/** price = priceMantissa / 10^priceScale, exactly; the same for size. */
export type Trade = EventBase & {
  readonly kind: "trade";
  readonly priceMantissa: Mantissa;
  readonly priceScale: number;
  readonly sizeMantissa: Mantissa;
  readonly sizeScale: number;
  readonly aggressorSide: AggressorSide;
  /** As the venue writes it; empty if it gives none. */
  readonly tradeId: string;
  /** An old trade that the venue sent on subscribing. */
  readonly historical: boolean;
};

/** Best bid and offer. A side without orders has size 0 and price 0. */
export type Quote = EventBase & {
  readonly kind: "quote";
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bidPriceMantissa: Mantissa;
  readonly bidSizeMantissa: Mantissa;
  readonly askPriceMantissa: Mantissa;
  readonly askSizeMantissa: Mantissa;
};

/** Levels of one side in columns: price i and size i belong together. Size 0 removes the level. */
export type LevelColumns = {
  readonly prices: readonly Mantissa[];
  readonly sizes: readonly Mantissa[];
};

/** A book snapshot (best levels first) or a delta of absolute sizes. */
export type BookEvent = EventBase & {
  readonly kind: "book";
  readonly snapshot: boolean;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: LevelColumns;
  readonly asks: LevelColumns;
};

/** Decimals below are canonical plain text; undefined where the venue does not say. */
export type Candle = EventBase & {
  readonly kind: "candle";
  readonly intervalMs: number;
  readonly openTimeUs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quoteVolume: string | undefined;
  readonly tradeCount: number | undefined;
  readonly closed: boolean;
};

export type Ticker = EventBase & {
  readonly kind: "ticker";
  readonly lastPrice: string | undefined;
  readonly lastSize: string | undefined;
  readonly openPrice: string | undefined;
  readonly highPrice: string | undefined;
  readonly lowPrice: string | undefined;
  readonly volume: string | undefined;
  readonly quoteVolume: string | undefined;
  readonly bidPrice: string | undefined;
  readonly askPrice: string | undefined;
};

type Funding = EventBase & {
  readonly kind: "funding";
  readonly rate: string;
  readonly nextFundingTimeUs: number | undefined;
  readonly intervalMs: number | undefined;
};

type MarkPrice = EventBase & {
  readonly kind: "mark-price";
  readonly markPrice: string;
  readonly indexPrice: string | undefined;
};

type OpenInterest = EventBase & {
  readonly kind: "open-interest";
  readonly openInterest: string;
  readonly openInterestValue: string | undefined;
};

type Liquidation = EventBase & {
  readonly kind: "liquidation";
  readonly price: string;
  readonly size: string;
  /** Side of the liquidation order: `seller` if a long position was liquidated. */
  readonly aggressorSide: AggressorSide;
  readonly liquidationId: string | undefined;
};

export type TopicState = "syncing" | "live" | "stale" | "gap" | "resyncing" | "down";

/** The state of one channel of one instrument changed. venueTimeUs is undefined. */
export type Status = EventBase & {
  readonly kind: "status";
  readonly channel: Channel;
  readonly state: TopicState;
  /** A stable kebab-case word; the list is in proto/README.md. */
  readonly reason: string;
  readonly sinceTimeUs: number;
};

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
  | Status;

/** The channel that an event is published on. */
export const CHANNEL_OF_KIND = {
  trade: "trades",
  quote: "quotes",
  book: "book",
  candle: "candles",
  ticker: "ticker",
  funding: "funding",
  "mark-price": "mark-price",
  "open-interest": "open-interest",
  liquidation: "liquidations",
  status: "status",
} as const satisfies Record<MarketEvent["kind"], Channel>;
