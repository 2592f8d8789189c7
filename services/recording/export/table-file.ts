import type { Cell } from "./table.ts";

/** A file that a table is written into, row by row. Throws the operating system's errors. */
export type TableFile = {
  add(cells: readonly Cell[]): void;
  /** Writes what waits; the file is complete. */
  finish(): void;
};
