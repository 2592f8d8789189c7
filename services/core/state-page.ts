/** What an operator asks a list of a process's state for. */
export type StateQuery = {
  /** Rows at most. */
  readonly limit: number;
  /** Where the page before ended; empty for the first one. */
  readonly after: string;
  /** What else the list takes, of those that were given. */
  readonly parameters: ReadonlyMap<string, string>;
};

/** One page of a list. */
export type StateRows = {
  readonly rows: readonly object[];
  /** For `after`; empty if this is the last page. */
  readonly next: string;
};

/** A list of a process's state, which is read page by page. Nothing in it is a secret. */
export type StatePage = {
  /** What it takes besides `limit` and `after`: the values that there are, or any. */
  readonly parameters: ReadonlyMap<string, readonly string[] | "any">;
  /** The parameter without which nothing is answered, if there is one. */
  readonly needed?: string;
  /** Takes as many turns of the event loop as it needs. Rejects only if we have a bug. */
  answer(query: StateQuery): Promise<StateRows>;
};

/** What a service shows of itself to operators. */
export type ServiceState = {
  readonly name: string;
  /** Totals, of a size that does not grow with clients or topics. */
  summary(): Promise<object>;
  readonly pages: ReadonlyMap<string, StatePage>;
};

/** Keeps the items with the largest sizes, in that order, while any number goes by. */
export class LargestItems<Item> {
  readonly #limit: number;
  readonly #kept: { readonly item: Item; readonly size: number }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(item: Item, size: number): void {
    const kept = this.#kept;
    if (kept.length >= this.#limit && size <= (kept.at(-1)?.size ?? 0)) return;
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      // Of equal ones the first that came stays ahead.
      if ((kept[middle]?.size ?? 0) >= size) low = middle + 1;
      else high = middle;
    }
    kept.splice(low, 0, { item, size });
    if (kept.length > this.#limit) kept.pop();
  }

  /** The largest first. */
  get items(): Item[] {
    return this.#kept.map(({ item }) => item);
  }
}
