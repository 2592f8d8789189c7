import { assert } from "#core/assert.ts";
import type { Instrument } from "#core/instrument.ts";
import type { BookSync, RawBook } from "../feed-adapter.ts";
import type { FeedData } from "../feed-sink.ts";

type RolloverOptions = {
  readonly snapshotOf: (instrument: Instrument) => BookSync["snapshot"];
  /** Instruments whose book is on the connection. */
  readonly books: readonly Instrument[];
  readonly deltasMax: number;
};

/**
 * Decides which events of two overlapping connections go on, while the new connection takes over
 * from the old one.
 * - Trades of both go on if they have an id, because the pipeline recognises duplicates by it.
 * - A book whose snapshot comes in the stream moves to the new connection with that snapshot.
 * - A numbered book stays with the old connection. The deltas of the new one are kept, and those
 *   that follow the last delta of the old one go on when the new one takes over. If they do not
 *   fit, the book's own sequence check notices, and the book is started anew.
 * - Everything else comes from the old connection until the new one takes over.
 */
export class Rollover {
  readonly #options: RolloverOptions;
  readonly #moved = new Set<Instrument>();
  readonly #kept = new Map<Instrument, RawBook[]>();
  readonly #lastUpdateIds = new Map<Instrument, number>();
  #sawData = false;

  constructor(options: RolloverOptions) {
    this.#options = options;
  }

  /** Whether an event of the old connection goes on. */
  acceptOld(event: FeedData): boolean {
    if (event.kind !== "raw-book") return true;
    // A snapshot may be older than the deltas that are applied already.
    if (!event.snapshot && event.lastUpdateId !== undefined) {
      this.#lastUpdateIds.set(event.instrument, event.lastUpdateId);
    }
    return !this.#moved.has(event.instrument);
  }

  /** Whether an event of the new connection goes on, before it takes over. */
  acceptNew(event: FeedData): boolean {
    this.#sawData = true;
    if (event.kind === "trade") return event.tradeId !== "";
    if (event.kind !== "raw-book") return false;
    if (this.#moved.has(event.instrument)) return true;
    if (this.#options.snapshotOf(event.instrument) === "in-band") {
      if (event.snapshot) this.#moved.add(event.instrument);
      return event.snapshot;
    }
    this.#keep(event);
    return false;
  }

  /** Whether the new connection can take over without losing anything. */
  isReady(): boolean {
    const { books, snapshotOf } = this.#options;
    return (
      this.#sawData &&
      books.every((book) => snapshotOf(book) !== "in-band" || this.#moved.has(book))
    );
  }

  /** The new connection takes over: forwards what it delivered beyond the old one. */
  takeOver(forward: (event: RawBook) => void): void {
    for (const [instrument, deltas] of this.#kept) {
      const last = this.#lastUpdateIds.get(instrument);
      for (const delta of deltas) {
        const isOld =
          last !== undefined && delta.lastUpdateId !== undefined && delta.lastUpdateId <= last;
        if (!isOld) forward(delta);
      }
    }
    this.#kept.clear();
  }

  /**
   * Whether an event of the new connection goes on after it took over. It may lag behind the old
   * one, and then repeats what that has delivered already.
   */
  acceptAfter(event: FeedData): boolean {
    if (event.kind !== "raw-book" || event.snapshot || event.lastUpdateId === undefined)
      return true;
    const last = this.#lastUpdateIds.get(event.instrument);
    if (last === undefined) return true;
    if (event.lastUpdateId <= last) return false;
    this.#lastUpdateIds.delete(event.instrument);
    return true;
  }

  #keep(event: RawBook): void {
    let deltas = this.#kept.get(event.instrument);
    if (deltas === undefined) {
      deltas = [];
      this.#kept.set(event.instrument, deltas);
    }
    deltas.push(event);
    if (deltas.length > this.#options.deltasMax) deltas.shift();
    assert(deltas.length <= this.#options.deltasMax, "no more deltas are kept than deltasMax");
  }
}
