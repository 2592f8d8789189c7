import * as BatchField from "../../gen/batch-field.ts";
import { LEVEL_ASK, LEVEL_REMOVED } from "./batch-marks.ts";
import type { ChainState } from "./chain-state.ts";
import type { PendingBooks } from "./pending-columns.ts";
import {
  closeColumn,
  lengthBytes,
  openColumn,
  putLargeCode,
  putSize,
  smallCode,
} from "./small-codes.ts";
import { NOT_PLAIN, putEntry, putSmall } from "./small-varint.ts";
import type { ColumnBytes } from "./small-varint.ts";

/**
 * Writes the columns of changes of a book, for which room must be there. Returns the position after
 * them, or NOT_PLAIN if a number is out of the ordinary; what was written then means nothing.
 */
export function putLevelColumns(
  into: ColumnBytes,
  from: number,
  state: ChainState,
  columns: PendingBooks,
): number {
  const { bytes } = into;
  const width = lengthBytes(columns.levelCount, 1.5);
  const start = openColumn(bytes, from, BatchField.Prices, width);
  let at = putLevelPrices(into, start, state, columns);
  if (at === NOT_PLAIN) return NOT_PLAIN;
  at = putLevelSizes(into, closeColumn(bytes, start, at, width), columns);
  return at === NOT_PLAIN || isSingleLevels(columns) ? at : putLevelCounts(bytes, at, columns);
}

function putLevelPrices(
  into: ColumnBytes,
  start: number,
  state: ChainState,
  { count, bidCounts, askCounts, prices, sizes }: PendingBooks,
): number {
  let at = start;
  let level = 0;
  let bid = state.price as number;
  let ask = state.askPrice as number;
  for (let index = 0; index < count; index += 1) {
    const asksStart = level + (bidCounts[index] as number);
    const asksEnd = asksStart + (askCounts[index] as number);
    for (; level < asksStart; level += 1) {
      const price = prices[level] as number;
      const flags = Number(sizes[level] === 0) * LEVEL_REMOVED;
      const code = smallCode(price - bid);
      at =
        code === NOT_PLAIN
          ? putLargeCode(into.bytes, at, price - bid, flags)
          : putEntry(into, at, code | flags);
      if (at === NOT_PLAIN) return NOT_PLAIN;
      bid = price;
    }
    for (; level < asksEnd; level += 1) {
      const price = prices[level] as number;
      const flags = LEVEL_ASK | (Number(sizes[level] === 0) * LEVEL_REMOVED);
      const code = smallCode(price - ask);
      at =
        code === NOT_PLAIN
          ? putLargeCode(into.bytes, at, price - ask, flags)
          : putEntry(into, at, code | flags);
      if (at === NOT_PLAIN) return NOT_PLAIN;
      ask = price;
    }
  }
  return Number.isSafeInteger(bid) && Number.isSafeInteger(ask) ? at : NOT_PLAIN;
}

function putLevelSizes(
  into: ColumnBytes,
  from: number,
  { levelCount, sizes }: PendingBooks,
): number {
  const width = lengthBytes(levelCount, 3);
  const start = openColumn(into.bytes, from, BatchField.Sizes, width);
  let at = start;
  for (let level = 0; level < levelCount; level += 1) {
    const size = sizes[level] as number;
    const end = putSize(into, at, size);
    if (end === NOT_PLAIN) return NOT_PLAIN;
    // What is written of a removed level is overwritten by the next one.
    at += (end - at) * Number(size !== 0);
  }
  return at === start ? from : closeColumn(into.bytes, start, at, width);
}

/** True if it goes without saying how many levels each event has. */
function isSingleLevels({ count, levelCount, bidCounts, askCounts }: PendingBooks): boolean {
  if (count === 1) return true;
  if (levelCount !== count) return false;
  for (let index = 0; index < count; index += 1) {
    if ((bidCounts[index] as number) + (askCounts[index] as number) !== 1) return false;
  }
  return true;
}

function putLevelCounts(
  bytes: Uint8Array,
  from: number,
  { count, bidCounts, askCounts }: PendingBooks,
): number {
  const width = lengthBytes(count, 1);
  const start = openColumn(bytes, from, BatchField.LevelCounts, width);
  let at = start;
  for (let index = 0; index < count; index += 1) {
    at = putSmall(bytes, at, (bidCounts[index] as number) + (askCounts[index] as number));
  }
  return closeColumn(bytes, start, at, width);
}
