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
  /** The connection that leads now. */
  readonly link: () => FeedLink | undefined;
};

/** Gets snapshots of single books for one session, by REST or on its connection. */
export class SessionBooks {
  readonly #options: SessionBooksOptions;
  readonly #resync: InBandResync;

  constructor(options: SessionBooksOptions) {
    this.#options = options;
    const { requests, link } = options;
    this.#resync = new InBandResync({
      ...options,
      ask: (instrument) => requests.askForBook(link(), instrument),
    });
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

  /** The connection that led is gone: the next one subscribes everything anyway. */
  onDisconnected(instruments: readonly Instrument[]): void {
    for (const instrument of instruments) this.#options.snapshots.cancel(instrument);
  }

  /** Ends what is asked for on the connection. */
  clear(): void {
    this.#resync.clear();
  }
}
