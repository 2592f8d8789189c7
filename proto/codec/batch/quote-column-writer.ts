import * as BatchField from "../../gen/batch-field.ts";
import { putVarint, varintLength } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX } from "../wide-integers.ts";
import type { ChainState } from "./chain-state.ts";
import type { PendingQuotes } from "./pending-columns.ts";
import { closeColumn, openColumn } from "./small-codes.ts";
import { NOT_PLAIN, putSmall } from "./small-varint.ts";

/** Zigzag codes of differences below this have 31 bits. */
const SMALL_DIFFERENCE_MAX = 2 ** 29;

/** Room that one large batch has taken beyond this is given up afterwards. */
const RETAINED_QUOTES_MAX = 1_024;

/** The columns of a Batch, in the order of the fields. */
const COLUMNS = [
  BatchField.BidPrices,
  BatchField.BidSizes,
  BatchField.AskPrices,
  BatchField.AskSizes,
];

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
let masks = new Uint8Array(RETAINED_QUOTES_MAX);
/** By field: what it differs by in those quotes that change it. */
let differences = COLUMNS.map(() => new Float64Array(RETAINED_QUOTES_MAX));
/** By field: how many quotes change it. */
const changes = new Uint32Array(COLUMNS.length);

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
  const room = Math.max(count, RETAINED_QUOTES_MAX);
  if (masks.length !== room) {
    masks = new Uint8Array(room);
    differences = COLUMNS.map(() => new Float64Array(room));
  }
  gatherChanges(values as number[], columns);
  let zeros = 0;
  for (let field = 0; field < COLUMNS.length; field += 1) {
    const changed = changes[field] as number;
    if (changed > 0) zeros += count - changed;
  }
  // Saying which quotes change which fields has to take fewer bytes than writing out zeros.
  const every = zeros <= 1 + varintLength(count) + count;
  if (!every) {
    const start = openColumn(writer, BatchField.Changes, 1);
    for (let index = 0; index < count; index += 1) {
      writer.bytes[start + index] = masks[index] as number;
    }
    closeColumn(writer, { start, end: start + count, width: 1 });
  }
  for (let field = 0; field < COLUMNS.length; field += 1) {
    if (!writeField(writer, field, every ? count : 0)) return false;
  }
  return (
    Number.isSafeInteger(columns.bidPrices[count - 1]) &&
    Number.isSafeInteger(columns.bidSizes[count - 1]) &&
    Number.isSafeInteger(columns.askPrices[count - 1]) &&
    Number.isSafeInteger(columns.askSizes[count - 1])
  );
}

/**
 * Sets `masks`, `differences` and `changes`. It decides nothing by a jump, which a processor could
 * not foresee: a difference of 0 is overwritten by the next one.
 */
function gatherChanges(values: readonly number[], columns: PendingQuotes): void {
  const { count, bidPrices, bidSizes, askPrices, askSizes } = columns;
  const [ofBidPrice, ofBidSize, ofAskPrice, ofAskSize] = differences as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let [bidPrice, bidSize, askPrice, askSize] = values as [number, number, number, number];
  let bidPriceChanges = 0;
  let bidSizeChanges = 0;
  let askPriceChanges = 0;
  let askSizeChanges = 0;
  for (let index = 0; index < count; index += 1) {
    const nextBidPrice = bidPrices[index] as number;
    const nextBidSize = bidSizes[index] as number;
    const nextAskPrice = askPrices[index] as number;
    const nextAskSize = askSizes[index] as number;
    const isBidPrice = Number(nextBidPrice !== bidPrice);
    const isBidSize = Number(nextBidSize !== bidSize);
    const isAskPrice = Number(nextAskPrice !== askPrice);
    const isAskSize = Number(nextAskSize !== askSize);
    ofBidPrice[bidPriceChanges] = nextBidPrice - bidPrice;
    ofBidSize[bidSizeChanges] = nextBidSize - bidSize;
    ofAskPrice[askPriceChanges] = nextAskPrice - askPrice;
    ofAskSize[askSizeChanges] = nextAskSize - askSize;
    masks[index] = isBidPrice | (isBidSize << 1) | (isAskPrice << 2) | (isAskSize << 3);
    bidPriceChanges += isBidPrice;
    bidSizeChanges += isBidSize;
    askPriceChanges += isAskPrice;
    askSizeChanges += isAskSize;
    bidPrice = nextBidPrice;
    bidSize = nextBidSize;
    askPrice = nextAskPrice;
    askSize = nextAskSize;
  }
  changes[0] = bidPriceChanges;
  changes[1] = bidSizeChanges;
  changes[2] = askPriceChanges;
  changes[3] = askSizeChanges;
}

/** Writes the changes of a field; zeros between them if `every` is the number of all quotes. */
function writeField(writer: ByteWriter, field: number, every: number): boolean {
  const changed = changes[field] as number;
  if (changed === 0) return true;
  const start = openColumn(writer, COLUMNS[field] as number, 1);
  const { bytes } = writer;
  const ofField = differences[field] as Float64Array;
  let at = start;
  if (every === 0 || every === changed) {
    for (let index = 0; index < changed; index += 1) {
      at = putDifference(bytes, at, ofField[index] as number);
      if (at === NOT_PLAIN) return false;
    }
  } else {
    let next = 0;
    for (let index = 0; index < every; index += 1) {
      const isChange = ((masks[index] as number) >> field) & 1;
      at = putDifference(bytes, at, isChange === 1 ? (ofField[next] as number) : 0);
      if (at === NOT_PLAIN) return false;
      next += isChange;
    }
  }
  closeColumn(writer, { start, end: at, width: 1 });
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
