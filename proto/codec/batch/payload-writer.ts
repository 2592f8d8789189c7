import * as BatchField from "../../gen/batch-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { LiquidationCodec, ListingCodec, TopicStatusCodec } from "../../gen/messages.ts";
import type {
  InstrumentKind as WireKind,
  InstrumentState as WireState,
  ListingChange as WireChange,
} from "../../gen/messages.ts";
import { VARINT_BYTES_MAX, putVarint } from "../byte-writer.ts";
import { writeBool, writeUint } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { BatchRows, BookRow, InstrumentState, TradeRow } from "../types.ts";
import { addWrapped } from "../wide-integers.ts";
import { putDifference } from "./difference-writer.ts";
import { channelToWire, sideToWire, stateToWire, wordToWire } from "../wire-names.ts";
import { recordFieldsOf } from "./batch-kinds.ts";
import { LEVEL_ASK } from "./batch-marks.ts";
import type { NamedField } from "./batch-kinds.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { PriceColumns } from "./price-writer.ts";
import {
  absentFields,
  firstValue,
  gatherRecords,
  settleRecords,
  wantedScales,
  writeRecords,
} from "./record-writer.ts";
import type { RecordRow } from "./record-writer.ts";
import { rescaledPrice } from "./scaled-column.ts";
import type { PlacedText } from "./scaled-column.ts";

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
const priced = new PriceColumns();
let levelCounts = new Uint32Array(64);

const SIDE_FLAGS = { none: 0, buyer: 1, seller: 2 } as const;

/** Of a chain, when its next batch is decided about. */
type PayloadPlan = {
  /** Nothing was written yet: the chain may start anywhere. */
  readonly isFirst: boolean;
  /** A number much finer than its scale may travel as text. */
  readonly mayText: boolean;
};

/** Takes over the columns of the rows. Throws WireError for what no column can hold. */
export function gatherPayload(rows: BatchRows): void {
  if (rows.kind === "trades") gatherTrades(rows.rows);
  else if (rows.kind === "books") gatherBooks(rows.rows);
  else {
    const fields = recordFieldsOf(rows.kind);
    if (fields !== undefined) gatherRecords(fields, recordRows(rows.rows));
  }
}

function recordRows(rows: readonly object[]): readonly RecordRow[] {
  return rows as readonly RecordRow[];
}

function gatherTrades(rows: readonly TradeRow[]): void {
  priced.reset();
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as TradeRow;
    priced.add(row.priceMantissa, row.sizeMantissa, row, SIDE_FLAGS[row.aggressorSide]);
  }
}

function gatherBooks(rows: readonly BookRow[]): void {
  priced.reset();
  if (rows.length > levelCounts.length) levelCounts = new Uint32Array(rows.length);
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as BookRow;
    priced.addLevels(row.bids, row, 0);
    priced.addLevels(row.asks, row, LEVEL_ASK);
    levelCounts[index] = row.bids.prices.length + row.asks.prices.length;
  }
}

/** Decides the scales of what was gathered; true if the base has to say something new. */
export function planPrices(state: ChainState, isLevels: boolean, plan: PayloadPlan): boolean {
  const { prices, sizes } = priced;
  if (prices.count === 0) return false;
  const priceScale = prices.wantedScale(state.priceScale, plan.mayText);
  const sizeScale = sizes.wantedScale(state.sizeScale, plan.mayText);
  prices.settle(priceScale);
  sizes.settle(sizeScale);
  const isRaised = priceScale !== state.priceScale || sizeScale !== state.sizeScale;
  if (plan.isFirst) {
    state.price = priced.firstPrice(isLevels, false);
    state.askPrice = isLevels ? priced.firstPrice(isLevels, true) : 0;
  } else if (priceScale !== state.priceScale) {
    state.price = rescaledPrice(state.price, state.priceScale, priceScale);
    state.askPrice = rescaledPrice(state.askPrice, state.priceScale, priceScale);
  }
  state.priceScale = priceScale;
  state.sizeScale = sizeScale;
  return isRaised;
}

/** The same for the channels whose values travel as differences. `first` is their first row. */
export function planRecords(
  state: ChainState,
  fields: readonly NamedField[],
  first: object,
  plan: PayloadPlan,
): boolean {
  const scales = wantedScales(fields, state.scales, plan.mayText);
  settleRecords(scales);
  const absent = absentFields(fields, first as RecordRow);
  let isChanged = absent !== state.absent;
  state.absent = absent;
  for (let index = 0; index < fields.length; index += 1) {
    const before = state.scales[index] as number;
    const scale = scales[index] as number;
    if (scale !== before) isChanged = true;
    if (plan.isFirst) state.values[index] = firstValue(index) ?? 0;
    // What the venue does not say stands at 0, so that it never differs.
    else if ((absent & (1 << index)) !== 0) state.values[index] = 0;
    else state.values[index] = rescaledPrice(state.values[index] as Mantissa, before, scale);
    state.scales[index] = scale;
  }
  return isChanged;
}

