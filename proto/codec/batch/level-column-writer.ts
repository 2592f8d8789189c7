import * as BatchField from "../../gen/batch-field.ts";
import { putVarint } from "../byte-writer.ts";
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
import type { ColumnByteWriter } from "./column-bytes.ts";
import { NOT_PLAIN, putEntry } from "./small-varint.ts";

/**
 * Writes the columns of changes of a book, for which room must be there. False if a number is out
 * of the ordinary; what was written then means nothing.
 */
export function writeLevelColumns(
  writer: ColumnByteWriter,
  state: ChainState,
  columns: PendingBooks,
): boolean {
  const { count, bidCounts, askCounts } = columns;
  const width = lengthBytes(columns.levelCount, 1.5);
  const start = openColumn(writer, BatchField.Prices, width);
  let at = start;
  let level = 0;
  let bid = state.price as number;
  let ask = state.askPrice as number;
  for (let index = 0; index < count; index += 1) {
    const asksStart = level + (bidCounts[index] as number);
    at = putSide(writer, at, columns, { from: level, to: asksStart, previous: bid, flags: 0 });
    if (at === NOT_PLAIN) return false;
    if (asksStart > level) bid = columns.prices[asksStart - 1] as number;
    level = asksStart + (askCounts[index] as number);
    const asks = { from: asksStart, to: level, previous: ask, flags: LEVEL_ASK };
    at = putSide(writer, at, columns, asks);
    if (at === NOT_PLAIN) return false;
    if (level > asksStart) ask = columns.prices[level - 1] as number;
  }
  if (!Number.isSafeInteger(bid) || !Number.isSafeInteger(ask)) return false;
  closeColumn(writer, { start, end: at, width });
  return writeLevelSizes(writer, columns);
}

/** The prices of one side of one event. */
function putSide(
  writer: ColumnByteWriter,
  start: number,
  { prices, sizes }: PendingBooks,
  side: {
    readonly from: number;
    readonly to: number;
    readonly previous: number;
    readonly flags: number;
  },
): number {
  const { from, to, flags: sideFlags } = side;
  let { previous } = side;
  let at = start;
  for (let level = from; level < to; level += 1) {
    const price = prices[level] as number;
    const flags = sideFlags | (Number(sizes[level] === 0) * LEVEL_REMOVED);
    const code = smallCode(price - previous);
    at =
      code === NOT_PLAIN
        ? putLargeCode(writer.bytes, at, price - previous, flags)
        : putEntry(writer, at, code | flags);
    if (at === NOT_PLAIN) return NOT_PLAIN;
    previous = price;
  }
  return at;
}

function writeLevelSizes(writer: ColumnByteWriter, columns: PendingBooks): boolean {
  const { count, levelCount, sizes, bidCounts, askCounts } = columns;
  const { bytes } = writer;
  const before = writer.position;
  const width = lengthBytes(levelCount, 3);
  const start = openColumn(writer, BatchField.Sizes, width);
  let at = start;
  for (let level = 0; level < levelCount; level += 1) {
    const size = sizes[level] as number;
    const end = putSize(writer, at, size);
    if (end === NOT_PLAIN) return false;
    // What is written of a removed level is overwritten by the next one.
    at += (end - at) * Number(size !== 0);
  }
  if (at === start) writer.position = before;
  else closeColumn(writer, { start, end: at, width });
  let single = count === 1;
  if (!single && levelCount === count) {
    single = true;
    for (let index = 0; index < count; index += 1) {
      if ((bidCounts[index] as number) + (askCounts[index] as number) !== 1) single = false;
    }
  }
  if (single) return true;
  const countsStart = openColumn(writer, BatchField.LevelCounts, 1);
  at = countsStart;
  for (let index = 0; index < count; index += 1) {
    at = putVarint(bytes, at, (bidCounts[index] as number) + (askCounts[index] as number));
  }
  closeColumn(writer, { start: countsStart, end: at, width: 1 });
  return true;
}
