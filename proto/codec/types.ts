import type { Mantissa } from "../model/decimal.ts";

export type AggressorSide = "buyer" | "seller" | "none";

export type TopicState = "syncing" | "live" | "stale" | "gap" | "resyncing" | "down";

/** Event times of a row; every row type below has them. Microseconds since 1970. */
export type RowTimes = {
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

/** Rows may differ in scale: the writer brings those of a topic to one. */
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

/** The rows of one batch, tagged by what they are. */
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
 * What a batch says beside its events. Integers are safe integers; larger ones are refused.
 */
export type BatchHeader = {
  /** 0 on the bus. */
  readonly topicId: number;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  /**
   * Events conflated away before the first. The batch goes on from firstSequence - 1 - skipped; a
   * snapshot goes on from nothing, and all its events stand at firstSequence.
   */
  readonly skipped: number;
  readonly snapshot: boolean;
  readonly publishedTimeUs: number;
};

/**
 * Trades in columns: element i of each describes event i. price = prices[i] / 10^priceScale,
 * exactly; batches of one topic may differ in scale.
 */
export type TradeColumns = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly prices: readonly Mantissa[];
  readonly sizes: readonly Mantissa[];
  readonly aggressorSides: readonly AggressorSide[];
  /**
   * Integers where every id of the batch is one (`String(id)` is the venue's text), texts
   * otherwise.
   */
  readonly tradeIds: readonly (Mantissa | string)[];
  readonly historical: readonly boolean[];
};

/** Quotes in columns. A side without orders has size 0. */
export type QuoteColumns = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bidPrices: readonly Mantissa[];
  readonly bidSizes: readonly Mantissa[];
  readonly askPrices: readonly Mantissa[];
  readonly askSizes: readonly Mantissa[];
};

/**
 * Book events in columns. `prices` and `sizes` hold the levels of all events: the bids of event 0,
 * its asks, the bids of event 1, and so on.
 */
export type BookColumns = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly snapshots: readonly boolean[];
  readonly bidCounts: readonly number[];
  readonly askCounts: readonly number[];
  readonly prices: readonly Mantissa[];
  readonly sizes: readonly Mantissa[];
};

/** The hot kinds, which are read as columns. */
export type BatchColumns =
  | { readonly kind: "trades"; readonly columns: TradeColumns }
  | { readonly kind: "quotes"; readonly columns: QuoteColumns }
  | { readonly kind: "books"; readonly columns: BookColumns };

/** The kinds that are read as rows. */
export type RowKind = Exclude<BatchRows["kind"], BatchColumns["kind"]>;

/** A batch as read. It owns everything that it refers to. */
export type DecodedBatch = BatchHeader & {
  readonly receivedTimesUs: readonly number[];
  /** Undefined where the venue gives no time. */
  readonly venueTimesUs: readonly (number | undefined)[];
} & (BatchColumns | Extract<BatchRows, { readonly kind: RowKind }>);
