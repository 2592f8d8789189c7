/**
 * Columns straight into bytes, for what nearly all batches are like: numbers that are safe integers
 * and differ little, in a chain whose base says all that they need. Whatever is otherwise is told
 * before anything of the chain has moved, and goes the general way, which gives the same bytes.
 */
import * as BatchField from "../../gen/batch-field.ts";
import { putVarint } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX } from "../wide-integers.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { writeLevelColumns } from "./level-column-writer.ts";
import type { PendingColumns, PendingTrades } from "./pending-columns.ts";
import { writeQuoteColumns } from "./quote-column-writer.ts";
import {
  SMALL_DIFFERENCE_MAX,
  closeColumn,
  lengthBytes,
  openColumn,
  putLargeCode,
  putSize,
  smallCode,
} from "./small-codes.ts";
import type { ColumnByteWriter } from "./column-bytes.ts";
import { NOT_PLAIN, putSmall } from "./small-varint.ts";

/** Most bytes that an event takes: numbers of 31 bits take 5, and safe ones 8. */
const TRADE_BYTES_MAX = 5 + 5 + 8 + 8 + 8;
const QUOTE_BYTES_MAX = 5 + 5 + 1 + 4 * 8;
const CHANGE_BYTES_MAX = 5 + 5 + 5;
const LEVEL_BYTES_MAX = 8 + 8;
/** Tags and lengths of the columns, and what stands before the first event. */
const HEADS_BYTES_MAX = 80;

/** Most bytes that the columns take, with their times and without ids that are texts. */
export function columnsRoom(columns: PendingColumns): number {
  const { count } = columns;
  switch (columns.kind) {
    case "trades":
      return HEADS_BYTES_MAX + TRADE_BYTES_MAX * count;
    case "quotes":
      return HEADS_BYTES_MAX + QUOTE_BYTES_MAX * count;
    case "books":
      return HEADS_BYTES_MAX + CHANGE_BYTES_MAX * count + LEVEL_BYTES_MAX * columns.levelCount;
  }
}

/**
 * Writes the column `times`, for which room must be there. False if a time is out of the ordinary;
 * what was written then means nothing.
 */
export function writeTimeColumns(
  writer: ColumnByteWriter,
  state: ChainState,
  columns: PendingColumns,
  { mark, publishedTimeUs }: { readonly mark: number; readonly publishedTimeUs: number },
): boolean {
  const { count, receivedTimesUs } = columns;
  const lag = publishedTimeUs - (receivedTimesUs[count - 1] as number);
  if (!(lag <= FAST_MAGNITUDE_MAX && lag >= -FAST_MAGNITUDE_MAX)) return false;
  const width = lengthBytes(count, state.venueTimeUnitUs === 0 ? 2 : 4);
  const start = openColumn(writer, BatchField.Times, width);
  let at = putVarint(writer.bytes, start, mark);
  at = putVarint(writer.bytes, at, lag < 0 ? -2 * lag - 1 : 2 * lag);
  at =
    state.venueTimeUnitUs === 0
      ? putReceivedTimes(writer.bytes, at, state, columns)
      : putBothTimes(writer.bytes, at, state, columns);
  if (at === NOT_PLAIN) return false;
  closeColumn(writer, { start, end: at, width });
  return true;
}

function putReceivedTimes(
  bytes: Uint8Array,
  start: number,
  state: ChainState,
  columns: PendingColumns,
): number {
  const { count, receivedTimesUs, venueTimesUs } = columns;
  let at = start;
  let previous = state.receivedTimeUs;
  for (let index = 0; index < count; index += 1) {
    const received = receivedTimesUs[index] as number;
    const venue = venueTimesUs[index] as number;
    const advance = (received - previous) | 0;
    if (advance !== received - previous || advance < 0 || venue === venue) return NOT_PLAIN;
    at = putSmall(bytes, at, advance);
    previous = received;
  }
  return Number.isSafeInteger(previous) ? at : NOT_PLAIN;
}

