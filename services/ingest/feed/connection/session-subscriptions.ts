import type { CancelTimer } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedEvent } from "../feed-adapter.ts";
import type { FeedLink } from "./feed-link.ts";
import type { FeedSessionOptions } from "./feed-session-options.ts";
import { startSilenceTimer } from "./silence-timer.ts";
import type { SubscriptionRequests } from "./subscription-requests.ts";
import { SubscriptionWatch } from "./subscription-watch.ts";
import type { Watched } from "./subscription-watch.ts";

/** Renewing silent subscriptions this often in vain means that the connection itself is hung. */
const RECOVERIES_MAX = 2;

type SessionSubscriptionsOptions = FeedSessionOptions & {
  readonly requests: SubscriptionRequests;
  /** The connection that leads now. */
  readonly link: () => FeedLink | undefined;
  /** Fetches the trades that an interruption cost. False if that cannot be done. */
  readonly fillTrades: (instrument: Instrument) => boolean;
};

/**
 * What one session subscribes: asks for it on each new connection, hears the venue's answers, and
 * renews what has fallen silent. The health of each subscription is the watch's.
 */
export class SessionSubscriptions {
  readonly #options: SessionSubscriptionsOptions;
  readonly #recorded: boolean;
  readonly #watch: SubscriptionWatch;
  #cancelSilence: CancelTimer | undefined;

  constructor(options: SessionSubscriptionsOptions) {
    this.#options = options;
    this.#recorded = options.recorded ?? false;
    const { sink, adapter, plan, fillTrades } = options;
    this.#watch = new SubscriptionWatch({
      subscriptions: plan.subscriptions,
      silenceMsMax: adapter.limits.silenceMsMax,
      learn: this.#recorded,
      listener: {
        onState: (instrument, channel, state, reason) =>
          sink.onChannelState(instrument, channel, state, reason),
        onLearnt: (subscription) => options.onLearnt?.(subscription),
        onInterrupted: fillTrades,
      },
    });
  }

  /** Says that all of them are being connected, and judges silence from now on. */
  start(): void {
    const { adapter, clock, sink } = this.#options;
    for (const { subscription } of this.#watch.all) {
      sink.onChannelState(subscription.instrument, subscription.channel, "syncing", "connecting");
    }
    this.#cancelSilence = startSilenceTimer({
      clock,
      silenceMsMax: adapter.limits.silenceMsMax,
      check: () => this.#checkSilence(),
    });
  }

  /** Idempotent. */
  close(): void {
    this.#cancelSilence?.();
  }

  /**
   * Subscribes on a connection that has opened. One that is to take over from another changes
   * nothing about the health of the subscriptions.
   */
  begin(link: FeedLink, options: { readonly isRollover: boolean }): void {
    const { clock, requests, plan } = this.#options;
    const { isRollover } = options;
    if (!isRollover) this.#watch.onRequested(clock.nowUs());
    const isAsked = requests.begin(link, plan.subscriptions);
    // Where the address itself subscribes, being connected is the confirmation.
    if (!isAsked && !isRollover) this.#acknowledgeAll();
  }

  isLive(instrument: Instrument, channel: Channel): boolean {
    return this.#watch.isLive(instrument, channel);
  }

  /** The books of the connection; `isServed` leaves out those that the venue refused. */
  books(options: { readonly isServed: boolean }): readonly Instrument[] {
    return this.#watch.all
      .filter(({ subscription }) => subscription.channel === "book")
      .filter(({ state }) => !options.isServed || state !== "refused")
      .map(({ subscription }) => subscription.instrument);
  }

  /** Data of a subscription arrived. False if nobody asked for it. */
  onData(instrument: Instrument, channel: Channel, nowUs: number): boolean {
    return this.#watch.onData(instrument, channel, nowUs);
  }

  onSubscribed(event: Extract<FeedEvent, { kind: "subscribed" }>): void {
    const { catalog, clock } = this.#options;
    const instrument = catalog.byVenueSymbol(event.venueSymbol, event.venueMarket);
    if (instrument !== undefined) {
      this.#watch.onAcknowledged(instrument, event.channel, clock.nowUs());
    }
  }

  onRefused(event: Extract<FeedEvent, { kind: "refused" }>): void {
    const { counters, logger, adapter, catalog } = this.#options;
    counters.refusals += 1;
    const { venueSymbol, venueMarket, channel, reason } = event;
    logger.warn({ venue: adapter.venue, venueSymbol, channel, reason }, "subscription refused");
    if (venueSymbol === undefined || channel === undefined) return;
    const instrument = catalog.byVenueSymbol(venueSymbol, venueMarket);
    if (instrument !== undefined) this.#watch.onRefused(instrument, channel);
  }

  onDisconnected(): void {
    this.#watch.onDisconnected();
  }

  #acknowledgeAll(): void {
    const nowUs = this.#options.clock.nowUs();
    for (const { subscription } of this.#watch.all) {
      this.#watch.onAcknowledged(subscription.instrument, subscription.channel, nowUs);
    }
  }

  #checkSilence(): void {
    const { clock, requests } = this.#options;
    const link = this.#options.link();
    if (link === undefined || !link.isOpen) return;
    let worst = 0;
    const { judged, stale } = this.#watch.check(clock.nowUs(), (watched: Watched) => {
      worst = Math.max(worst, watched.recoveries);
      if (!this.#recorded) requests.renew(link, [watched.subscription]);
    });
    if (!this.#recorded && judged > 0 && stale === judged && worst >= RECOVERIES_MAX) {
      link.terminate("every subscription is silent");
    }
  }
}
