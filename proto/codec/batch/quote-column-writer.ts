import * as BatchField from "../../gen/batch-field.ts";
import { WIRE_BYTES } from "../byte-reader.ts";
import { varintLength } from "../byte-writer.ts";
import type { ChainState } from "./chain-state.ts";
import type { PendingQuotes } from "./pending-columns.ts";
import { closeColumn, lengthBytes, openColumn } from "./small-codes.ts";
import { NOT_PLAIN, putSigned } from "./small-varint.ts";
import type { ColumnBytes } from "./small-varint.ts";

/** Room that one large batch has taken beyond this is given up afterwards. */
const RETAINED_QUOTES_MAX = 1_024;

/** The columns of a Batch, in the order of the fields. */
const COLUMNS = [
  BatchField.BidPrices,
  BatchField.BidSizes,
  BatchField.AskPrices,
  BatchField.AskSizes,
];

const BID_PRICES = (BatchField.BidPrices << 3) | WIRE_BYTES;
const BID_SIZES = (BatchField.BidSizes << 3) | WIRE_BYTES;
const ASK_PRICES = (BatchField.AskPrices << 3) | WIRE_BYTES;
const ASK_SIZES = (BatchField.AskSizes << 3) | WIRE_BYTES;

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
let masks = new Uint8Array(RETAINED_QUOTES_MAX);
/** By field: what it differs by in those quotes that change it. */
let differences = COLUMNS.map(() => new Float64Array(RETAINED_QUOTES_MAX));
/** By field: how many quotes change it. */
const changes = new Uint32Array(COLUMNS.length);

/**
 * Writes the columns of quotes, for which room must be there. Returns the position after them, or
 * NOT_PLAIN if a number is out of the ordinary; what was written then means nothing.
 */
export function putQuoteColumns(
  into: ColumnBytes,
  from: number,
  { values }: ChainState,
  columns: PendingQuotes,
): number {
  const { count, bidPrices, bidSizes, askPrices, askSizes } = columns;
  const last = count - 1;
  const areSafe =
    Number.isSafeInteger(bidPrices[last]) &&
    Number.isSafeInteger(bidSizes[last]) &&
    Number.isSafeInteger(askPrices[last]) &&
    Number.isSafeInteger(askSizes[last]);
  if (!areSafe) return NOT_PLAIN;
  return count === 1
    ? putSingleQuote(into, from, values as number[], columns)
    : putQuotes(into, from, values as number[], columns);
}

/** A column of one entry for each field that changes. */
function putSingleQuote(
  into: ColumnBytes,
  from: number,
  values: readonly number[],
  { bidPrices, bidSizes, askPrices, askSizes }: PendingQuotes,
): number {
  let at = putChange(into, from, BID_PRICES, (bidPrices[0] as number) - (values[0] as number));
  at = putChange(into, at, BID_SIZES, (bidSizes[0] as number) - (values[1] as number));
  at = putChange(into, at, ASK_PRICES, (askPrices[0] as number) - (values[2] as number));
  return putChange(into, at, ASK_SIZES, (askSizes[0] as number) - (values[3] as number));
}

/** A column of one entry, nothing for a difference of 0; NOT_PLAIN if `at` is. */
function putChange(into: ColumnBytes, at: number, tag: number, difference: number): number {
  if (difference === 0 || at === NOT_PLAIN) return at;
  const { bytes } = into;
  bytes[at] = tag;
  const end = putSigned(into, at + 2, difference);
  bytes[at + 1] = end - at - 2;
  return end;
}

function putQuotes(
  into: ColumnBytes,
  from: number,
  values: readonly number[],
  columns: PendingQuotes,
): number {
  const { count } = columns;
  const { bytes } = into;
  const room = Math.max(count, RETAINED_QUOTES_MAX);
  if (masks.length !== room) {
    masks = new Uint8Array(room);
    differences = COLUMNS.map(() => new Float64Array(room));
  }
  gatherChanges(values, columns);
  let zeros = 0;
  for (let field = 0; field < COLUMNS.length; field += 1) {
    const changed = changes[field] as number;
    if (changed > 0) zeros += count - changed;
  }
  // Saying which quotes change which fields has to take fewer bytes than writing out zeros.
  const every = zeros <= 1 + varintLength(count) + count;
  let at = from;
  if (!every) {
    const start = openColumn(bytes, at, BatchField.Changes, 1);
    for (let index = 0; index < count; index += 1) bytes[start + index] = masks[index] as number;
    at = closeColumn(bytes, start, start + count, 1);
  }
  for (let field = 0; field < COLUMNS.length && at !== NOT_PLAIN; field += 1) {
    at = putField(into, at, field, every ? count : 0);
  }
  return at;
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
function putField(into: ColumnBytes, from: number, field: number, every: number): number {
  const changed = changes[field] as number;
  if (changed === 0) return from;
  const { bytes } = into;
  const width = lengthBytes(Math.max(every, changed), 2);
  const start = openColumn(bytes, from, COLUMNS[field] as number, width);
  const ofField = differences[field] as Float64Array;
  let at = start;
  if (every === 0 || every === changed) {
    for (let index = 0; index < changed; index += 1) {
      at = putSigned(into, at, ofField[index] as number);
      if (at === NOT_PLAIN) return NOT_PLAIN;
    }
  } else {
    let next = 0;
    for (let index = 0; index < every; index += 1) {
      const isChange = ((masks[index] as number) >> field) & 1;
      at = putSigned(into, at, isChange === 1 ? (ofField[next] as number) : 0);
      if (at === NOT_PLAIN) return NOT_PLAIN;
      next += isChange;
    }
  }
  return closeColumn(bytes, start, at, width);
}
