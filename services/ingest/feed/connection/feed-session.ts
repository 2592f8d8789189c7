import { assert } from "#core/assert.ts";
import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { FeedTick } from "#core/market-tick.ts";
import type {
  ConnectionPlan,
  ConnectionTicket,
  FeedEvent,
  FeedSubscription,
  RawBook,
} from "../feed-adapter.ts";
import type { FeedData, FeedSink } from "../feed-sink.ts";
import { ConnectionOpener } from "./connection-opener.ts";
import { ConnectionReplacement } from "./connection-replacement.ts";
import type { ReplaceableSession } from "./connection-replacement.ts";
import { FeedLink } from "./feed-link.ts";
import type { FeedLinkEvent, FeedLinkOwner, RefusedEvent } from "./feed-link.ts";
import type { FeedSessionOptions } from "./feed-session-options.ts";
import { SessionBooks } from "./session-books.ts";
import { IMPOSSIBLE, SESSION_LIFE } from "./session-life.ts";
import type { SessionEvent, SessionState } from "./session-life.ts";
import { SessionSubscriptions } from "./session-subscriptions.ts";
import { SessionTrades } from "./session-trades.ts";
import { SubscriptionRequests } from "./subscription-requests.ts";
import type { Watched } from "./watched-subscription.ts";
import type { RestAnswer } from "../rest/rest-client.ts";

/**
 * The one driver of venue connections: dials, subscribes in the venue's pace, watches for silence,
 * reconnects with full jitter, and replaces the connection before the venue does. It knows venues
 * only by their adapter. Its life is the table in `session-life.ts`.
 */
export class FeedSession implements FeedLinkOwner, ReplaceableSession {
  readonly plan: ConnectionPlan;
  readonly #options: FeedSessionOptions;
  // What each frame needs: see `FeedLink`.
  readonly #sink: FeedSink;
  readonly #counters: FeedSessionOptions["counters"];
  readonly #recorded: boolean;
  readonly #requests: SubscriptionRequests;
  readonly #subscriptions: SessionSubscriptions;
  readonly #books: SessionBooks;
  readonly #trades: SessionTrades;
  readonly #opener: ConnectionOpener;
  readonly #replacement: ConnectionReplacement;
  #state: SessionState = "idle";
  /** The connection that leads; there is one while `connecting` and `open`. */
  #current: FeedLink | undefined;
  /** Connections that failed in a row. */
  #attempt = 0;
  #cancelReconnect: CancelTimer | undefined;
  #cancelStable: CancelTimer | undefined;

