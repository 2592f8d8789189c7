import type { BatchRows, BookRow, RowTimes } from "@tickwire/proto/codec";

/** Rows that follow one another in the topic, the last of them at `lastSequence`. */
export type Run = { readonly rows: BatchRows; readonly lastSequence: number };

/**
 * What a view keeps between two of its batches: which news it owes, and what its subscribers have.
 */
export type ViewContent = {
  /** So much waits that it is to be sent now. */
  readonly isFull: boolean;
  /** A row of a book is about to be applied. */
  before(row: BookRow): void;
  /** A row was applied: it is the event of this sequence. */
  add(row: RowTimes, sequence: number): void;
  /** What the subscribers have to be told, in order. It counts as told afterwards. */
  take(): readonly Run[];
  /** What the subscribers have, as rows of a state; undefined if the channel has no state. */
  state(): BatchRows | undefined;
  /** A state came, which replaces what was known: the rows that it has are told already. */
  replace(rows: readonly RowTimes[]): void;
  /** Nothing is known any more: another epoch begins, or the book was lost. */
  clear(): void;
};
