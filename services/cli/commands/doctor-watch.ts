import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BookRow, StatusRow } from "@tickwire/proto/codec";
import { compareMantissa, formatDecimal, OrderBook } from "@tickwire/proto/model";
import type { Bus } from "#bus/bus.ts";
import { parseEventSubject } from "#bus/subject.ts";
import type { Channel } from "#core/instrument.ts";

/** How many latencies are kept for the median; later ones are ignored. */
const LATENCIES_MAX = 10_000;

/** The history of one book, as a consumer sees it. */
export type WatchedBook = {
  readonly symbol: string;
  state: string;
  reason: string;
  events: number;
  /** Microseconds since 1970 when it was first in sync. */
  liveSinceUs: number | undefined;
};

/**
 * Follows a venue as a consumer does, using published events only: rebuilds the books and notes
 * their states.
 */
export class DoctorWatch {
  readonly events: Partial<Record<Channel, number>> = {};
  readonly #books = new Map<string, WatchedBook & { readonly book: OrderBook }>();
  readonly #latenciesUs: number[] = [];
  /** How many events did not have the next sequence. */
  missing = 0;
  readonly #sequences = new Map<string, number>();

  constructor(bus: Bus) {
    bus.subscribe("md.v2.>", ({ subject, payload }) => this.#onMessage(subject, payload));
  }

  get books(): readonly WatchedBook[] {
    return [...this.#books.values()];
  }

  /** True for a book that is in sync now, or that the venue refused. */
  isSettled(symbol: string): boolean {
    const book = this.#books.get(symbol);
    return book?.state === "live" || book?.reason === "refused";
  }

  /** From the venue's clock to ours, the median; undefined where the venue tells no times. */
  get latencyMedianUs(): number | undefined {
    return this.#latenciesUs.toSorted((a, b) => a - b)[this.#latenciesUs.length >> 1];
  }

  /** Best bid and offer as text; undefined if a side is empty. */
  bestOf(symbol: string): { readonly text: string; readonly crossed: boolean } | undefined {
    const book = this.#books.get(symbol)?.book;
    const bid = book?.bids().prices[0];
    const ask = book?.asks().prices[0];
    if (book === undefined || bid === undefined || ask === undefined) return undefined;
    const text = `${formatDecimal(bid, book.priceScale)} / ${formatDecimal(ask, book.priceScale)}`;
    return { text, crossed: compareMantissa(bid, ask) >= 0 };
  }

  #onMessage(subject: string, payload: Uint8Array): void {
    const topic = parseEventSubject(subject);
    if (topic === undefined) return;
    const batch = readBusEvents(readBusBatch(payload));
    const expected = (this.#sequences.get(subject) ?? 0) + 1;
    if (batch.firstSequence !== expected) this.missing += 1;
    this.#sequences.set(subject, batch.firstSequence + batch.count - 1);
    this.events[topic.channel] = (this.events[topic.channel] ?? 0) + batch.count;
    const { kind, rows } = rowsOf(batch);
    for (const row of rows) {
      // A trade from before we subscribed says nothing about the latency.
      const isOld = "historical" in row && row.historical;
      if (isOld || row.venueTimeUs === undefined) continue;
      if (this.#latenciesUs.length >= LATENCIES_MAX) break;
      this.#latenciesUs.push(row.receivedTimeUs - row.venueTimeUs);
    }
    if (kind === "books") for (const row of rows) this.#onBook(topic.symbol, row);
    if (kind === "statuses") for (const row of rows) this.#onStatus(topic.symbol, row);
  }

  #onBook(symbol: string, row: BookRow): void {
    const watched = this.#bookOf(symbol);
    watched.events += 1;
    if (row.snapshot) watched.book.applySnapshot(row);
    else watched.book.applyDelta(row);
  }

  #onStatus(symbol: string, row: StatusRow): void {
    if (row.channel !== "book") return;
    const watched = this.#bookOf(symbol);
    watched.state = row.state;
    watched.reason = row.reason;
    if (row.state === "live") watched.liveSinceUs ??= row.sinceTimeUs;
  }

  #bookOf(symbol: string): WatchedBook & { readonly book: OrderBook } {
    let watched = this.#books.get(symbol);
    if (watched === undefined) {
      const unknown = { state: "syncing", reason: "", events: 0, liveSinceUs: undefined };
      watched = { symbol, book: new OrderBook(), ...unknown };
      this.#books.set(symbol, watched);
    }
    return watched;
  }
}
