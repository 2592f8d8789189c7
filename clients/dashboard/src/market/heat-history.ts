import type { BookLevel } from "@tickwire/client";
import { groupOf } from "./ladder.ts";

/** Prices in one column of the map, from low to high. */
export const HEAT_BUCKETS = 256;

/** Levels of a side that decide what the map spans. */
const LEVELS_MAPPED = 120;

/** What the book showed during one stretch of time, and what was traded in it. */
export type HeatColumn = {
  readonly startMs: number;
  /** The number of the lowest price, in steps of the history. */
  readonly firstStep: number;
  /** Size at each price, the largest that was seen; 0 where nothing stood. */
  readonly sizes: Float32Array;
  readonly bid: number | undefined;
  readonly ask: number | undefined;
  boughtSize: number;
  soldSize: number;
  /** Of the last trade. */
  tradePrice: number | undefined;
};

/** Columns that are looked at for the strongest size, up to twice as many. */
const CEILING_COLUMNS = 60;

type Sides = { readonly bids: readonly BookLevel[]; readonly asks: readonly BookLevel[] };

/**
 * A book over time: for each stretch of time the sizes at 256 prices around the middle. Of more
 * columns than there is room for, the oldest go.
 */
export class HeatHistory {
  readonly columnMs: number;
  readonly columnsMax: number;
  /** Oldest first. */
  readonly columns: HeatColumn[] = [];
  /** Price between two neighbouring rows; undefined before the first book. */
  step: number | undefined;

  constructor(options: { readonly columnMs: number; readonly columnsMax: number }) {
    this.columnMs = options.columnMs;
    this.columnsMax = options.columnsMax;
  }

  /** Takes the book as it is now. True if a new column was begun. */
  addBook(book: Sides, nowMs: number): boolean {
    const bid = book.bids[0]?.price;
    const ask = book.asks[0]?.price;
    const middle = bid !== undefined && ask !== undefined ? (bid + ask) / 2 : (bid ?? ask);
    if (middle === undefined) return false;
    this.step ??= heatStep(reachOf(book, middle));
    const startMs = Math.floor(nowMs / this.columnMs) * this.columnMs;
    const last = this.columns.at(-1);
    // A clock that was corrected by less than a column stays in it.
    const isNew =
      last === undefined || last.startMs < startMs || last.startMs > startMs + this.columnMs;
    const column = isNew ? this.#begin(startMs, middle, bid, ask) : last;
    sumLevels(column, book.bids, this.step, "bid");
    sumLevels(column, book.asks, this.step, "ask");
    return isNew;
  }

  /** Takes a trade into the column of now; before the first book there is none. */
  addTrade(trade: {
    readonly price: number;
    readonly size: number;
    readonly isBuyer: boolean;
  }): void {
    const column = this.columns.at(-1);
    if (column === undefined) return;
    if (trade.isBuyer) column.boughtSize += trade.size;
    else column.soldSize += trade.size;
    column.tradePrice = trade.price;
  }

  #begin(
    startMs: number,
    middle: number,
    bid: number | undefined,
    ask: number | undefined,
  ): HeatColumn {
    const column: HeatColumn = {
      startMs,
      firstStep: Math.round(middle / (this.step ?? 1)) - HEAT_BUCKETS / 2,
      sizes: new Float32Array(HEAT_BUCKETS),
      bid,
      ask,
      boughtSize: 0,
      soldSize: 0,
      tradePrice: undefined,
    };
    this.columns.push(column);
    if (this.columns.length > this.columnsMax) this.columns.shift();
    return column;
  }
}

/** Sums levels that share a row; a row keeps the largest sum of its stretch of time. */
function sumLevels(
  { firstStep, sizes }: HeatColumn,
  levels: readonly BookLevel[],
  step: number,
  side: "bid" | "ask",
): void {
  let row = -1;
  let sum = 0;
  for (const { price, size } of levels) {
    const at = groupOf(price / step, side) - firstStep;
    if (at !== row) {
      if (row >= 0 && row < HEAT_BUCKETS) sizes[row] = Math.max(sizes[row]!, sum);
      row = at;
      sum = 0;
    }
    sum += size;
    // Levels are best first: the first one beyond the map ends it.
    if (at < 0 || at >= HEAT_BUCKETS) return;
  }
  if (row >= 0 && row < HEAT_BUCKETS) sizes[row] = Math.max(sizes[row]!, sum);
}

/** How far from the middle the first levels of both sides reach, at most 1 % of the price. */
function reachOf({ bids, asks }: Sides, middle: number): number {
  const distances = [bids, asks].map((levels) => {
    const last = levels[Math.min(levels.length, LEVELS_MAPPED) - 1];
    return last === undefined ? 0 : Math.abs(last.price - middle);
  });
  return Math.min(Math.max(...distances), Math.abs(middle) * 0.01);
}

/** A round step, 1, 2 or 5 times a power of ten, so that the map spans twice the reach. */
export function heatStep(reach: number): number {
  const wanted = (2 * reach) / HEAT_BUCKETS;
  if (!(wanted > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = [1, 2, 5, 10].find((one) => one * power >= wanted * 0.999) ?? 10;
  return factor * power;
}

/** The size that is drawn at full strength: larger ones are rare. Undefined while all is empty. */
export function heatCeiling(columns: readonly HeatColumn[]): number | undefined {
  const every = Math.max(1, Math.floor(columns.length / CEILING_COLUMNS));
  const sizes = new Float32Array(2 * CEILING_COLUMNS * HEAT_BUCKETS);
  let count = 0;
  for (let index = 0; index < columns.length; index += every) {
    for (const size of columns[index]!.sizes) if (size > 0) sizes[count++] = size;
  }
  return sizes.subarray(0, count).sort()[Math.floor(count * 0.98)];
}
