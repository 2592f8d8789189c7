import type { OwnedLevelColumns } from "@tickwire/proto/model";

/** Levels of one side of a book in columns, of which the first `count` entries count. */
export type TickLevels = {
  readonly prices: Float64Array;
  readonly sizes: Float64Array;
  readonly count: number;
};

/** What a change says of both sides: size 0 removes a level. */
export type ChangedLevels = { readonly bids: TickLevels; readonly asks: TickLevels };

/** One side of a book, as far as its best levels are concerned. */
export type BestLevels = {
  /**
   * Puts the best `depth` levels, best first, into columns, and returns how many there are. -1 if
   * doubles do not hold the levels.
   */
  readBest(depth: number, prices: Float64Array, sizes: Float64Array): number;
  /** Copies of the best levels, whatever their numbers. */
  levels(depth: number): OwnedLevelColumns;
};

/** Both sides of a book, in the same way. */
export type BestOfSides = { readonly bids: BestLevels; readonly asks: BestLevels };
