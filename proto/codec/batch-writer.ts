import { ByteWriter } from "./byte-writer.ts";
import { ZeroColumn, deltaScratch, writeSigned } from "./column-writer.ts";
import { EventTimes } from "./event-times.ts";
import { gatherBooks, gatherQuotes, gatherTrades } from "./hot-writers.ts";
import type { PayloadWriter } from "./hot-writers.ts";
import { BATCH_EVENTS_MAX, EMPTY_BATCH_EVENTS_MAX } from "./limits.ts";
import { ROW_KINDS } from "./row-kinds.ts";
import { encodeRows } from "./row-writer.ts";
import type { BatchHeaderInit, BatchRows, RowKind } from "./types.ts";
import { WireError } from "./wire-error.ts";

// Encoding is synchronous and never re-entered, so one set of scratch serves every batch.
const writer = new ByteWriter();
const times = new EventTimes();

/**
 * Encodes rows as a Batch without its topic id, which is what the bus carries. The caller owns the
 * result. Throws WireError (`unsafe-integer`) for times, sequences or mantissas that are numbers
 * and no safe integers, (`malformed`) for more than BATCH_EVENTS_MAX rows or a scale that is none.
 */
export function encodeBatch(header: BatchHeaderInit, rows: BatchRows): Uint8Array<ArrayBuffer> {
  const count = rows.rows.length;
  if (count > BATCH_EVENTS_MAX) {
    throw new WireError("malformed", `${count} events exceed BATCH_EVENTS_MAX ${BATCH_EVENTS_MAX}`);
  }
  writer.reset();
  times.reset(count);
  const writePayload = gather(rows);
  writeHeader(header, count);
  writeTimes(count);
  writePayload(writer, count);
  return writer.finish();
}

/** Takes over times and columns of the rows; returns what writes the payload. */
function gather(rows: BatchRows): PayloadWriter {
  switch (rows.kind) {
    case "trades":
      return gatherTrades(rows.rows, times);
    case "quotes":
      return gatherQuotes(rows.rows, times);
    case "books":
      return gatherBooks(rows.rows, times);
    case "candles":
    case "tickers":
    case "fundings":
    case "markPrices":
    case "openInterests":
    case "liquidations":
    case "statuses":
      return gatherRows(rows);
  }
}

function gatherRows(rows: Extract<BatchRows, { readonly kind: RowKind }>): PayloadWriter {
  for (const row of rows.rows) times.add(row.receivedTimeUs, row.venueTimeUs);
  const payload = encodeRows(rows);
  return (target) => target.bytesField(ROW_KINDS[rows.kind].field, payload);
}

function writeHeader(header: BatchHeaderInit, count: number): void {
  writer.uintField(2, checkedCount("epoch", header.epoch));
  writer.uintField(3, checkedCount("firstSequence", header.firstSequence));
  writer.uintField(4, count);
  writer.uintField(5, checkedCount("previousSequence", header.previousSequence ?? 0));
  writer.boolField(6, header.snapshot === true);
  if (!Number.isSafeInteger(header.publishedTimeUs)) {
    throw new WireError("unsafe-integer", `publishedTimeUs is ${header.publishedTimeUs}`);
  }
  writer.intField(7, header.publishedTimeUs);
}

function checkedCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new WireError("unsafe-integer", `${name} is ${value}`);
}

function writeTimes(count: number): void {
  if (count === 0) return;
  const { received, venue } = times;
  const first = received[0] as number;
  writer.intField(8, first);
  const deltas = deltaScratch(count);
  let previous = first;
  for (let index = 0; index < count; index += 1) {
    const time = received[index] as number;
    deltas[index] = time - previous;
    previous = time;
  }
  // So many events need a byte each: see EMPTY_BATCH_EVENTS_MAX.
  const zeros = count > EMPTY_BATCH_EVENTS_MAX ? ZeroColumn.Write : ZeroColumn.Omit;
  writeSigned(writer, 9, deltas, count, zeros);
  for (let index = 0; index < count; index += 1) {
    const time = venue[index] as number;
    // NaN stands for no time.
    deltas[index] = time === time ? time - (received[index] as number) : 0;
  }
  writeSigned(writer, 10, deltas, count);
  if (times.hasAbsent) writeAbsent(count);
}

function writeAbsent(count: number): void {
  const start = writer.open(11);
  writer.reserve(count);
  for (let index = 0; index < count; index += 1) {
    writer.bytes[start + index] = Number.isNaN(times.venue[index]) ? 1 : 0;
  }
  writer.position = start + count;
  writer.close(start);
}
