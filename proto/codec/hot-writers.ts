import { AggressorSideNumbers as SIDES } from "../gen/messages.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { ZeroColumn, writeDeltas, writeOffsets, writeTexts, writeValues } from "./column-writer.ts";
import { DecimalColumn } from "./decimal-column.ts";
import type { EventTimes } from "./event-times.ts";
import { writeTradeIds } from "./trade-ids.ts";
import type { BookRow, QuoteRow, TradeRow } from "./types.ts";

/** Writes the payload field of what was gathered last. */
export type PayloadWriter = (writer: ByteWriter, count: number) => void;

// Encoding is synchronous and never re-entered: these hold the batch that is being written.
const prices = new DecimalColumn({ allowNegative: true });
const sizes = new DecimalColumn({ allowNegative: false });
let trades: readonly TradeRow[] = [];
let books: readonly BookRow[] = [];

/** Takes over times, prices and sizes of the rows. */
export function gatherTrades(rows: readonly TradeRow[], times: EventTimes): PayloadWriter {
  const count = rows.length;
  prices.reset(count);
  sizes.reset(count);
  for (let index = 0; index < count; index += 1) {
    const row = rows[index] as TradeRow;
    times.add(row.receivedTimeUs, row.venueTimeUs);
    prices.add(row.priceMantissa, row.priceScale);
    sizes.add(row.sizeMantissa, row.sizeScale);
  }
  prices.settle();
  sizes.settle();
  trades = rows;
  return writeTrades;
}

function writeTrades(writer: ByteWriter, count: number): void {
  const rows = trades;
  trades = [];
  const all = { start: 0, count };
  const payload = writer.open(16);
  writer.uintField(1, prices.scale);
  writer.uintField(2, sizes.scale);
  writeDeltas(writer, 3, prices, all);
  writeValues(writer, 4, sizes, all);
  if (count > 0) writeSides(writer, rows);
  writeTradeIds(writer, rows);
  writeHistorical(writer, rows);
  writeTexts(writer, 9, prices, all);
  writeTexts(writer, 10, sizes, all);
  writer.close(payload);
}

function writeSides(writer: ByteWriter, rows: readonly TradeRow[]): void {
  const start = writer.open(5);
  writer.reserve(rows.length);
  const { bytes } = writer;
  for (let index = 0; index < rows.length; index += 1) {
    const side = (rows[index] as TradeRow).aggressorSide;
    // Comparing interned words is several times as fast as looking a name up in an object.
    if (side === "buyer") bytes[start + index] = SIDES.AGGRESSOR_SIDE_BUYER;
    else
      bytes[start + index] =
        side === "seller" ? SIDES.AGGRESSOR_SIDE_SELLER : SIDES.AGGRESSOR_SIDE_NONE;
  }
  writer.position = start + rows.length;
  writer.close(start);
}

function writeHistorical(writer: ByteWriter, rows: readonly TradeRow[]): void {
  let isAny = false;
  for (let index = 0; index < rows.length; index += 1) {
    if ((rows[index] as TradeRow).historical) isAny = true;
  }
  if (isAny) writeBools(writer, 8, rows, (row) => row.historical);
}

/** Outside of the hot path: where some are true. */
function writeBools<Row>(
  writer: ByteWriter,
  field: number,
  rows: readonly Row[],
  isTrue: (row: Row) => boolean,
): void {
  const start = writer.open(field);
  writer.reserve(rows.length);
  for (const [index, row] of rows.entries()) writer.bytes[start + index] = isTrue(row) ? 1 : 0;
  writer.position = start + rows.length;
  writer.close(start);
}

/** Takes over times, prices and sizes of the rows: all bids, then all asks. */
export function gatherQuotes(rows: readonly QuoteRow[], times: EventTimes): PayloadWriter {
  const count = rows.length;
  prices.reset(2 * count);
  sizes.reset(2 * count);
  for (let index = 0; index < count; index += 1) {
    const row = rows[index] as QuoteRow;
    times.add(row.receivedTimeUs, row.venueTimeUs);
    prices.add(row.bidPriceMantissa, row.priceScale);
    sizes.add(row.bidSizeMantissa, row.sizeScale);
  }
  for (let index = 0; index < count; index += 1) {
    const row = rows[index] as QuoteRow;
    prices.add(row.askPriceMantissa, row.priceScale);
    sizes.add(row.askSizeMantissa, row.sizeScale);
  }
  prices.settle();
  sizes.settle();
  return writeQuotes;
}

function writeQuotes(writer: ByteWriter, count: number): void {
  const bids = { start: 0, count };
  const asks = { start: count, count };
  const payload = writer.open(17);
  writer.uintField(1, prices.scale);
  writer.uintField(2, sizes.scale);
  writeDeltas(writer, 3, prices, bids);
  writeValues(writer, 4, sizes, bids);
  writeOffsets(writer, 5, prices, { start: count, count, baseStart: 0 });
  writeValues(writer, 6, sizes, asks);
  writeTexts(writer, 7, prices, bids);
  writeTexts(writer, 8, sizes, bids);
  writeTexts(writer, 9, prices, asks);
  writeTexts(writer, 10, sizes, asks);
  writer.close(payload);
}

/** Takes over times and levels of the rows. */
export function gatherBooks(rows: readonly BookRow[], times: EventTimes): PayloadWriter {
  let levels = 0;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as BookRow;
    levels += row.bids.prices.length + row.asks.prices.length;
  }
  prices.reset(levels);
  sizes.reset(levels);
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as BookRow;
    times.add(row.receivedTimeUs, row.venueTimeUs);
    addLevels(row.bids, row);
    addLevels(row.asks, row);
  }
  prices.settle();
  sizes.settle();
  books = rows;
  return writeBooks;
}

function addLevels(levels: BookRow["bids"], row: BookRow): void {
  const count = levels.prices.length;
  for (let index = 0; index < count; index += 1) {
    prices.add(levels.prices[index] as number, row.priceScale);
    sizes.add(levels.sizes[index] as number, row.sizeScale);
  }
}

function writeBooks(writer: ByteWriter): void {
  const rows = books;
  books = [];
  const all = { start: 0, count: prices.count };
  const payload = writer.open(18);
  writer.uintField(1, prices.scale);
  writer.uintField(2, sizes.scale);
  if (rows.some((row) => row.snapshot)) writeBools(writer, 3, rows, (row) => row.snapshot);
  writeCounts(writer, 4, rows, "bids");
  writeCounts(writer, 5, rows, "asks");
  // Written even where all are 0: a reader takes a byte for each level as the proof that they are
  // there.
  writeDeltas(writer, 6, prices, all, ZeroColumn.Write);
  writeValues(writer, 7, sizes, all);
  writeTexts(writer, 8, prices, all);
  writeTexts(writer, 9, sizes, all);
  writer.close(payload);
}

function writeCounts(
  writer: ByteWriter,
  field: number,
  rows: readonly BookRow[],
  side: "bids" | "asks",
): void {
  if (rows.every((row) => row[side].prices.length === 0)) return;
  const start = writer.open(field);
  for (const row of rows) writer.varint(row[side].prices.length);
  writer.close(start);
}