function putBothTimes(
  bytes: Uint8Array,
  start: number,
  state: ChainState,
  columns: PendingColumns,
): number {
  const { count, receivedTimesUs, venueTimesUs } = columns;
  const { venueTimeUnitUs: unit } = state;
  let at = start;
  let previous = state.receivedTimeUs;
  let { venueTimeUs: previousVenue, venueReceivedTimeUs: venueReceived } = state;
  for (let index = 0; index < count; index += 1) {
    const received = receivedTimesUs[index] as number;
    const advance = (received - previous) | 0;
    if (advance !== received - previous || advance < 0) return NOT_PLAIN;
    at = putSmall(bytes, at, advance);
    previous = received;
    const venue = venueTimesUs[index] as number;
    // NaN stands for no time.
    if (venue !== venue) {
      bytes[at] = 0;
      at += 1;
      continue;
    }
    const span = (received - venueReceived) | 0;
    const spanUnits = unit === 1 ? span : Math.floor(span / unit);
    const exactUnits = (venue - previousVenue) / unit - spanUnits;
    const units = exactUnits | 0;
    const isSmall = units < SMALL_DIFFERENCE_MAX && units > -SMALL_DIFFERENCE_MAX;
    if (span !== received - venueReceived || units !== exactUnits || !isSmall) return NOT_PLAIN;
    at = putSmall(bytes, at, 1 + ((units << 1) ^ (units >> 31)));
    previousVenue = venue;
    venueReceived = received;
  }
  const isSafe = Number.isSafeInteger(previous) && Number.isSafeInteger(previousVenue);
  return isSafe ? at : NOT_PLAIN;
}

/** Writes the other columns, in the same way. */
export function writePlainPayload(
  writer: ColumnByteWriter,
  state: ChainState,
  columns: PendingColumns,
): boolean {
  switch (columns.kind) {
    case "trades":
      return writeTradePrices(writer, state, columns) && writeTradeIds(writer, state, columns);
    case "quotes":
      return writeQuoteColumns(writer, state, columns);
    case "books":
      return columns.levelCount === 0 || writeLevelColumns(writer, state, columns);
  }
}

function writeTradePrices(
  writer: ColumnByteWriter,
  state: ChainState,
  columns: PendingTrades,
): boolean {
  const { count, prices, sizes, sides } = columns;
  const { bytes } = writer;
  const start = openColumn(writer, BatchField.Prices, 1);
  let at = start;
  let previous = state.price as number;
  for (let index = 0; index < count; index += 1) {
    const price = prices[index] as number;
    const side = sides[index] as number;
    const code = smallCode(price - previous);
    at =
      code === NOT_PLAIN
        ? putLargeCode(bytes, at, price - previous, side)
        : putSmall(bytes, at, code | side);
    if (at === NOT_PLAIN) return false;
    previous = price;
  }
  if (!Number.isSafeInteger(previous)) return false;
  closeColumn(writer, { start, end: at, width: 1 });
  const width = lengthBytes(count, 3);
  const sizesStart = openColumn(writer, BatchField.Sizes, width);
  at = sizesStart;
  for (let index = 0; index < count; index += 1) {
    at = putSize(writer, at, sizes[index] as number);
    if (at === NOT_PLAIN) return false;
  }
  closeColumn(writer, { start: sizesStart, end: at, width });
  return true;
}

function writeTradeIds(
  writer: ColumnByteWriter,
  state: ChainState,
  columns: PendingTrades,
): boolean {
  const { count, ids, idTexts } = columns;
  if (state.tradeIdForm === TradeIdForm.Number) {
    const isPlain = state.tradeIdPrefix === "" && state.tradeIdDigits === 0;
    return isPlain && writeNumberIds(writer, state, columns);
  }
  for (let index = 0; index < count; index += 1) {
    const id = ids[index] as number;
    const text = id === id ? String(id) : (idTexts[index] as string);
    // What has no ids takes them only by a base that tells of them.
    if (state.tradeIdForm === TradeIdForm.None && text !== "") return false;
    if (state.tradeIdForm === TradeIdForm.Text) writer.stringField(BatchField.TradeIds, text);
  }
  return true;
}

function writeNumberIds(
  writer: ColumnByteWriter,
  state: ChainState,
  columns: PendingTrades,
): boolean {
  const { count, ids } = columns;
  if (typeof state.tradeId !== "number") return false;
  let previous = state.tradeId;
  let index = 0;
  while (index < count && ids[index] === previous + 1) {
    previous += 1;
    index += 1;
  }
  if (index === count) return Number.isSafeInteger(previous);
  const { bytes } = writer;
  const start = openColumn(writer, BatchField.TradeIdDeltas, 1);
  let at = start;
  previous = state.tradeId;
  for (index = 0; index < count; index += 1) {
    const id = ids[index] as number;
    const difference = id - previous;
    const isFast = difference <= FAST_MAGNITUDE_MAX && difference >= -FAST_MAGNITUDE_MAX;
    // Not so either where the id is NaN, which is a text.
    if (!isFast || !Number.isSafeInteger(id) || id < 0) return false;
    at = putVarint(bytes, at, difference < 0 ? -2 * difference - 1 : 2 * difference);
    previous = id;
  }
  closeColumn(writer, { start, end: at, width: 1 });
  return true;
}
