import * as BatchField from "../../gen/batch-field.ts";
import { takeNumber, varintEnd } from "../byte-reader.ts";
import type { BookColumns } from "../types.ts";
import { malformed } from "../wire-error.ts";
import { LEVEL_ASK, LEVEL_REMOVED } from "./batch-marks.ts";
import type { ChainState } from "./chain-state.ts";
import { misfit } from "./field-scan.ts";
import type { FieldScan } from "./field-scan.ts";
import type { Payload } from "./payload.ts";
import { applyPriceTexts, flags, readPrices, readSizes } from "./price-reader.ts";

/** The channel of books. */
export const BOOKS_PAYLOAD: Payload = {
  channel: 3,
  kind: "books",
  fields: [],
  readColumns: readBooks,
};

function readBooks(scan: FieldScan, state: ChainState, count: number): BookColumns {
  const counts = readLevelCounts(scan, count);
  const prices = readPrices(scan, state, levelsOf(counts), LEVEL_ASK);
  const sizes = readSizes(scan, prices.length, LEVEL_REMOVED);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const bidCounts = new Array<number>(count);
  // oxlint-disable-next-line unicorn/no-new-array -- the same
  const askCounts = new Array<number>(count);
  let level = 0;
  for (let index = 0; index < count; index += 1) {
    const levels = counts[index] as number;
    const end = level + levels;
    let bids = 0;
    while (level < end && ((flags[level] as number) & LEVEL_ASK) === 0) {
      bids += 1;
      level += 1;
    }
    for (; level < end; level += 1) {
      if (((flags[level] as number) & LEVEL_ASK) !== 0) continue;
      throw malformed("a bid stands behind an ask of its event");
    }
    bidCounts[index] = bids;
    askCounts[index] = levels - bids;
  }
  const replaces = scan.bool(BatchField.Replaces);
  const [priceScale, sizeScale] = applyPriceTexts(scan, state, prices, sizes);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes; `fill` is a slow call
  const snapshots = new Array<boolean>(count);
  for (let index = 0; index < count; index += 1) snapshots[index] = replaces;
  return { priceScale, sizeScale, snapshots, bidCounts, askCounts, prices, sizes };
}

function levelsOf(counts: readonly number[]): number {
  let levels = 0;
  for (let index = 0; index < counts.length; index += 1) levels += counts[index] as number;
  return levels;
}

/** How many levels each event has: of all no more than `prices` has bytes. */
function readLevelCounts(scan: FieldScan, count: number): number[] {
  const end = scan.columnEnd(BatchField.LevelCounts);
  let at = scan.start(BatchField.LevelCounts);
  if (at < 0 && count === 1) return [scan.entries(BatchField.Prices)];
  const levelsMax = scan.columnEnd(BatchField.Prices) - scan.start(BatchField.Prices);
  const { bytes } = scan;
  const counts: number[] = [];
  let levels = 0;
  const isSaid = at >= 0;
  for (let index = 0; index < count; index += 1) {
    if (isSaid && at >= end) throw misfit(BatchField.LevelCounts);
    const some = isSaid ? takeNumber(bytes, at) : 1;
    if (isSaid) at = varintEnd;
    levels += some;
    // Not so either where the varint was NaN.
    if (!(levels <= levelsMax)) throw misfit(BatchField.LevelCounts);
    counts.push(some);
  }
  if (at !== end) throw misfit(BatchField.LevelCounts);
  return counts;
}
