import type { BatchRows } from "../types.ts";
import { FieldShape, shapesOf } from "./field-scan.ts";

/** Field numbers of `tickwire.v1.Batch`. */
export const BatchField = {
  TopicId: 1,
  Times: 2,
  Prices: 3,
  Sizes: 4,
  LevelCounts: 5,
  Changes: 6,
  Base: 7,
  Skipped: 8,
  BidPrices: 9,
  BidSizes: 10,
  AskPrices: 11,
  AskSizes: 12,
  LastPrices: 13,
  LastSizes: 14,
  Volumes: 15,
  QuoteVolumes: 16,
  LastSequence: 17,
  Snapshot: 18,
  Replaces: 19,
  Historical: 20,
  TradeIdDeltas: 21,
  TradeIds: 22,
  Texts: 23,
  OpenPrices: 24,
  HighPrices: 25,
  LowPrices: 26,
  ClosePrices: 27,
  TradeCounts: 28,
  IntervalsMs: 29,
  OpenTimesUs: 30,
  Closed: 31,
  MarkPrices: 32,
  IndexPrices: 33,
  OpenInterests: 34,
  OpenInterestValues: 35,
  FundingRates: 36,
  NextFundingTimesUs: 37,
  Liquidations: 40,
  Statuses: 41,
} as const;

/** What they look like on the wire. */
export const BATCH_SHAPES = shapesOf(BatchField, FieldShape.Column, {
  [BatchField.TopicId]: FieldShape.Scalar,
  [BatchField.Base]: FieldShape.Message,
  [BatchField.Skipped]: FieldShape.Scalar,
  [BatchField.LastSequence]: FieldShape.Scalar,
  [BatchField.Snapshot]: FieldShape.Scalar,
  [BatchField.Replaces]: FieldShape.Scalar,
  [BatchField.Historical]: FieldShape.Scalar,
  [BatchField.TradeIds]: FieldShape.Elements,
  [BatchField.Texts]: FieldShape.Elements,
  [BatchField.Liquidations]: FieldShape.Elements,
  [BatchField.Statuses]: FieldShape.Elements,
});

/** Field numbers of `tickwire.v1.Base`. */
export const BaseField = {
  Channel: 1,
  Epoch: 2,
  Sequence: 3,
  ReceivedTimeUs: 4,
  VenueTimeOffsetUs: 5,
  VenueTimeReceivedOffsetUs: 6,
  VenueTimeUnitUs: 7,
  PriceScale: 8,
  SizeScale: 9,
  Price: 10,
  AskPrice: 11,
  TradeIdForm: 12,
  TradeId: 13,
  TradeIdPrefix: 14,
  TradeIdDigits: 15,
  Values: 16,
  Scales: 17,
  Absent: 18,
} as const;

/** What they look like on the wire. */
export const BASE_SHAPES = shapesOf(BaseField, FieldShape.Scalar, {
  [BaseField.TradeIdPrefix]: FieldShape.Elements,
  [BaseField.Values]: FieldShape.Column,
  [BaseField.Scales]: FieldShape.Column,
});

export type BatchKind = BatchRows["kind"];

/** The number in the schema's Channel of the channel whose batches have these rows. */
export const CHANNEL_NUMBERS = {
  trades: 1,
  quotes: 2,
  books: 3,
  candles: 4,
  tickers: 5,
  fundings: 6,
  markPrices: 7,
  openInterests: 8,
  liquidations: 9,
  statuses: 10,
} as const satisfies Record<BatchKind, number>;

/** Undefined for a channel that this code does not know. */
export function kindOfChannel(channel: number): BatchKind | undefined {
  return KIND_OF_CHANNEL[channel];
}

const KIND_OF_CHANNEL: readonly (BatchKind | undefined)[] = Object.entries(CHANNEL_NUMBERS).reduce<
  (BatchKind | undefined)[]
