import * as BatchField from "../../gen/batch-field.ts";
import { putVarint, varintLength } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX } from "../wide-integers.ts";
import type { ChainState } from "./chain-state.ts";
import type { PendingQuotes } from "./pending-columns.ts";
import { NOT_PLAIN, putSmall } from "./small-varint.ts";

/** Zigzag codes of differences below this have 31 bits. */
const SMALL_DIFFERENCE_MAX = 2 ** 29;

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
let masks = new Uint8Array(256);
/** Quotes that change each field. */
const changes = new Uint32Array(4);

/**
 * Writes the columns of quotes, for which room must be there. False if a number is out of the
 * ordinary; what was written then means nothing.
 */
export function writeQuoteColumns(
  writer: ByteWriter,
  { values }: ChainState,
  columns: PendingQuotes,
): boolean {
  const { count } = columns;
  markChanges(values as number[], columns);
  let zeros = 0;
  for (let field = 0; field < 4; field += 1) {
    if ((changes[field] as number) > 0) zeros += count - (changes[field] as number);
  }
  // Saying which quotes change which fields has to take fewer bytes than writing out zeros.
  const every = zeros <= 1 + varintLength(count) + count;
  if (!every) {
    const start = writer.open(BatchField.Changes);
    writer.bytes.set(masks.subarray(0, count), start);
    writer.position = start + count;
    writer.close(start);
  }
  return (
    writeField(writer, columns.bidPrices, values[0] as number, {
      field: 0,
      column: BatchField.BidPrices,
      count,
      every,
    }) &&
    writeField(writer, columns.bidSizes, values[1] as number, {
      field: 1,
      column: BatchField.BidSizes,
      count,
      every,
    }) &&
    writeField(writer, columns.askPrices, values[2] as number, {
      field: 2,
      column: BatchField.AskPrices,
      count,
      every,
    }) &&
    writeField(writer, columns.askSizes, values[3] as number, {
      field: 3,
      column: BatchField.AskSizes,
      count,
      every,
    })
  );
}

/** Sets `masks` and `changes`. */
function markChanges(values: readonly number[], columns: PendingQuotes): void {
  const { count, bidPrices, bidSizes, askPrices, askSizes } = columns;
  if (count > masks.length) masks = new Uint8Array(count);
  let [bidPrice, bidSize, askPrice, askSize] = values as [number, number, number, number];
  let bidPriceChanges = 0;
  let bidSizeChanges = 0;
  let askPriceChanges = 0;
  let askSizeChanges = 0;
  for (let index = 0; index < count; index += 1) {
    const isBidPrice = bidPrices[index] === bidPrice ? 0 : 1;
    const isBidSize = bidSizes[index] === bidSize ? 0 : 1;
    const isAskPrice = askPrices[index] === askPrice ? 0 : 1;
    const isAskSize = askSizes[index] === askSize ? 0 : 1;
    masks[index] = isBidPrice | (isBidSize << 1) | (isAskPrice << 2) | (isAskSize << 3);
    bidPriceChanges += isBidPrice;
    bidSizeChanges += isBidSize;
    askPriceChanges += isAskPrice;
    askSizeChanges += isAskSize;
    bidPrice = bidPrices[index] as number;
    bidSize = bidSizes[index] as number;
    askPrice = askPrices[index] as number;
    askSize = askSizes[index] as number;
  }
  changes[0] = bidPriceChanges;
  changes[1] = bidSizeChanges;
  changes[2] = askPriceChanges;
  changes[3] = askSizeChanges;
}

function writeField(
  writer: ByteWriter,
  column: Float64Array,
  before: number,
  place: { field: number; column: number; count: number; every: boolean },
): boolean {
  const { field, count, every } = place;
  if (changes[field] === 0) return true;
  const start = writer.open(place.column);
  const { bytes } = writer;
  let at = start;
  let previous = before;
  for (let index = 0; index < count; index += 1) {
    const value = column[index] as number;
    if (value === previous) {
      if (!every) continue;
      bytes[at] = 0;
      at += 1;
      continue;
    }
    const difference = value - previous;
    at = putDifference(bytes, at, difference);
    if (at === NOT_PLAIN) return false;
    previous = value;
  }
  if (!Number.isSafeInteger(previous)) return false;
  writer.position = at;
  writer.close(start);
  return true;
}

/** Returns the position after the difference's zigzag code, or NOT_PLAIN. */
function putDifference(bytes: Uint8Array, at: number, difference: number): number {
  const small = difference | 0;
  const isSmall = small < SMALL_DIFFERENCE_MAX && small > -SMALL_DIFFERENCE_MAX;
  if (small === difference && isSmall) {
    return putSmall(bytes, at, (small << 1) ^ (small >> 31));
  }
  const isFast = difference <= FAST_MAGNITUDE_MAX && difference >= -FAST_MAGNITUDE_MAX;
  if (!isFast || !Number.isInteger(difference)) return NOT_PLAIN;
  return putVarint(bytes, at, difference < 0 ? -2 * difference - 1 : 2 * difference);
}