/** Writes what was gathered and planned, and moves the state. Returns how much went as text. */
export function writePayload(
  writer: ByteWriter,
  state: ChainState,
  rows: BatchRows,
  tradeIds: readonly Mantissa[],
): number {
  if (rows.kind === "trades") return writeTrades(writer, state, rows.rows, tradeIds);
  if (rows.kind === "books") return writeBooks(writer, state, rows.rows);
  const fields = recordFieldsOf(rows.kind);
  if (fields !== undefined) {
    return writeTexts(writer, writeRecords(writer, state, fields, rows.rows.length));
  }
  if (rows.kind === "liquidations") {
    for (const row of rows.rows) {
      const message = { ...row, aggressorSide: sideToWire(row.aggressorSide) };
      writer.bytesField(BatchField.Liquidations, LiquidationCodec.encode(message));
    }
  } else if (rows.kind === "statuses") {
    for (const row of rows.rows) {
      const words = {
        channel: channelToWire(row.channel),
        state: stateToWire(row.state),
        instrumentState: optionalState(row.instrumentState),
      };
      writer.bytesField(BatchField.Statuses, TopicStatusCodec.encode({ ...row, ...words }));
    }
  } else if (rows.kind === "listings") {
    for (const row of rows.rows) {
      const words = {
        change: wordToWire<WireChange>(row.change, "LISTING_CHANGE_"),
        instrumentKind: wordToWire<WireKind>(row.instrumentKind, "INSTRUMENT_KIND_"),
        instrumentState: optionalState(row.instrumentState),
      };
      writer.bytesField(BatchField.Listings, ListingCodec.encode({ ...row, ...words }));
    }
  }
  return 0;
}

function optionalState(state: InstrumentState | undefined): WireState | undefined {
  return state === undefined ? undefined : wordToWire(state, "INSTRUMENT_STATE_");
}

function writeTrades(
  writer: ByteWriter,
  state: ChainState,
  rows: readonly TradeRow[],
  tradeIds: readonly Mantissa[],
): number {
  const texts = priced.write(writer, state, false);
  writeBool(writer, BatchField.Historical, rows[0]?.historical === true);
  if (state.tradeIdForm === TradeIdForm.Number) {
    writeTradeIds(writer, state, tradeIds, rows.length);
  } else if (state.tradeIdForm === TradeIdForm.Text) {
    for (const row of rows) writer.stringField(BatchField.TradeIds, row.tradeId);
  }
  return writeTexts(writer, texts);
}

/** `ids` has one for each of the `count` trades, then old ones. */
function writeTradeIds(
  writer: ByteWriter,
  state: ChainState,
  ids: readonly Mantissa[],
  count: number,
): void {
  if (!followOne(state.tradeId, ids, count)) {
    const start = writer.open(BatchField.TradeIdDeltas);
    writer.reserve(count * VARINT_BYTES_MAX);
    let previous = state.tradeId;
    let at = start;
    for (let index = 0; index < count; index += 1) {
      const id = ids[index] as Mantissa;
      at = putDifference(writer.bytes, at, id, previous);
      previous = id;
    }
    writer.position = at;
    writer.close(start);
  }
  state.tradeId = ids[count - 1] as Mantissa;
}

/** True if each id is one more than the one before it. */
function followOne(before: Mantissa, ids: readonly Mantissa[], count: number): boolean {
  let previous = before;
  for (let index = 0; index < count; index += 1) {
    const next =
      typeof previous === "number" && previous < Number.MAX_SAFE_INTEGER
        ? previous + 1
        : addWrapped(previous, 1n);
    if (ids[index] !== next) return false;
    previous = next;
  }
  return true;
}

function writeBooks(writer: ByteWriter, state: ChainState, rows: readonly BookRow[]): number {
  const texts = priced.write(writer, state, true);
  const count = rows.length;
  let isPlain = true;
  for (let index = 0; index < count; index += 1) if (levelCounts[index] !== 1) isPlain = false;
  if (count > 1 && !isPlain) {
    const start = writer.open(BatchField.LevelCounts);
    writer.reserve(count * VARINT_BYTES_MAX);
    for (let index = 0; index < count; index += 1) {
      writer.position = putVarint(writer.bytes, writer.position, levelCounts[index] as number);
    }
    writer.close(start);
  }
  writeBool(writer, BatchField.Replaces, rows[0]?.snapshot === true);
  return writeTexts(writer, texts);
}

function writeTexts(writer: ByteWriter, texts: readonly PlacedText[]): number {
  for (const { place, text } of texts) {
    const start = writer.open(BatchField.Texts);
    writeUint(writer, 1, place);
    writer.stringField(2, text);
    writer.close(start);
  }
  return texts.length;
}
