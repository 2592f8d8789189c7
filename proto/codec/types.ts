import type { AggressorSide, GeneratedRows, RowTimes } from "../gen/events.ts";
import type { Mantissa } from "../model/decimal.ts";

export type {
  AggressorSide,
  CandleRow,
  FundingRow,
  InstrumentState,
  LiquidationRow,
  MarkPriceRow,
  OpenInterestRow,
  QuoteRow,
  RowTimes,
  StatusRow,
  TickerRow,
  TopicState,
  TradeRow,
} from "../gen/events.ts";

/** Levels best first, if it is a snapshot. Rows may differ in scale. */
export type BookRow = RowTimes & {
  readonly snapshot: boolean;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: { readonly prices: readonly Mantissa[]; readonly sizes: readonly Mantissa[] };
  readonly asks: { readonly prices: readonly Mantissa[]; readonly sizes: readonly Mantissa[] };
};

/** The row of each kind of batch. */
type RowOfKind = GeneratedRows & { readonly books: BookRow };

/** The rows of one batch, tagged by what they are. */
export type BatchRows = {
  readonly [Kind in keyof RowOfKind]: {
    readonly kind: Kind;
    readonly rows: readonly RowOfKind[Kind][];
  };
}[keyof RowOfKind];

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
