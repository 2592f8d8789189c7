import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { MarketEvent, TopicState } from "#core/market-event.ts";
import { BookStage } from "./book-stage.ts";
import { bookSyncOf } from "../feed/book-sync-of.ts";
import type { FeedAdapter, FeedSubscription, RejectReason } from "../feed/feed-adapter.ts";
import type { FeedSession } from "../feed/connection/feed-session.ts";
import type { FeedSink } from "../feed/connection/feed-session-options.ts";
import type { FeedData } from "../feed/connection/rollover.ts";
import { isVenueTimeSane, rejectionOf } from "./normalizer.ts";
import { StatusBoard } from "./status-board.ts";
import { TradeDeduplicator } from "./trade-deduplicator.ts";
import type { VenueCounters } from "./venue-counters.ts";

export type VenuePipelineOptions = {
  readonly adapter: FeedAdapter;
  readonly clock: Clock;
  /** Levels per side that are subscribed. */
  readonly bookDepth: number;
  readonly counters: VenueCounters;
  /** Per instrument, while its snapshot is awaited. */
  readonly bufferedDeltasMax: number;
  /** Per instrument, to recognise a trade that comes twice. */
  readonly recentTradeIdsMax: number;
  /** What is to be published, in order. */
  readonly emit: (event: MarketEvent) => void;
};

/**
 * From the events of a venue's sessions to what is published: the rules of every venue, duplicates
 * of trades, books, and the state of every channel. No I/O and no time of its own, so a recording
 * runs through exactly this.
 */
export class VenuePipeline implements FeedSink {
  readonly books: BookStage;
  readonly #options: VenuePipelineOptions;
  readonly #counters: VenueCounters;
  readonly #trades: TradeDeduplicator;
  readonly #statuses: StatusBoard;
  /** The session that carries an instrument's book. */
  readonly #bookSessions = new Map<Instrument, FeedSession>();

  constructor(options: VenuePipelineOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.#trades = new TradeDeduplicator({ idsMax: options.recentTradeIdsMax });
    this.#statuses = new StatusBoard((status) => this.#emit(status));
    this.books = new BookStage({
      syncOf: (instrument) => bookSyncOf(options.adapter, instrument, options),
      bufferedDeltasMax: options.bufferedDeltasMax,
      counters: options.counters,
      onEvent: (event) => this.#emit(event),
      onState: (instrument, state, reason) => this.#setState(instrument, "book", state, reason),
      onNeedSnapshot: (instrument) => this.#bookSessions.get(instrument)?.resyncBook(instrument),
    });
  }

  /** Tells whom to ask when a book needs a snapshot. */
  assignBooks(session: FeedSession, subscriptions: readonly FeedSubscription[]): void {
    for (const { instrument, channel } of subscriptions) {
      if (channel === "book") this.#bookSessions.set(instrument, session);
    }
  }

  /** The session of an instrument's book. */
  bookSessionOf(instrument: Instrument): FeedSession | undefined {
    return this.#bookSessions.get(instrument);
  }

  onLearnt(subscription: FeedSubscription, session: FeedSession): void {
    this.assignBooks(session, [subscription]);
  }

  isBookLive(instrument: Instrument): boolean {
    return this.books.isLive(instrument);
  }

  onData(event: FeedData): void {
    const rejection = rejectionOf(event);
    if (rejection !== undefined) {
      const channel = event.kind === "raw-book" ? "book" : undefined;
      this.onRejected(rejection, event.instrument, channel);
      return;
    }
    if (isVenueTimeSane(event)) {
      this.#pass(event);
      return;
    }
    // The data is good all the same; a time is never invented.
    this.#counters.badTimes += 1;
    this.#pass({ ...event, venueTimeUs: undefined });
  }

  onRejected(reason: RejectReason, instrument?: Instrument, channel?: Channel): void {
    const { rejected } = this.#counters;
    rejected[reason] = (rejected[reason] ?? 0) + 1;
    // A part of a book is missing now, which a venue without sequences would never tell.
    if (instrument !== undefined && channel === "book") {
      if (this.books.has(instrument)) this.books.resync(instrument, "damaged-message");
      // The first snapshot itself was damaged: no builder is there yet to ask for another one.
      else this.#bookSessions.get(instrument)?.resyncBook(instrument);
    } else if (instrument !== undefined && channel === "trades" && reason === "missing-data") {
      // Trades cannot be had again from the stream: say that some are missing, and go on.
      this.#counters.gaps += 1;
      this.#setState(instrument, "trades", "gap", "missing-data");
      this.#setState(instrument, "trades", "live", "data-resumed");
    }
  }

  onChannelState(
    instrument: Instrument,
    channel: Channel,
    state: TopicState,
    reason: string,
  ): void {
    if (channel === "book") {
      // Whether a book is in sync is its builder's to say.
      if (state === "live" && !this.books.isLive(instrument)) return;
      if (state === "down") this.books.reset(instrument, reason, this.#options.clock.nowUs());
    }
    this.#setState(instrument, channel, state, reason);
  }

  #pass(event: FeedData): void {
    if (event.kind === "raw-book") {
      this.books.handle(event);
    } else if (event.kind === "trade" && !this.#trades.isNew(event)) {
      this.#counters.duplicateTrades += 1;
    } else {
      if (event.kind === "trade" && event.historical) this.#counters.historicalTrades += 1;
      this.#emit(event);
    }
  }

  #setState(instrument: Instrument, channel: Channel, state: TopicState, reason: string): void {
    this.#statuses.set({ instrument, channel, state, reason, nowUs: this.#options.clock.nowUs() });
  }

  #emit(event: MarketEvent): void {
    this.#counters.events[event.kind] += 1;
    this.#options.emit(event);
  }
}