  constructor(options: FeedSessionOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#counters = options.counters;
    this.plan = options.plan;
    this.#recorded = options.recorded ?? false;
    const { network, plan } = options;
    const { snapshots, rest } = network;
    const link = (): FeedLink | undefined => this.#current;
    const requests = new SubscriptionRequests(options);
    this.#requests = requests;
    this.#subscriptions = new SessionSubscriptions({
      ...options,
      requests,
      link,
      fillTrades: (instrument) => this.#trades.fill(instrument, "reconnected"),
      onBookConfirmed: (instrument) => this.#books.onConfirmed(instrument),
      replaceConnection: (reason) => this.#replacement.start(reason),
    });
    this.#books = new SessionBooks({ ...options, snapshots, requests, link });
    this.#trades = new SessionTrades({
      ...options,
      rest,
      link,
      isLive: (instrument) => this.#subscriptions.isLive(instrument, "trades"),
    });
    this.#opener = new ConnectionOpener(options);
    this.#replacement = new ConnectionReplacement({
      ...options,
      url: plan.url,
      opener: this.#opener,
      session: this,
    });
  }

  /** The health of each subscription. */
  get subscriptions(): readonly Watched[] {
    return this.#subscriptions.all;
  }

  get isOpen(): boolean {
    return this.#current?.isOpen ?? false;
  }

  /** Starts connecting; everything after that goes by itself until `close()`. */
  start(): void {
    this.#subscriptions.start();
    this.connectNow();
  }

  /**
   * Ends a back-off wait; does nothing unless the session waits for one. Replays use it to follow a
   * recording.
   */
  connectNow(): void {
    if (!this.#move("connect")) return;
    this.#cancelReconnect?.();
    this.#opener.open({
      onTurn: (ticket) => {
        if (this.#move("turn")) this.#current = this.dial(ticket);
      },
      onFailure: (reason) => {
        if (!this.#move("no-turn")) return;
        const { logger, adapter } = this.#options;
        logger.warn({ venue: adapter.venue, url: this.plan.url, reason }, "cannot connect");
        this.#scheduleReconnect();
      },
    });
  }

  /** Subscribes to more, which the connection has room for. */
  add(subscriptions: readonly FeedSubscription[]): void {
    if (this.#state !== "closed") this.#subscriptions.add(subscriptions);
  }

  /** Ends all that it subscribes of an instrument. */
  remove(instrument: Instrument): void {
    this.#subscriptions.remove(instrument, [this.#current, this.#replacement.next]);
    this.#books.forget(instrument);
  }

  /** Asks for what tells of the market as a whole, if there is a connection. */
  subscribeMarket(): void {
    const link = this.#current;
    if (link?.isOpen === true) this.#requests.subscribeMarket(link, this.plan.url);
  }

  /** Starts one book of this session anew, leaving everything else alone. */
  resyncBook(instrument: Instrument): void {
    if (this.isOpen) this.#books.resync(instrument);
  }

  /** Takes a REST answer with a book snapshot. False if it has no usable book of the instrument. */
  deliverSnapshot(instrument: Instrument, answer: RestAnswer): boolean {
    return this.#books.deliver(instrument, answer);
  }

  /** A recording's client sent this frame on the session's connection. */
  noteSent(frame: string): void {
    this.#current?.noteSent(frame);
  }

  /** Disconnects for good. Idempotent. */
  close(): void {
    if (!this.#move("close")) return;
    this.#cancelReconnect?.();
    this.#subscriptions.close();
    this.#releaseLink();
    this.#trades.close();
    this.#current?.close();
  }

  /** @internal Called by the link. */
  onLinkOpen(link: FeedLink): void {
    const { clock, policy, counters, logger, adapter } = this.#options;
    const isRollover = link === this.#replacement.next;
    counters.connects += 1;
    logger.info({ venue: adapter.venue, url: this.plan.url, rollover: isRollover }, "connected");
    if (isRollover) {
      this.#replacement.beginOverlap();
    } else {
      assert(link === this.#current, "a connection that opens leads or is to take over");
      this.#move("opened");
    }
    if (!this.#recorded) this.#replacement.armAge();
    this.#cancelStable?.();
    this.#cancelStable = clock.after(policy.connectionStableMs, () => {
      this.#attempt = 0;
    });
    this.#subscriptions.begin(link, { isRollover });
  }

  /** @internal Called by the link. */
  onLinkFrame(_link: FeedLink): void {
    this.#counters.frames += 1;
  }

  /** @internal Called by the link. */
  onLinkEvent(link: FeedLink, event: FeedLinkEvent): void {
    switch (event.kind) {
      case "subscribed":
        this.#subscriptions.onSubscribed(link, event);
        return;
      case "heartbeat":
        return;
      case "reconnect-requested":
        if (!this.#recorded) this.#replacement.start(event.reason);
        return;
      case "rejected":
        this.#onRejected(event);
        return;
      case "instrument-state":
      case "venue-state":
      case "list-changed":
        this.#options.sink.onMarketState(event);
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
  onLinkTick(link: FeedLink, tick: FeedTick): void {
    // While one connection takes over from another, each event is weighed.
    if (this.#replacement.isWeighing) {
      this.#onData(link, tick.event());
      return;
    }
    if (link !== this.#current) return;
    if (!this.#subscriptions.onData(tick.instrument, tick.channel, link.lastAliveUs)) {
      this.#counters.unrequested += 1;
    } else if (tick.kind !== "trade" || !this.#trades.takeTick(tick)) {
      this.#sink.onTick(tick);
    }
  }

  /** @internal Called by the link. */
  onLinkRefused(link: FeedLink, refused: readonly RefusedEvent[]): void {
    this.#subscriptions.onRefused(link, refused);
  }

  /** @internal Called by the link. */
  onLinkClosed(link: FeedLink, reason: string): void {
    const { counters, logger, adapter } = this.#options;
    if (this.#state === "closed") return;
    if (link.unopenedUrl !== undefined) this.#opener.noteUnopened(link.unopenedUrl);
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
    this.#move("lost");
    this.#current = undefined;
    this.#releaseLink();
    this.#books.onDisconnected(this.#subscriptions.books({ isServed: false }));
    this.#trades.onDisconnected();
    this.#subscriptions.onDisconnected();
    this.#scheduleReconnect();
  }

  /** @internal Called by the replacement. */
  get isReplaceable(): boolean {
    return this.#state !== "closed" && this.isOpen;
  }

  /** @internal Called by the replacement. */
  books(): readonly Instrument[] {
    return this.#subscriptions.books({ isServed: true });
  }

  /** @internal Called by the replacement. */
  dial(ticket: ConnectionTicket): FeedLink {
    const { dialer, address } = this.#options.network;
    return new FeedLink({
      ...this.#options,
      ticket,
      dialer,
      address,
      recorded: this.#recorded,
      owner: this,
    });
  }

  /** @internal Called by the replacement. */
  adopt(link: FeedLink): void {
    this.#move("replaced");
    this.#current?.close();
    this.#current = link;
    this.#options.counters.rollovers += 1;
    this.#subscriptions.onReplaced();
  }

  /** @internal Called by the replacement. */
  forward(delta: RawBook): void {
    this.#options.sink.onData(delta, this.#options.clock.nowUs());
  }

  /** True unless the event means nothing in this state. */
  #move(event: SessionEvent): boolean {
    const before = this.#state;
    const next = SESSION_LIFE[before][event];
    assert(next !== IMPOSSIBLE, "a session meets no event that its state rules out");
    this.#state = next;
    return next !== before;
  }

  #onData(link: FeedLink, event: FeedData): void {
    const { sink, counters } = this.#options;
    const channel = event.kind === "raw-book" ? "book" : CHANNEL_OF_KIND[event.kind];
    if (link === this.#replacement.next) this.#subscriptions.noteNext(event.instrument, channel);
    if (!this.#replacement.accepts(link, event)) return;
    if (link !== this.#current && link !== this.#replacement.next) return;
    if (!this.#subscriptions.onData(event.instrument, channel, link.lastAliveUs)) {
      counters.unrequested += 1;
      return;
    }
    if (event.kind === "raw-book" && event.snapshot) this.#books.onSnapshot(event);
    else if (event.kind === "trade" && this.#trades.take(event)) return;
    sink.onData(event);
  }

  #onRejected(event: Extract<FeedEvent, { kind: "rejected" }>): void {
    const { reason, instrument, channel } = event;
    const isHole = reason === "missing-data" && channel === "trades" && instrument !== undefined;
    // Counted when it is known whether the hole could be filled.
    if (isHole && this.#trades.fill(instrument, reason)) return;
    this.#options.sink.onRejected(reason, instrument, channel);
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

  /** Ends what belongs to a connection that is gone. */
  #releaseLink(): void {
    this.#cancelStable?.();
    this.#replacement.release();
    this.#books.clear();
  }
}
