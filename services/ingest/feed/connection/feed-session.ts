import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { Trade } from "#core/market-event.ts";
import { rejectionOf } from "../../venue/normalizer.ts";
import { bookSyncOf } from "../book-sync-of.ts";
import { ConnectionOpener } from "./connection-opener.ts";
import { ConnectionReplacement } from "./connection-replacement.ts";
import type {
  BookSync,
  ConnectionPlan,
  ConnectionTicket,
  FeedEvent,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../feed-adapter.ts";
import { FeedLink } from "./feed-link.ts";
import type { FeedLinkEvent } from "./feed-link.ts";
import type { FeedSessionOptions } from "./feed-session-options.ts";
import { InBandResync } from "./in-band-resync.ts";
import type { FeedData } from "./rollover.ts";
import { startSilenceTimer } from "./silence-timer.ts";
import { SubscriptionWatch } from "./subscription-watch.ts";
import type { Watched } from "./subscription-watch.ts";
import { TradeGapFiller } from "../rest/trade-gap-filler.ts";
import type { TradeGapReason } from "../rest/trade-gap-filler.ts";
import type { RestAnswer } from "./web-socket-dialer.ts";

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
  readonly #opener: ConnectionOpener;
  readonly #replacement: ConnectionReplacement;
  readonly #fills: TradeGapFiller | undefined;
  readonly #recorded: boolean;
  #current: FeedLink | undefined;
  #attempt = 0;
  #requestId = 1;
  #opening = false;
  #closed = false;
  #cancelReconnect: CancelTimer | undefined;
  #cancelStable: CancelTimer | undefined;
  #cancelSilence: CancelTimer | undefined;

  constructor(options: FeedSessionOptions) {
    this.#options = options;
    this.plan = options.plan;
    this.#recorded = options.recorded ?? false;
    const { sink, adapter, clock, random, policy, connectPacer, plan, rest } = options;
    this.#watch = new SubscriptionWatch({
      subscriptions: plan.subscriptions,
      silenceMsMax: adapter.limits.silenceMsMax,
      learn: this.#recorded,
      onState: (instrument, channel, state, reason) =>
        sink.onChannelState(instrument, channel, state, reason),
      onLearnt: (subscription) => sink.onLearnt?.(subscription, this),
      onInterrupted: (instrument) => this.#fills?.start(instrument, "reconnected") ?? false,
    });
    this.#resync = new InBandResync({
      clock,
      random,
      policy,
      ask: (instrument) => this.#askForBook(instrument),
    });
    this.#opener = new ConnectionOpener({ adapter, plan, clock, connectPacer, rest });
    this.#replacement = this.#createReplacement();
    this.#fills = this.#createFills();
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
    const { adapter, clock } = this.#options;
    this.#cancelSilence = startSilenceTimer({
      clock,
      silenceMsMax: adapter.limits.silenceMsMax,
      check: () => {
        if (this.isOpen) this.#checkSilence();
      },
    });
    this.connectNow();
  }

  /**
   * Ends a back-off wait; does nothing unless the session waits for one. Replays use it to follow a
   * recording.
   */
  connectNow(): void {
    if (this.#closed || this.#current !== undefined || this.#opening) return;
    this.#cancelReconnect?.();
    this.#opening = true;
    this.#opener.open({
      onTurn: (ticket) => {
        this.#opening = false;
        if (!this.#closed && this.#current === undefined) this.#current = this.#dial(ticket);
      },
      onFailure: (reason) => {
        this.#opening = false;
        if (this.#closed) return;
        const { logger, adapter } = this.#options;
        logger.warn({ venue: adapter.venue, url: this.plan.url, reason }, "cannot connect");
        this.#scheduleReconnect();
      },
    });
  }

  /** Starts one book of this session anew, leaving everything else alone. */
  resyncBook(instrument: Instrument): void {
    if (this.#closed || !this.isOpen) return;
    if (this.#syncOf(instrument).snapshot !== "rest") {
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
    this.#fills?.close();
    this.#current?.close();
  }

  /** @internal Called by the link. */
  onLinkOpen(link: FeedLink): void {
    const { clock, policy, counters, logger, adapter } = this.#options;
    counters.connects += 1;
    const isRollover = link === this.#replacement.next;
    logger.info({ venue: adapter.venue, url: this.plan.url, rollover: isRollover }, "connected");
    if (isRollover) {
      this.#replacement.beginOverlap();
    } else {
      this.#watch.onRequested(clock.nowUs());
    }
    if (!this.#recorded) this.#replacement.armAge();
    this.#cancelStable?.();
    this.#cancelStable = clock.after(policy.connectionStableMs, () => {
      this.#attempt = 0;
    });
    const subscribes = this.#sendOpening(link);
    if (!subscribes && !isRollover) this.#acknowledgeAll();
  }

  /** @internal Called by the link. */
  onLinkFrame(_link: FeedLink): void {
    this.#options.counters.frames += 1;
  }

  /** @internal Called by the link. */
  onLinkEvent(link: FeedLink, event: FeedLinkEvent): void {
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
        if (!this.#recorded) this.#replacement.start(event.reason);
        return;
      case "rejected":
        this.#onRejected(event);
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
    if (link === this.#replacement.next) {
      this.#replacement.abandon(reason);
      return;
    }
    if (link !== this.#current) return;
    counters.disconnects += 1;
    logger.warn({ venue: adapter.venue, url: this.plan.url, reason }, "disconnected");
    if (this.#replacement.next?.isOpen === true) {
      this.#replacement.takeOver();
      return;
    }
    this.#current = undefined;
    this.#releaseLink();
    for (const { subscription } of this.#watch.all) {
      if (subscription.channel === "book") this.#options.snapshots.cancel(subscription.instrument);
    }
    this.#fills?.interrupt();
    this.#watch.onDisconnected("disconnected");
    this.#scheduleReconnect();
  }

  #dial(ticket: ConnectionTicket): FeedLink {
    const { adapter, catalog, bookDepth, dialer, clock, policy } = this.#options;
    const { url, keepAliveIntervalMs } = ticket;
    return new FeedLink({
      url,
      keepAliveIntervalMs,
      adapter,
      decoder: adapter.createDecoder({ catalog, bookDepth, url }),
      dialer,
      clock,
      policy,
      recorded: this.#recorded,
      owner: this,
    });
  }

  #onData(link: FeedLink, event: FeedData): void {
    const { sink, counters } = this.#options;
    if (!this.#replacement.accepts(link, event)) return;
    if (link !== this.#current && link !== this.#replacement.next) return;
    const channel = event.kind === "raw-book" ? "book" : CHANNEL_OF_KIND[event.kind];
    if (!this.#watch.onData(event.instrument, channel, event.receivedTimeUs)) {
      counters.unrequested += 1;
      return;
    }
    if (event.kind === "raw-book" && event.snapshot) {
      this.#resync.onSnapshot(event.instrument);
      if (event.source === "rest") counters.snapshotsDelivered += 1;
    } else if (event.kind === "trade" && this.#fills?.take(event) === true) {
      return;
    }
    sink.onData(event);
  }

  #onRejected(event: Extract<FeedEvent, { kind: "rejected" }>): void {
    const { reason, instrument, channel } = event;
    const isHole = reason === "missing-data" && channel === "trades" && instrument !== undefined;
    // Counted when it is known whether the hole could be filled.
    if (isHole && this.#fills?.start(instrument, reason) === true) return;
    this.#options.sink.onRejected(reason, instrument, channel);
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

  /** Sends what a new connection begins with. False if its address alone subscribes. */
  #sendOpening(link: FeedLink): boolean {
    const { adapter } = this.#options;
    const { subscriptions } = this.plan;
    const opening = adapter.openingFrames?.(this.#subscribeOptions()) ?? [];
    this.#requestId += opening.length;
    const subscribing =
      subscriptions.length === 0
        ? []
        : adapter.subscribeFrames(subscriptions, this.#subscribeOptions());
    this.#requestId += subscribing.length;
    link.send([...opening, ...subscribing]);
    return subscribing.length > 0;
  }

  #askForBook(instrument: Instrument): void {
    if (this.#syncOf(instrument).snapshot === "in-band") {
      this.#resubscribe([{ instrument, channel: "book" }]);
      return;
    }
    const { adapter, counters } = this.#options;
    const frames = adapter.snapshotFrames?.(instrument, this.#subscribeOptions()) ?? [];
    this.#requestId += frames.length;
    counters.snapshotsRequested += 1;
    this.#current?.send(frames);
  }

  #resubscribe(subscriptions: readonly FeedSubscription[]): void {
    const { adapter, counters } = this.#options;
    const link = this.#current;
    if (link === undefined || !link.isOpen) return;
    counters.resubscribes += subscriptions.length;
    const options = this.#subscribeOptions();
    const ending =
      link.decoder.unsubscribeFrames?.(subscriptions, options) ??
      adapter.unsubscribeFrames(subscriptions, options);
    this.#requestId += ending.length;
    const starting = adapter.subscribeFrames(subscriptions, this.#subscribeOptions());
    this.#requestId += starting.length;
    link.send([...ending, ...starting]);
  }

  #subscribeOptions(): FeedSubscribeOptions {
    return { requestId: this.#requestId, bookDepth: this.#options.bookDepth };
  }

  #syncOf(instrument: Instrument): BookSync {
    return bookSyncOf(this.#options.adapter, instrument, this.#options);
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

  #createReplacement(): ConnectionReplacement {
    const { adapter, clock, random, policy, logger, sink } = this.#options;
    return new ConnectionReplacement({
      venue: adapter.venue,
      url: this.plan.url,
      clock,
      random,
      policy,
      logger,
      opener: this.#opener,
      connectionAgeMsMax: adapter.limits.connectionAgeMsMax,
      snapshotOf: (instrument) => this.#syncOf(instrument).snapshot,
      books: () =>
        this.#watch.all
          .filter(
            ({ subscription: { channel }, state }) => channel === "book" && state !== "refused",
          )
          .map(({ subscription }) => subscription.instrument),
      isReplaceable: () => !this.#closed && this.isOpen,
      dial: (ticket) => this.#dial(ticket),
      onTakeOver: (link) => {
        this.#current?.close();
        this.#current = link;
        this.#options.counters.rollovers += 1;
      },
      forward: (event) => sink.onData(event),
    });
  }

  /** Trades that a lost connection missed, where the venue can be asked for them. */
  #createFills(): TradeGapFiller | undefined {
    const { adapter, rest, clock, random, policy, counters, sink } = this.#options;
    if (rest === undefined || adapter.tradesRequest === undefined) return undefined;
    return new TradeGapFiller({
      adapter,
      rest,
      clock,
      random,
      policy,
      counters,
      decode: (answer, instrument) => this.#decodeTrades(answer, instrument),
      publish: (trade) => sink.onData(trade),
      onDone: (instrument, { reason, proven }) => this.#onFilled(instrument, reason, proven),
    });
  }

  #decodeTrades(answer: RestAnswer, instrument: Instrument): Trade[] {
    const { clock, sink } = this.#options;
    const trades: Trade[] = [];
    this.#current?.decoder.decodeRest(answer, clock.nowUs(), (event) => {
      if (event.kind === "rejected") sink.onRejected(event.reason);
      else if (event.kind === "trade" && event.instrument === instrument && event.tradeId !== "") {
        trades.push(event);
      }
    });
    return trades;
  }

  #onFilled(instrument: Instrument, reason: TradeGapReason, proven: boolean): void {
    const { sink } = this.#options;
    if (reason === "missing-data") {
      if (proven) sink.onRejected(reason);
      else sink.onRejected(reason, instrument, "trades");
      return;
    }
    if (!proven) sink.onChannelState(instrument, "trades", "gap", reason);
    if (!this.#watch.isLive(instrument, "trades")) return;
    sink.onChannelState(instrument, "trades", "live", proven ? "filled" : "data");
  }

  /** Ends what belongs to a connection that is gone. */
  #releaseLink(): void {
    this.#cancelStable?.();
    this.#replacement.release();
    this.#resync.clear();
  }
}
