import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import { bookSyncOf } from "../book-sync-of.ts";
import type { VenueContext } from "../venue-context.ts";
import type { SnapshotFetcher } from "./snapshot-fetcher.ts";
import type { RestAnswer, RestClient } from "./rest-client.ts";

/** The live books, as the refresher sees them. */
type RefreshableBooks = {
  /** False if the book is not live: whatever made it so fetches a snapshot anyway. */
  beginRefresh(instrument: Instrument): boolean;
  /** False once a snapshot was taken, or the book was lost. */
  isRefreshing(instrument: Instrument): boolean;
  endRefresh(instrument: Instrument): void;
};

/** Counts that the refresher keeps up to date; shared with the metrics. */
export type RefreshCounters = { booksRefreshed: number; refreshesFailed: number };

type BookRefresherOptions = VenueContext & {
  readonly restClient: RestClient;
  /** Whose REST budget is used, after everything else that wants it. */
  readonly snapshots: SnapshotFetcher;
  /** Mean time between two snapshots of a book; each wait is between half and one and a half. */
  readonly intervalMs: number;
  readonly books: RefreshableBooks;
  /** Hands an answer with status 200 to the book's connection. */
  readonly deliver: (instrument: Instrument, answer: RestAnswer) => void;
  readonly counters: RefreshCounters;
};

/**
 * Replaces live books by fresh REST snapshots every now and then. A snapshot has a limited depth,
 * and what moves into view from beyond it is never told by the deltas, so a book with a clean
 * sequence grows wrong with time. The stream goes on meanwhile, and a failure costs nothing: the
 * live book stays, and the next turn tries again. Where numbers show no gaps, the first turn comes
 * soon: the snapshot that a book begins with may be older than its subscription, and what it then
 * lacks nothing else tells.
 */
export class BookRefresher {
  readonly #options: BookRefresherOptions;
  readonly #timers = new Map<Instrument, CancelTimer>();
  /** Books whose turn may still be under way. */
  readonly #removed = new WeakSet<Instrument>();
  #closed = false;

  constructor(options: BookRefresherOptions) {
    this.#options = options;
  }

  /** Refreshes this book from now on. Does nothing for one that it has already. */
  add(instrument: Instrument): void {
    if (this.#closed || this.#timers.has(instrument)) return;
    this.#removed.delete(instrument);
    const { adapter, bookDepth, policy, intervalMs, random } = this.#options;
    const { sequencing } = bookSyncOf(adapter, instrument, { bookDepth });
    if (sequencing?.showsGaps !== false) {
      this.#scheduleTurn(instrument);
      return;
    }
    const soonMs = Math.min(policy.unprovenRefreshMs, intervalMs);
    this.#after(instrument, soonMs * (0.5 + random()), () => this.#ask(instrument, 0));
  }

  /** Refreshes this book no more. */
  remove(instrument: Instrument): void {
    this.#timers.get(instrument)?.();
    this.#timers.delete(instrument);
    this.#removed.add(instrument);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #scheduleTurn(instrument: Instrument): void {
    const { intervalMs, random } = this.#options;
    this.#after(instrument, intervalMs * (0.5 + random()), () => this.#ask(instrument, 0));
  }

  #after(instrument: Instrument, delayMs: number, callback: () => void): void {
    if (this.#closed || this.#removed.has(instrument)) return;
    this.#timers.set(instrument, this.#options.clock.after(delayMs, callback));
  }

  #ask(instrument: Instrument, attempt: number): void {
    const { adapter, endpoints, snapshots, books, restClient } = this.#options;
    const request = adapter.snapshotRequest?.(instrument, endpoints);
    if (request === undefined) return;
    const send = (): void => {
      // Deltas are kept from when the request goes out, not while it waits for the budget.
      if (this.#closed) return;
      if (!books.beginRefresh(instrument)) {
        this.#scheduleTurn(instrument);
        return;
      }
      restClient.get(
        request,
        (answer) => this.#onAnswer(instrument, attempt, answer),
        (reason) => this.#onFailure(instrument, attempt, reason),
      );
    };
    if (!snapshots.pacer.submit(request.weight, send, "background")) this.#scheduleTurn(instrument);
  }

  #onAnswer(instrument: Instrument, attempt: number, answer: RestAnswer): void {
    const { snapshots, books, counters, deliver } = this.#options;
    if (this.#closed) return;
    snapshots.noteLimits(answer);
    if (answer.status !== 200) {
      this.#onFailure(instrument, attempt, `status ${answer.status}`);
      return;
    }
    const wasRefreshing = books.isRefreshing(instrument);
    if (wasRefreshing) deliver(instrument, answer);
    if (books.isRefreshing(instrument)) {
      this.#onFailure(instrument, attempt, "no newer book in the answer");
      return;
    }
    if (wasRefreshing) counters.booksRefreshed += 1;
    this.#scheduleTurn(instrument);
  }

  #onFailure(instrument: Instrument, attempt: number, reason: string): void {
    const { books, counters, logger, policy, random } = this.#options;
    if (this.#closed) return;
    if (!books.isRefreshing(instrument)) {
      this.#scheduleTurn(instrument);
      return;
    }
    counters.refreshesFailed += 1;
    const { venue, venueSymbol } = instrument;
    logger.warn({ venue, venueSymbol, reason, attempt }, "book not refreshed");
    if (attempt + 1 >= policy.refreshAttemptsMax) {
      books.endRefresh(instrument);
      this.#scheduleTurn(instrument);
      return;
    }
    const limits = { baseMs: policy.snapshotBackoffBaseMs, maxMs: policy.snapshotBackoffMsMax };
    const delayMs = backoffDelayMs({ attempt, limits, random });
    this.#after(instrument, Math.max(delayMs, limits.baseMs / 2), () =>
      this.#ask(instrument, attempt + 1),
    );
  }
}