>((kinds, [kind, channel]) => {
  kinds[channel] = kind as BatchKind;
  return kinds;
}, []);

/** Flags in the low bits of an entry of `prices` that is a level of a book. */
export const LEVEL_REMOVED = 1;
export const LEVEL_ASK = 2;

/** What a row holds in a field: a mantissa with a scale, a decimal as text, a number, a boolean. */
type RecordFieldType = "mantissa" | "text" | "integer" | "flag";

/** One field of a channel whose values travel as differences. */
export type RecordField = {
  /** Of the row. */
  readonly property: string;
  /** Of the Batch: its column. */
  readonly column: number;
  readonly type: RecordFieldType;
  /** Index of the field whose scale this one shares; its own index if it shares none. */
  readonly scaleField: number;
};

export type RecordKind = Exclude<BatchKind, "trades" | "books" | "liquidations" | "statuses">;

function fieldsOf(
  list: readonly (readonly [property: string, column: number, type: RecordFieldType])[],
): readonly RecordField[] {
  return list.map(([property, column, type], index) => ({
    property,
    column,
    type,
    scaleField: index,
  }));
}

/** The fields of each such channel, in the order of their bits and of Base.values. */
export const RECORD_FIELDS: { readonly [Kind in RecordKind]: readonly RecordField[] } = {
  quotes: [
    { property: "bidPriceMantissa", column: BatchField.BidPrices, type: "mantissa", scaleField: 0 },
    { property: "bidSizeMantissa", column: BatchField.BidSizes, type: "mantissa", scaleField: 1 },
    { property: "askPriceMantissa", column: BatchField.AskPrices, type: "mantissa", scaleField: 0 },
    { property: "askSizeMantissa", column: BatchField.AskSizes, type: "mantissa", scaleField: 1 },
  ],
  tickers: fieldsOf([
    ["lastPrice", BatchField.LastPrices, "text"],
    ["lastSize", BatchField.LastSizes, "text"],
    ["openPrice", BatchField.OpenPrices, "text"],
    ["highPrice", BatchField.HighPrices, "text"],
    ["lowPrice", BatchField.LowPrices, "text"],
    ["volume", BatchField.Volumes, "text"],
    ["quoteVolume", BatchField.QuoteVolumes, "text"],
    ["bidPrice", BatchField.BidPrices, "text"],
    ["askPrice", BatchField.AskPrices, "text"],
  ]),
  markPrices: fieldsOf([
    ["markPrice", BatchField.MarkPrices, "text"],
    ["indexPrice", BatchField.IndexPrices, "text"],
  ]),
  openInterests: fieldsOf([
    ["openInterest", BatchField.OpenInterests, "text"],
    ["openInterestValue", BatchField.OpenInterestValues, "text"],
  ]),
  fundings: fieldsOf([
    ["rate", BatchField.FundingRates, "text"],
    ["nextFundingTimeUs", BatchField.NextFundingTimesUs, "integer"],
    ["intervalMs", BatchField.IntervalsMs, "integer"],
  ]),
  candles: fieldsOf([
    ["intervalMs", BatchField.IntervalsMs, "integer"],
    ["openTimeUs", BatchField.OpenTimesUs, "integer"],
    ["open", BatchField.OpenPrices, "text"],
    ["high", BatchField.HighPrices, "text"],
    ["low", BatchField.LowPrices, "text"],
    ["close", BatchField.ClosePrices, "text"],
    ["volume", BatchField.Volumes, "text"],
    ["quoteVolume", BatchField.QuoteVolumes, "text"],
    ["tradeCount", BatchField.TradeCounts, "integer"],
    ["closed", BatchField.Closed, "flag"],
  ]),
};

/** The residue of a sequence in `times`: prime to every usual batch size. */
export const SEQUENCE_RESIDUE_MODULUS = 127;

/** At least every so many batches say their sequence whole. */
export const SEQUENCE_ANCHOR_BATCHES = 64;
