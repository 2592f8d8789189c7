import type { BatchRows, CandleRow, RowTimes, StatusRow } from "@tickwire/proto/codec";
import type { ListingRow } from "@tickwire/proto/model";
import type { Run, ViewContent } from "./view-content.ts";

/** Of every kind but books. */
export type RowsKind = Exclude<BatchRows["kind"], "books">;

/** Rows that wait before they are sent ahead of their time. */
export const PENDING_ROWS_MAX = 4_096;
/**
 * Rows of one state, which is as many as a publisher's answer may have. Only a list of instruments
 * comes near it, or a publisher that makes up keys.
 */
export const STATE_ROWS_MAX = 250_000;

type Placed = { readonly row: RowTimes; readonly sequence: number };

/**
 * What a kind of row replaces: rows of one key, the newest of which stands for all. Undefined where
 * every row is news of its own.
 */
const REPLACES: Readonly<Record<RowsKind, ((row: RowTimes) => string) | undefined>> = {
  trades: undefined,
  liquidations: undefined,
  statuses: undefined,
  listings: undefined,
  quotes: () => "",
  tickers: () => "",
  markPrices: () => "",
  fundings: () => "",
  openInterests: () => "",
  // A candle that is closed is replaced by nothing: each has its own beginning.
  candles: (row) => `${(row as CandleRow).intervalMs} ${(row as CandleRow).openTimeUs}`,
};

/** Which rows make the state of a topic: the newest of each key. Undefined where there is none. */
const STATE_OF: Readonly<Record<RowsKind, ((row: RowTimes) => string) | undefined>> = {
  trades: undefined,
  liquidations: undefined,
  statuses: (row) => (row as StatusRow).channel,
  listings: (row) => (row as ListingRow).symbol,
  quotes: () => "",
  tickers: () => "",
  markPrices: () => "",
  fundings: () => "",
  openInterests: () => "",
  candles: (row) => String((row as CandleRow).intervalMs),
};

/**
 * The newest row of each part of a state. Beyond STATE_ROWS_MAX the part that has been there
 * longest is forgotten: who joins later does not see it until it changes.
 */
export class LatestRows {
  readonly #kind: RowsKind;
  readonly #onForgotten: () => void;
  readonly #rows = new Map<string, RowTimes>();

  /** `onForgotten` is called for each part that is forgotten at the limit. */
  constructor(kind: RowsKind, onForgotten: () => void = () => undefined) {
    this.#kind = kind;
    this.#onForgotten = onForgotten;
  }

  set(row: RowTimes): void {
    const key = STATE_OF[this.#kind]?.(row);
    if (key === undefined) return;
    if (this.#kind === "listings") this.#list(key, row as ListingRow);
    else this.#rows.set(key, row);
    if (this.#rows.size > STATE_ROWS_MAX) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const key of this.#rows.keys()) {
      this.#rows.delete(key);
      this.#onForgotten();
      return;
    }
  }

  /** What is in the list, and nothing of how it came there. */
  #list(key: string, row: ListingRow): void {
    if (row.change === "removed") this.#rows.delete(key);
    else if (row.change === "added") this.#rows.set(key, row);
    else {
      const listed: ListingRow = { ...row, change: "added" };
      this.#rows.set(key, listed);
    }
  }

  all(): readonly RowTimes[] {
    return [...this.#rows.values()];
  }

  clear(): void {
    this.#rows.clear();
  }
}

/** The rows of a view of anything but a book: the newest that are still worth something, or all. */
export class RowContent implements ViewContent {
  readonly #kind: RowsKind;
  readonly #keyOf: ((row: RowTimes) => string) | undefined;
  readonly #told: LatestRows;
  /** By key, in the order of their sequences. */
  readonly #newest = new Map<string, Placed>();
  /** Where each row counts. */
  #all: Placed[] = [];

  constructor(kind: RowsKind) {
    this.#kind = kind;
    this.#keyOf = REPLACES[kind];
    this.#told = new LatestRows(kind);
  }

  get isFull(): boolean {
    return this.#all.length >= PENDING_ROWS_MAX || this.#newest.size >= PENDING_ROWS_MAX;
  }

  before(): void {}

  add(row: RowTimes, sequence: number): void {
    if (this.#keyOf === undefined) {
      this.#all.push({ row, sequence });
      return;
    }
    const key = this.#keyOf(row);
    this.#newest.delete(key);
    this.#newest.set(key, { row, sequence });
  }

  take(): readonly Run[] {
    const placed = this.#keyOf === undefined ? this.#all : [...this.#newest.values()];
    this.#all = [];
    this.#newest.clear();
    for (const { row } of placed) this.#told.set(row);
    return runsOf(this.#kind, placed);
  }

  state(): BatchRows | undefined {
    return STATE_OF[this.#kind] === undefined
      ? undefined
      : rowsOfKind(this.#kind, this.#told.all());
  }

  replace(rows: readonly RowTimes[]): void {
    this.#all = [];
    this.#newest.clear();
    for (const row of rows) this.#told.set(row);
  }

  clear(): void {
    this.#all = [];
    this.#newest.clear();
    this.#told.clear();
  }
}

/** Rows of one kind, tagged by it. */
function rowsOfKind(kind: BatchRows["kind"], rows: readonly RowTimes[]): BatchRows {
  return { kind, rows } as unknown as BatchRows;
}

/** Rows whose sequences follow one another share a batch; between two runs events are left out. */
function runsOf(kind: RowsKind, placed: readonly Placed[]): Run[] {
  const runs: Run[] = [];
  let rows: RowTimes[] = [];
  for (const [index, { row, sequence }] of placed.entries()) {
    rows.push(row);
    if (placed[index + 1]?.sequence === sequence + 1) continue;
    runs.push({ rows: rowsOfKind(kind, rows), lastSequence: sequence });
    rows = [];
  }
  return runs;
}
