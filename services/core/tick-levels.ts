/** Levels of one side of a book in columns, of which the first `count` entries count. */
export type TickLevels = {
  readonly prices: Float64Array;
  readonly sizes: Float64Array;
  readonly count: number;
};

/** What a change says of both sides: size 0 removes a level. */
export type ChangedLevels = { readonly bids: TickLevels; readonly asks: TickLevels };
