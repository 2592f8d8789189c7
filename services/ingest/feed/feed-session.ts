import { backoffDelayMs } from "#core/backoff.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { TopicState } from "#core/market-event.ts";
import type { Logger } from "../logger.ts";
import { rejectionOf } from "../normalizer.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedEvent,
  FeedSubscription,
  RawBook,
  RejectReason,
} from "./feed-adapter.ts";
import { FeedLink } from "./feed-link.ts";
import type { FeedPolicy } from "./feed-policy.ts";
import { InBandResync } from "./in-band-resync.ts";
import type { RequestPacer } from "./request-pacer.ts";
import { Rollover } from "./rollover.ts";
import type { FeedData } from "./rollover.ts";
import type { SnapshotFetcher } from "./snapshot-fetcher.ts";
import { SubscriptionWatch } from "./subscription-watch.ts";
import type { Watched } from "./subscription-watch.ts";
import type { FeedDialer, RestAnswer } from "./web-socket-dialer.ts";

/** Where a session's events go. Called synchronously, in the order of the frames. */
export type FeedSink = {
  onData(event: FeedData): void;
  onRejected(reason: RejectReason, instrument?: Instrument, channel?: Channel): void;
  /**
   * A subscription's health changed. For a book, `live` means that data flows, not that it is in
   * sync.
   */
  onChannelState(instrument: Instrument, channel: Channel, state: TopicState, reason: string): void;
  isBookLive(instrument: Instrument): boolean;
  /** A recording showed a subscription that was not planned. */
  onLearnt?(subscription: FeedSubscription, session: FeedSession): void;
};

/** Counts that the sessions of one venue keep up to date together; read by the metrics. */
export type SessionCounters = {
  frames: number;
  connects: number;
  disconnects: number;
  rollovers: number;
  resubscribes: number;
  refusals: number;
  /** Data of a channel that nobody asked for. */
  unrequested: number;
};

export type FeedSessionOptions = {
  readonly adapter: FeedAdapter;
  readonly plan: ConnectionPlan;
  readonly bookDepth: number;
  readonly catalog: InstrumentCatalog;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly dialer: FeedDialer;
  /** Shared by all sessions of the venue. */
  readonly connectPacer: RequestPacer;
  /** Shared by all sessions of the venue. */
  readonly snapshots: SnapshotFetcher;
  readonly policy: FeedPolicy;
  readonly counters: SessionCounters;
  readonly logger: Logger;
  readonly sink: FeedSink;
  /**
   * The connection is a recording: it ends when the recording says so, never by our decision, and
   * what it subscribed shows in its data.
   */
  readonly recorded?: boolean;
};

/**
 * The one driver of venue connections: dials, subscribes in the venue's pace, watches for silence,
 * reconnects with full jitter, replaces the connection before the venue does, and resyncs single
 * books. It knows venues only by their adapter.
 */
export class FeedSession {
  readonly plan: ConnectionPlan;
  readonly #options: FeedSessionOptions;
  readonly #watch: SubscriptionWatch;
  readonly #resync: InBandResync;
  readonly #recorded: boolean;
  #current: FeedLink | undefined;
  #next: FeedLink | undefined;
  #rollover: Rollover | undefined;
  /** The last one, until the connection that it left is gone. */
  #takenOver: Rollover | undefined;
  #attempt = 0;
  #requestId = 1;
  #connectQueued = false;
  #closed = false;
  #cancelReconnect: CancelTimer | undefined;
  #cancelStable: CancelTimer | undefined;
  #cancelAge: CancelTimer | undefined;
  #cancelTakeOver: CancelTimer | undefined;
  #cancelSilence: CancelTimer | undefined;

