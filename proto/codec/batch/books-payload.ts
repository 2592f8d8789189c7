import * as BatchField from "../../gen/batch-field.ts";
import { takeNumber, varintEnd } from "../byte-reader.ts";
import type { BookColumns } from "../types.ts";
import { malformed } from "../wire-error.ts";
import { LEVEL_ASK, LEVEL_REMOVED } from "./batch-marks.ts";
import type { ChainState } from "./chain-state.ts";
import { assertCount } from "./field-scan.ts";
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
  const prices = readPrices(scan, state, LEVEL_ASK);
  const sizes = readSizes(scan, prices.length, LEVEL_REMOVED);
  const counts = readLevelCounts(scan, count, prices.length);
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
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const snapshots = new Array<boolean>(count).fill(replaces);
  return { priceScale, sizeScale, snapshots, bidCounts, askCounts, prices, sizes };
}

function readLevelCounts(scan: FieldScan, count: number, levels: number): number[] {
  const entries = scan.entries(BatchField.LevelCounts);
  if (entries === 0) {
    if (count === 1) return [levels];
    assertCount("prices", levels, count);
    // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
    return new Array<number>(count).fill(1);
  }
  assertCount("level_counts", entries, count);
  const { bytes } = scan;
  const counts: number[] = [];
  let at = scan.start(BatchField.LevelCounts);
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const some = takeNumber(bytes, at);
    at = varintEnd;
    total += some;
    // Not so either where the varint was NaN.
    if (!(total <= levels)) break;
    counts.push(some);
  }
  if (total === levels && counts.length === count) return counts;
  throw malformed("level_counts does not fit prices");
}
