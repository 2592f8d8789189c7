import type { Mantissa } from "../model/decimal.ts";
import { readText } from "./byte-reader.ts";
import {
  readBools,
  readEnums,
  readOffsets,
  readSums,
  readUint32,
  readUnsigned,
} from "./column-reader.ts";
import { applyTexts } from "./decimal-texts.ts";
import { SCALE_MAX } from "./limits.ts";
import { MessageScan, assertCount, shapesOf } from "./message-scan.ts";
import type { FieldShape } from "./message-scan.ts";
import type { BookColumns, QuoteColumns, TradeColumns } from "./types.ts";
import { SIDE_NAMES } from "./wire-names.ts";
import { WireError } from "./wire-error.ts";

const TRADE_SHAPES = shapesOf({ varint: [1, 2], varints: [3, 4, 5, 6, 8], bytes: [7, 9, 10] });

/** `ranges` are the pieces of the TradeBatch. */
export function readTrades(
  bytes: Uint8Array,
  ranges: readonly number[],
  count: number,
): TradeColumns {
  const scan = scanPieces(bytes, ranges, TRADE_SHAPES);
  const prices = readSums(scan.packed(3), count);
  const sizes = readUnsigned(scan.packed(4), count);
  return {
    priceScale: applyTexts(bytes, scaleOf(scan, 1), [{ values: prices, texts: scan.ranges(9) }]),
    sizeScale: applyTexts(bytes, scaleOf(scan, 2), [{ values: sizes, texts: scan.ranges(10) }]),
    prices,
    sizes,
    aggressorSides: readEnums(scan.packed(5), count, SIDE_NAMES),
    tradeIds: readTradeIds(bytes, scan, count),
    historical: readBools(scan.packed(8), count),
  };
}

function readTradeIds(bytes: Uint8Array, scan: MessageScan, count: number): (Mantissa | string)[] {
  const integers = scan.packed(6);
  if (integers !== undefined) return readSums(integers, count);
  const ranges = scan.ranges(7);
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  if (ranges.length === 0) return new Array<string>(count).fill("");
  assertCount("trade_ids", ranges.length / 2, count);
  const ids: string[] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    ids.push(readText(bytes, ranges[index] as number, ranges[index + 1] as number));
  }
  return ids;
}

const QUOTE_SHAPES = shapesOf({ varint: [1, 2], varints: [3, 4, 5, 6], bytes: [7, 8, 9, 10] });

/** `ranges` are the pieces of the QuoteBatch. */
export function readQuotes(
  bytes: Uint8Array,
  ranges: readonly number[],
  count: number,
): QuoteColumns {
  const scan = scanPieces(bytes, ranges, QUOTE_SHAPES);
  const bidPrices = readSums(scan.packed(3), count);
  const bidSizes = readUnsigned(scan.packed(4), count);
  const askPrices = readOffsets(scan.packed(5), bidPrices);
  const askSizes = readUnsigned(scan.packed(6), count);
  const priceScale = applyTexts(bytes, scaleOf(scan, 1), [
    { values: bidPrices, texts: scan.ranges(7) },
    { values: askPrices, texts: scan.ranges(9) },
  ]);
  const sizeScale = applyTexts(bytes, scaleOf(scan, 2), [
    { values: bidSizes, texts: scan.ranges(8) },
    { values: askSizes, texts: scan.ranges(10) },
  ]);
  return { priceScale, sizeScale, bidPrices, bidSizes, askPrices, askSizes };
}

const BOOK_SHAPES = shapesOf({ varint: [1, 2], varints: [3, 4, 5, 6, 7], bytes: [8, 9] });

/** `ranges` are the pieces of the BookBatch. */
export function readBooks(
  bytes: Uint8Array,
  ranges: readonly number[],
  count: number,
): BookColumns {
  const scan = scanPieces(bytes, ranges, BOOK_SHAPES);
  const bidCounts = readUint32(scan.packed(4), count);
  const askCounts = readUint32(scan.packed(5), count);
  const levels = levelCount(bidCounts, askCounts);
  // Each level has at least its byte in this column, so that what counts claim is also there.
  const priceColumn = scan.packed(6);
  if (levels > (priceColumn === undefined ? 0 : priceColumn.end - priceColumn.start)) {
    throw new WireError("malformed", `${levels} levels are more than there are prices`);
  }
  const prices = readSums(priceColumn, levels);
  const sizes = readUnsigned(scan.packed(7), levels);
  return {
    priceScale: applyTexts(bytes, scaleOf(scan, 1), [{ values: prices, texts: scan.ranges(8) }]),
    sizeScale: applyTexts(bytes, scaleOf(scan, 2), [{ values: sizes, texts: scan.ranges(9) }]),
    snapshots: readBools(scan.packed(3), count),
    bidCounts,
    askCounts,
    prices,
    sizes,
  };
}

function levelCount(bidCounts: readonly number[], askCounts: readonly number[]): number {
  let levels = 0;
  for (let index = 0; index < bidCounts.length; index += 1) {
    levels += (bidCounts[index] as number) + (askCounts[index] as number);
  }
  return levels;
}

function scanPieces(
  bytes: Uint8Array,
  ranges: readonly number[],
  shapes: readonly FieldShape[],
): MessageScan {
  const scan = new MessageScan(bytes, shapes);
  for (let index = 0; index < ranges.length; index += 2) {
    scan.scan(ranges[index] as number, ranges[index + 1] as number);
  }
  return scan;
}

function scaleOf(scan: MessageScan, field: number): number {
  const scale = scan.uint32(field);
  if (scale <= SCALE_MAX) return scale;
  throw new WireError("malformed", `scale ${scale} exceeds ${SCALE_MAX}`);
}
