import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import { bookSyncOf } from "../book-sync-of.ts";
import type { RawBook, RestPurpose } from "../feed-adapter.ts";
import type { FeedSink } from "../feed-sink.ts";
import type { SnapshotFetcher } from "../rest/snapshot-fetcher.ts";
import type { VenueContext } from "../venue-context.ts";
import type { FeedLink } from "./feed-link.ts";
import type { SessionCounters } from "./feed-session-options.ts";
import { InBandResync } from "./in-band-resync.ts";
import type { SubscriptionRequests } from "./subscription-requests.ts";
import type { RestAnswer } from "../rest/rest-client.ts";

type SessionBooksOptions = VenueContext & {
  readonly snapshots: SnapshotFetcher;
  readonly requests: SubscriptionRequests;
  readonly counters: Pick<SessionCounters, "snapshotsDelivered">;
  readonly sink: FeedSink;
  readonly recorded?: boolean;
  /** The connection that leads now. */
  readonly link: () => FeedLink | undefined;
};

/** A book without a change for so long after its confirmation is taken for a quiet one. */
const QUIET_MS = 5_000;

/** Gets snapshots of single books for one session, by REST or on its connection. */
export class SessionBooks {
  readonly #options: SessionBooksOptions;
  readonly #resync: InBandResync;
  /** Of confirmed books whose first change may still come. */
  readonly #cancelQuiet = new Map<Instrument, CancelTimer>();

  constructor(options: SessionBooksOptions) {
    this.#options = options;
    const { requests, link } = options;
    this.#resync = new InBandResync({
      ...options,
      ask: (instrument) => requests.askForBook(link(), instrument),
    });
  }

  /**
   * The changes of a book come from now on. Where it begins with an answer, that is asked for at
   * once: a quiet book may have no change for hours that would show that it is missing. Where the
   * changes do not show what lies between them and an answer, it waits for the first one a while,
   * as it does in a recording, in which nobody can be asked.
   */
  onConfirmed(instrument: Instrument): void {
    const { adapter, bookDepth, sink, clock, recorded } = this.#options;
    const sync = bookSyncOf(adapter, instrument, { bookDepth });
    // What is asked for on the connection is in a recording already.
    if (sync.snapshot === "in-band" || (sync.snapshot === "request" && recorded === true)) return;
    if (recorded !== true && sync.sequencing?.showsGaps !== false) {
      sink.onBookConfirmed(instrument);
      return;
    }
    this.#cancelQuiet.get(instrument)?.();
    const cancel = clock.after(QUIET_MS, () => {
      if (recorded === true) sink.onBookQuiet(instrument);
      else sink.onBookConfirmed(instrument);
    });
    this.#cancelQuiet.set(instrument, cancel);
  }

  /** Starts one book anew, leaving everything else alone. */
  resync(instrument: Instrument): void {
    const { adapter, bookDepth, snapshots, sink } = this.#options;
    if (bookSyncOf(adapter, instrument, { bookDepth }).snapshot !== "rest") {
      this.#resync.request(instrument);
      return;
    }
    snapshots.request(instrument, {
      deliver: (answer) => this.deliver(instrument, answer),
      unavailable: (reason) => sink.onChannelState(instrument, "book", "down", reason),
    });
  }

  /** Takes a REST answer with a book snapshot. False if it has no usable book of the instrument. */
  deliver(instrument: Instrument, answer: RestAnswer): boolean {
    const { clock, sink, link } = this.#options;
    const purpose: RestPurpose = { kind: "book-snapshot", channel: "book", instrument };
    let isTaken = false;
    link()?.decoder.decodeRest({ purpose, body: answer.body }, clock.nowUs(), (event) => {
      if (event.kind === "rejected") {
        sink.onRejected(event.reason);
      } else if (event.kind === "raw-book" && event.instrument === instrument) {
        if (sink.onSnapshot(event)) isTaken = true;
      }
    });
    return isTaken;
  }

  /** A snapshot came on the connection. */
  onSnapshot({ instrument, source }: RawBook): void {
    this.#resync.onSnapshot(instrument);
    if (source === "rest") this.#options.counters.snapshotsDelivered += 1;
  }

  /** Nothing of this instrument is wanted any more. */
  forget(instrument: Instrument): void {
    this.#options.snapshots.cancel(instrument);
    this.#resync.forget(instrument);
    this.#cancelQuiet.get(instrument)?.();
    this.#cancelQuiet.delete(instrument);
  }

  /** The connection that led is gone: the next one subscribes everything anyway. */
  onDisconnected(instruments: readonly Instrument[]): void {
    for (const instrument of instruments) this.#options.snapshots.cancel(instrument);
  }

  /** Ends what is asked for on the connection. */
  clear(): void {
    this.#resync.clear();
    for (const cancel of this.#cancelQuiet.values()) cancel();
    this.#cancelQuiet.clear();
  }
}