  constructor(options: FeedSessionOptions) {
    this.#options = options;
    this.plan = options.plan;
    this.#recorded = options.recorded ?? false;
    const { sink, adapter } = options;
    this.#watch = new SubscriptionWatch({
      subscriptions: options.plan.subscriptions,
      silenceMsMax: adapter.limits.silenceMsMax,
      learn: this.#recorded,
      onState: (instrument, channel, state, reason) =>
        sink.onChannelState(instrument, channel, state, reason),
      onLearnt: (subscription) => sink.onLearnt?.(subscription, this),
    });
    this.#resync = new InBandResync({
      clock: options.clock,
      random: options.random,
      policy: options.policy,
      resubscribe: (instrument) => this.#resubscribe([{ instrument, channel: "book" }]),
    });
  }

  get isOpen(): boolean {
    return this.#current?.isOpen ?? false;
  }

  /** Starts connecting; everything after that goes by itself until `close()`. */
  start(): void {
    for (const { subscription } of this.#watch.all) {
      const { instrument, channel } = subscription;
      this.#options.sink.onChannelState(instrument, channel, "syncing", "connecting");
    }
    this.#watchSilence();
    this.connectNow();
  }

  /**
   * Ends a back-off wait; does nothing unless the session waits for one. Replays use it to follow a
   * recording.
   */
  connectNow(): void {
    if (this.#closed || this.#current !== undefined || this.#connectQueued) return;
    this.#cancelReconnect?.();
    this.#connectQueued = true;
    const accepted = this.#options.connectPacer.submit(1, () => {
      this.#connectQueued = false;
      if (!this.#closed && this.#current === undefined) this.#current = this.#dial();
    });
    if (!accepted) {
      this.#connectQueued = false;
      this.#scheduleReconnect();
    }
  }

  /** Starts one book of this session anew, leaving everything else alone. */
  resyncBook(instrument: Instrument): void {
    if (this.#closed || !this.isOpen) return;
    if (this.#options.adapter.bookSync.snapshot === "in-band") {
      this.#resync.request(instrument);
      return;
    }
    this.#options.snapshots.request(instrument, {
      deliver: (answer) => this.deliverSnapshot(instrument, answer),
      unavailable: (reason) =>
        this.#options.sink.onChannelState(instrument, "book", "down", reason),
    });
  }

  /** Takes a REST answer with a book snapshot. False if it holds no book of this instrument. */
  deliverSnapshot(instrument: Instrument, answer: RestAnswer): boolean {
    if (this.#current === undefined) return false;
    const { clock, sink } = this.#options;
    let found = false;
    this.#current.decoder.decodeRest(answer, clock.nowUs(), (event) => {
      if (event.kind === "rejected") {
        sink.onRejected(event.reason);
      } else if (event.kind === "raw-book" && event.instrument === instrument) {
        // Only counted: whoever asked asks again, and a live book is not worse for it.
        const rejection = rejectionOf(event);
        if (rejection !== undefined) {
          sink.onRejected(rejection);
          return;
        }
        found = true;
        sink.onData(event);
      }
    });
    return found;
  }

  /** A recording's client sent this frame on the session's connection. */
  noteSent(frame: string): void {
    this.#current?.noteSent(frame);
  }

  /** Disconnects for good. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const cancel of [this.#cancelReconnect, this.#cancelSilence]) cancel?.();
    this.#releaseLink();
    this.#current?.close();
    this.#next?.close();
  }

  /** @internal Called by the link. */
  onLinkOpen(link: FeedLink): void {
    const { clock, policy, counters, logger, adapter } = this.#options;
    counters.connects += 1;
    const isRollover = link === this.#next;
    logger.info({ venue: adapter.venue, url: this.plan.url, rollover: isRollover }, "connected");
    if (isRollover) {
      this.#beginOverlap();
    } else {
      this.#watch.onRequested(clock.nowUs());
    }
    this.#armAge();
    this.#cancelStable?.();
    this.#cancelStable = clock.after(policy.connectionStableMs, () => {
      this.#attempt = 0;
    });
    const { subscriptions } = this.plan;
    const frames =
      subscriptions.length === 0
        ? []
        : adapter.subscribeFrames(subscriptions, this.#subscribeOptions());
    this.#requestId += frames.length;
    link.send(frames);
    if (frames.length === 0 && !isRollover) this.#acknowledgeAll();
  }

  /** @internal Called by the link. */
  onLinkFrame(_link: FeedLink): void {
    this.#options.counters.frames += 1;
  }

  /** @internal Called by the link. */
  onLinkEvent(link: FeedLink, event: FeedEvent): void {
    switch (event.kind) {
      case "subscribed":
        this.#onSubscribed(link, event);
        return;
      case "refused":
        this.#onRefused(event);
        return;
      case "heartbeat":
        return;
      case "reconnect-requested":
        if (!this.#recorded) this.#startRollover(event.reason);
        return;
      case "rejected":
        this.#options.sink.onRejected(event.reason, event.instrument, event.channel);
        return;
      case "trade":
      case "quote":
      case "raw-book":
      case "candle":
      case "ticker":
      case "funding":
      case "mark-price":
      case "open-interest":
      case "liquidation":
        this.#onData(link, event);
    }
  }

  /** @internal Called by the link. */
  onLinkClosed(link: FeedLink, reason: string): void {
    const { counters, logger, adapter } = this.#options;
    if (this.#closed) return;
    if (link === this.#next) {
      this.#abandonRollover(reason);
      return;
    }
    if (link !== this.#current) return;
    counters.disconnects += 1;
    logger.warn({ venue: adapter.venue, url: this.plan.url, reason }, "disconnected");
    if (this.#next?.isOpen === true) {
      this.#takeOver();
      return;
    }
    this.#next?.close();
    this.#next = undefined;
    this.#current = undefined;
    this.#releaseLink();
    for (const { subscription } of this.#watch.all) {
      if (subscription.channel === "book") this.#options.snapshots.cancel(subscription.instrument);
    }
    this.#watch.onDisconnected("disconnected");
    this.#scheduleReconnect();
  }

  #dial(): FeedLink {
    const { adapter, catalog, bookDepth, dialer, clock, policy } = this.#options;
    return new FeedLink({
      url: this.plan.url,
      adapter,
      decoder: adapter.createDecoder({ catalog, bookDepth, url: this.plan.url }),
      dialer,
      clock,
      policy,
      watchLiveness: !this.#recorded,
      owner: this,
    });
  }

  #onData(link: FeedLink, event: FeedData): void {
    const { sink, counters } = this.#options;
    if (this.#rollover !== undefined) {
      const accepted =
        link === this.#next ? this.#rollover.acceptNew(event) : this.#rollover.acceptOld(event);
      if (!accepted) return;
    } else if (this.#takenOver !== undefined && !this.#takenOver.acceptAfter(event)) {
      return;
    }
    if (link !== this.#current && link !== this.#next) return;
    const channel = event.kind === "raw-book" ? "book" : CHANNEL_OF_KIND[event.kind];
    if (!this.#watch.onData(event.instrument, channel, event.receivedTimeUs)) {
      counters.unrequested += 1;
      return;
    }
    if (event.kind === "raw-book" && event.snapshot) this.#resync.onSnapshot(event.instrument);
    sink.onData(event);
  }

  #onSubscribed(link: FeedLink, event: Extract<FeedEvent, { kind: "subscribed" }>): void {
    const { venueSymbol, venueMarket, channel } = event;
    const instrument = this.#options.catalog.byVenueSymbol(venueSymbol, venueMarket);
    if (instrument === undefined || link !== this.#current) return;
    this.#watch.onAcknowledged(instrument, channel, this.#options.clock.nowUs());
  }

  #onRefused(event: Extract<FeedEvent, { kind: "refused" }>): void {
    const { counters, logger, adapter, catalog } = this.#options;
    counters.refusals += 1;
    const { venueSymbol, venueMarket, channel, reason } = event;
    logger.warn({ venue: adapter.venue, venueSymbol, channel, reason }, "subscription refused");
    if (venueSymbol === undefined || channel === undefined) return;
    const instrument = catalog.byVenueSymbol(venueSymbol, venueMarket);
    if (instrument !== undefined) this.#watch.onRefused(instrument, channel);
  }

  /** Where the address itself subscribes, being connected is the confirmation. */
  #acknowledgeAll(): void {
    const nowUs = this.#options.clock.nowUs();
    for (const { subscription } of this.#watch.all) {
      this.#watch.onAcknowledged(subscription.instrument, subscription.channel, nowUs);
    }
  }

  #resubscribe(subscriptions: readonly FeedSubscription[]): void {
    const { adapter, counters } = this.#options;
    const link = this.#current;
    if (link === undefined || !link.isOpen) return;
    counters.resubscribes += subscriptions.length;
    const ending = adapter.unsubscribeFrames(subscriptions, this.#subscribeOptions());
    this.#requestId += ending.length;
    const starting = adapter.subscribeFrames(subscriptions, this.#subscribeOptions());
    this.#requestId += starting.length;
    link.send([...ending, ...starting]);
  }

  #subscribeOptions(): { readonly requestId: number; readonly bookDepth: number } {
    return { requestId: this.#requestId, bookDepth: this.#options.bookDepth };
  }

  #scheduleReconnect(): void {
    const { clock, policy, random } = this.#options;
    const delayMs = backoffDelayMs({
      attempt: this.#attempt,
      limits: { baseMs: policy.reconnectBackoffBaseMs, maxMs: policy.reconnectBackoffMsMax },
      random,
    });
    this.#attempt += 1;
    this.#cancelReconnect?.();
    this.#cancelReconnect = clock.after(delayMs, () => this.connectNow());
  }

  /**
   * Judges silence often enough that it is noticed within a quarter of the shortest one allowed.
   */
  #watchSilence(): void {
    const { adapter, clock } = this.#options;
    const allowedMs = Object.values(adapter.limits.silenceMsMax);
    if (allowedMs.length === 0) return;
    const intervalMs = Math.max(1, Math.min(...allowedMs) / 4);
    const check = (): void => {
      this.#cancelSilence = clock.after(intervalMs, check);
      if (this.isOpen) this.#checkSilence();
    };
    this.#cancelSilence = clock.after(intervalMs, check);
  }

  #checkSilence(): void {
    let worst = 0;
    const { judged, stale } = this.#watch.check(this.#options.clock.nowUs(), (watched: Watched) => {
      worst = Math.max(worst, watched.recoveries);
      if (!this.#recorded) this.#resubscribe([watched.subscription]);
    });
    // Resubscribing each of them did not help: the connection itself is hung.
    if (!this.#recorded && judged > 0 && stale === judged && worst >= 2) {
      this.#current?.terminate("every subscription is silent");
    }
  }

  #armAge(): void {
    const { adapter, clock, policy, random } = this.#options;
    const ageMsMax = adapter.limits.connectionAgeMsMax;
    this.#cancelAge?.();
    if (ageMsMax === undefined || this.#recorded) return;
    // Before the venue does it, and not for all connections at once.
    const latestMs = ageMsMax - Math.min(policy.rolloverTimeoutMs, ageMsMax / 4);
    const delayMs = Math.max(latestMs - random() * policy.rolloverJitterMs, ageMsMax / 2);
    this.#cancelAge = clock.after(delayMs, () => this.#startRollover("connection age"));
  }

  #startRollover(reason: string): void {
    const { connectPacer, logger, adapter } = this.#options;
    if (this.#closed || this.#next !== undefined || !this.isOpen) return;
    logger.info({ venue: adapter.venue, url: this.plan.url, reason }, "replacing connection");
    connectPacer.submit(1, () => {
      if (this.#closed || this.#next !== undefined || !this.isOpen) return;
      this.#next = this.#dial();
      // From now on, so that it is known what the old connection delivered when the new one opens.
      this.#rollover = this.#createRollover();
    });
  }

  #createRollover(): Rollover {
    const { adapter, policy } = this.#options;
    const books = this.#watch.all
      .filter(({ subscription, state }) => subscription.channel === "book" && state !== "refused")
      .map(({ subscription }) => subscription.instrument);
    return new Rollover({
      snapshot: adapter.bookSync.snapshot,
      books,
      deltasMax: policy.rolloverDeltasMax,
    });
  }

  #beginOverlap(): void {
    const { policy, clock } = this.#options;
    const deadlineUs = clock.nowUs() + policy.rolloverTimeoutMs * 1000;
    const check = (): void => {
      if (this.#rollover?.isReady() === true || clock.nowUs() >= deadlineUs) this.#takeOver();
      else this.#cancelTakeOver = clock.after(policy.rolloverOverlapMs, check);
    };
    this.#cancelTakeOver = clock.after(policy.rolloverOverlapMs, check);
  }

  #takeOver(): void {
    const { counters, sink, clock, policy } = this.#options;
    const rollover = this.#rollover;
    this.#cancelTakeOver?.();
    this.#current?.close();
    this.#current = this.#next;
    this.#next = undefined;
    this.#rollover = undefined;
    this.#takenOver = rollover;
    // Not for ever: a venue that numbers anew must not look like one that repeats itself.
    this.#cancelTakeOver = clock.after(policy.rolloverTimeoutMs, () => {
      this.#takenOver = undefined;
    });
    counters.rollovers += 1;
    rollover?.takeOver((event: RawBook) => sink.onData(event));
  }

  #abandonRollover(reason: string): void {
    const { clock, policy, random, logger, adapter } = this.#options;
    logger.warn({ venue: adapter.venue, url: this.plan.url, reason }, "replacement failed");
    this.#cancelTakeOver?.();
    this.#next = undefined;
    this.#rollover = undefined;
    this.#cancelAge?.();
    this.#cancelAge = clock.after(policy.reconnectBackoffMsMax * (0.5 + random() / 2), () =>
      this.#startRollover("connection age"),
    );
  }

  /** Ends what belongs to a connection that is gone. */
  #releaseLink(): void {
    for (const cancel of [this.#cancelStable, this.#cancelAge, this.#cancelTakeOver]) {
      cancel?.();
    }
    this.#rollover = undefined;
    this.#takenOver = undefined;
    this.#resync.clear();
  }
}
