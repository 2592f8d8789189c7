/**
 * Columns straight into bytes, for what nearly all batches are like: numbers that are safe integers
 * and differ little, in a chain whose base says all that they need. Whatever is otherwise is told
 * before anything of the chain has moved, and goes the general way, which gives the same bytes.
 * Functions here get the position to write at and return the one after what they wrote, or
 * NOT_PLAIN: then what was written means nothing.
 */
import * as BatchField from "../../gen/batch-field.ts";
import { putVarint } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX } from "../wide-integers.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { putLevelColumns } from "./level-column-writer.ts";
import type { PendingColumns, PendingTrades } from "./pending-columns.ts";
import { putQuoteColumns } from "./quote-column-writer.ts";
import {
  SMALL_DIFFERENCE_MAX,
  closeColumn,
  lengthBytes,
  openColumn,
  putLargeCode,
  putSize,
  smallCode,
} from "./small-codes.ts";
import { NOT_PLAIN, putSigned, putSmall } from "./small-varint.ts";
import type { ColumnBytes } from "./small-varint.ts";

/** Ids that are longer, and texts of other letters, go the general way. */
const SHORT_ID_BYTES_MAX = 64;

/** Most bytes that an event takes: numbers of 31 bits take 5, and safe ones 8. */
const TRADE_BYTES_MAX = 5 + 5 + 8 + 8 + 8;
/** Of an id that is a text: tag, length, letters. */
const TEXT_ID_BYTES_MAX = 3 + SHORT_ID_BYTES_MAX;
const QUOTE_BYTES_MAX = 5 + 5 + 1 + 4 * 8;
const CHANGE_BYTES_MAX = 5 + 5 + 5;
const LEVEL_BYTES_MAX = 8 + 8;
/** Tags and lengths of the columns, and what stands before the first event. */
const HEADS_BYTES_MAX = 80;

/** Most bytes that the columns take, with their times. */
export function columnsRoom(state: ChainState, columns: PendingColumns): number {
  const { count } = columns;
  switch (columns.kind) {
    case "trades": {
      const hasTexts = state.tradeIdForm === TradeIdForm.Text;
      return HEADS_BYTES_MAX + (TRADE_BYTES_MAX + (hasTexts ? TEXT_ID_BYTES_MAX : 0)) * count;
    }
    case "quotes":
      return HEADS_BYTES_MAX + QUOTE_BYTES_MAX * count;
    case "books":
      return HEADS_BYTES_MAX + CHANGE_BYTES_MAX * count + LEVEL_BYTES_MAX * columns.levelCount;
  }
}

/** Writes the column `times`. */
export function putTimeColumn(
  into: ColumnBytes,
  from: number,
  state: ChainState,
  columns: PendingColumns,
  { mark, publishedTimeUs }: { readonly mark: number; readonly publishedTimeUs: number },
): number {
  const { count, receivedTimesUs } = columns;
  const { bytes } = into;
  const width = lengthBytes(count, state.venueTimeUnitUs === 0 ? 2 : 4);
  const start = openColumn(bytes, from, BatchField.Times, width);
  let at = putSmall(bytes, start, mark);
  at = putSigned(into, at, publishedTimeUs - (receivedTimesUs[count - 1] as number));
  if (at === NOT_PLAIN) return NOT_PLAIN;
  at =
    state.venueTimeUnitUs === 0
      ? putReceivedTimes(bytes, at, state, columns)
      : putBothTimes(bytes, at, state, columns);
  return at === NOT_PLAIN ? NOT_PLAIN : closeColumn(bytes, start, at, width);
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

/** Writes the other columns, for which room must be there, as `columnsRoom` says. */
export function putPayload(
  into: ColumnBytes,
  from: number,
  state: ChainState,
  columns: PendingColumns,
): number {
  switch (columns.kind) {
    case "trades":
      return putTradeColumns(into, from, state, columns);
    case "quotes":
      return putQuoteColumns(into, from, state, columns);
    case "books":
      if (columns.levelCount > 0) return putLevelColumns(into, from, state, columns);
      // Of several events without a level each says so.
      return columns.count === 1 ? from : NOT_PLAIN;
  }
}

function putTradeColumns(
  into: ColumnBytes,
  from: number,
  state: ChainState,
  columns: PendingTrades,
): number {
  const { count, prices, sizes, sides } = columns;
  const { bytes } = into;
  let start = openColumn(bytes, from, BatchField.Prices, 1);
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
    if (at === NOT_PLAIN) return NOT_PLAIN;
    previous = price;
  }
  if (!Number.isSafeInteger(previous)) return NOT_PLAIN;
  at = closeColumn(bytes, start, at, 1);
  const width = lengthBytes(count, 3);
  start = openColumn(bytes, at, BatchField.Sizes, width);
  at = start;
  for (let index = 0; index < count; index += 1) {
    at = putSize(into, at, sizes[index] as number);
    if (at === NOT_PLAIN) return NOT_PLAIN;
  }
  return putTradeIds(into, closeColumn(bytes, start, at, width), state, columns);
}

function putTradeIds(
  into: ColumnBytes,
  from: number,
  state: ChainState,
  columns: PendingTrades,
): number {
  const { count, ids, idTexts } = columns;
  if (state.tradeIdForm === TradeIdForm.Number) return putNumberIds(into, from, state, columns);
  let at = from;
  for (let index = 0; index < count; index += 1) {
    const id = ids[index] as number;
    const text = id === id ? String(id) : (idTexts[index] as string);
    // What has no ids takes them only by a base that tells of them.
    if (state.tradeIdForm === TradeIdForm.None && text !== "") return NOT_PLAIN;
    if (state.tradeIdForm === TradeIdForm.Text) at = putShortText(into.bytes, at, text);
    if (at === NOT_PLAIN) return NOT_PLAIN;
  }
  return at;
}

/** An element of `trade_ids`, if it is short ASCII. */
function putShortText(bytes: Uint8Array, from: number, text: string): number {
  const { length } = text;
  if (length > SHORT_ID_BYTES_MAX) return NOT_PLAIN;
  const start = openColumn(bytes, from, BatchField.TradeIds, 1);
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return NOT_PLAIN;
    bytes[start + index] = unit;
  }
  return closeColumn(bytes, start, start + length, 1);
}

function putNumberIds(
  into: ColumnBytes,
  from: number,
  state: ChainState,
  columns: PendingTrades,
): number {
  const { count, ids } = columns;
  if (typeof state.tradeId !== "number") return NOT_PLAIN;
  let previous = state.tradeId;
  let index = 0;
  while (index < count && ids[index] === previous + 1) {
    previous += 1;
    index += 1;
  }
  if (index === count) return Number.isSafeInteger(previous) ? from : NOT_PLAIN;
  const { bytes } = into;
  const width = lengthBytes(count, 1);
  const start = openColumn(bytes, from, BatchField.TradeIdDeltas, width);
  let at = start;
  previous = state.tradeId;
  for (index = 0; index < count; index += 1) {
    const id = ids[index] as number;
    const difference = id - previous;
    const isFast = difference <= FAST_MAGNITUDE_MAX && difference >= -FAST_MAGNITUDE_MAX;
    // Not so either where the id is NaN, which is a text.
    if (!isFast || !Number.isSafeInteger(id) || id < 0) return NOT_PLAIN;
    at = putVarint(bytes, at, difference < 0 ? -2 * difference - 1 : 2 * difference);
    previous = id;
  }
  return closeColumn(bytes, start, at, width);
}
