/** A line of a table; `ratio` is the median of the rounds' ratios to a reference. */
export type Row = {
  readonly measure: string;
  readonly candidate: string;
  readonly unit: string;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly ratio?: number;
  readonly ratioMin?: number;
  readonly ratioMax?: number;
};

export type Result = { readonly machine: { readonly cpu: string }; readonly rows: readonly Row[] };

/** What differs between two results by more than their noise, a sentence each. */
export declare function movedRows(
  before: Result,
  now: Result,
  options?: { readonly isPart?: boolean },
): string[];
