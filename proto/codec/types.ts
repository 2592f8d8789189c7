import type { Mantissa } from "../model/decimal.ts";

export type AggressorSide = "buyer" | "seller" | "none";

export type TopicState = "syncing" | "live" | "stale" | "gap" | "resyncing" | "down";

/** Event times of a row; every row type below has them. Microseconds since 1970. */
export type RowTimes = {
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

/**
 * Rows that the writer takes and puts into columns. They may differ in scale; the batch gets the
 * largest.
 */
export type TradeRow = RowTimes & {
  readonly priceMantissa: Mantissa;
  readonly priceScale: number;
  readonly sizeMantissa: Mantissa;
  readonly sizeScale: number;
  readonly aggressorSide: AggressorSide;
  readonly tradeId: string;
  readonly historical: boolean;
};

export type QuoteRow = RowTimes & {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bidPriceMantissa: Mantissa;
  readonly bidSizeMantissa: Mantissa;
  readonly askPriceMantissa: Mantissa;
  readonly askSizeMantissa: Mantissa;
};

export type BookRow = RowTimes & {
  readonly snapshot: boolean;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: { readonly prices: readonly Mantissa[]; readonly sizes: readonly Mantissa[] };
  readonly asks: { readonly prices: readonly Mantissa[]; readonly sizes: readonly Mantissa[] };
};

export type CandleRow = RowTimes & {
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

export type TickerRow = RowTimes & {
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

export type FundingRow = RowTimes & {
  readonly rate: string;
  readonly nextFundingTimeUs: number | undefined;
  readonly intervalMs: number | undefined;
};

export type MarkPriceRow = RowTimes & {
  readonly markPrice: string;
  readonly indexPrice: string | undefined;
};

export type OpenInterestRow = RowTimes & {
  readonly openInterest: string;
  readonly openInterestValue: string | undefined;
};

export type LiquidationRow = RowTimes & {
  readonly price: string;
  readonly size: string;
  readonly aggressorSide: AggressorSide;
  readonly liquidationId: string | undefined;
};

/**
 * `channel` is the Channel of instrument.proto in kebab case without prefix, such as `mark-price`.
 */
export type StatusRow = RowTimes & {
  readonly channel: string;
  readonly state: TopicState;
  readonly reason: string;
  readonly sinceTimeUs: number;
};

/** The rows of one batch, tagged by the payload field of batch.proto. */
export type BatchRows =
  | { readonly kind: "trades"; readonly rows: readonly TradeRow[] }
  | { readonly kind: "quotes"; readonly rows: readonly QuoteRow[] }
  | { readonly kind: "books"; readonly rows: readonly BookRow[] }
  | { readonly kind: "candles"; readonly rows: readonly CandleRow[] }
  | { readonly kind: "tickers"; readonly rows: readonly TickerRow[] }
  | { readonly kind: "fundings"; readonly rows: readonly FundingRow[] }
  | { readonly kind: "markPrices"; readonly rows: readonly MarkPriceRow[] }
  | { readonly kind: "openInterests"; readonly rows: readonly OpenInterestRow[] }
  | { readonly kind: "liquidations"; readonly rows: readonly LiquidationRow[] }
  | { readonly kind: "statuses"; readonly rows: readonly StatusRow[] };

/**
 * The scalar fields at the head of a batch. Integers are safe integers; larger ones are refused.
 */
export type BatchHeader = {
  /** 0 on the bus. */
  readonly topicId: number;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  /** As sent: 0 means firstSequence - 1. */
  readonly previousSequence: number;
  readonly snapshot: boolean;
  readonly publishedTimeUs: number;
};
