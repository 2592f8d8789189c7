import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedEvent, FeedSubscription } from "../feed-adapter.ts";
import type { FeedLink } from "./feed-link.ts";
import type { FeedSessionOptions } from "./feed-session-options.ts";
import { refusalKindOf } from "./refusals.ts";
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
  /** The venue serves the changes of this book from now on. */
  readonly onBookConfirmed: (instrument: Instrument) => void;
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
  #cancelAnswers: CancelTimer | undefined;

  constructor(options: SessionSubscriptionsOptions) {
    this.#options = options;
    this.#recorded = options.recorded ?? false;
    const { sink, adapter, plan, fillTrades } = options;
    this.#watch = new SubscriptionWatch({
      subscriptions: plan.subscriptions,
      silenceMsMax: adapter.limits.silenceMsMax,
      answerMsMax: options.policy.subscriptionAnswerMsMax,
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
    if (!this.#recorded) this.#watchAnswers();
  }

  /** Idempotent. */
  close(): void {
    this.#cancelSilence?.();
    this.#cancelAnswers?.();
  }

  /**
   * Subscribes on a connection that has opened. One that is to take over from another changes
   * nothing about the health of the subscriptions.
   */
  begin(link: FeedLink, options: { readonly isRollover: boolean }): void {
    const { clock, requests, plan, adapter, policy } = this.#options;
    const { isRollover } = options;
    const nowUs = clock.monotonicUs();
    if (!isRollover) this.#watch.onRequested(nowUs);
    // What a recording shows was not asked for by us.
    const wanted = this.#recorded ? plan.subscriptions : this.subscriptions();
    const frames = requests.begin(link, wanted);
    if (this.#options.carriesMarket?.() === true) requests.subscribeMarket(link, plan.url);
    if (isRollover) return;
    // Where the address itself subscribes, being connected is the confirmation.
    if (frames === 0) return this.#acknowledgeAll();
    const { count, intervalMs } = adapter.limits.outgoingFrames;
    // In the venue's pace the last of many frames leaves late.
    const sendingMs = (frames / count) * intervalMs;
    this.#watch.awaitAnswers(nowUs + (policy.subscriptionAnswerMsMax + sendingMs) * 1000);
  }

  /** What the session subscribes. */
  subscriptions(): readonly FeedSubscription[] {
    return this.#watch.all.map(({ subscription }) => subscription);
  }

  /** Subscribes to more, at once if there is a connection, and on each new one. */
  add(subscriptions: readonly FeedSubscription[]): void {
    const { sink, requests, clock, policy } = this.#options;
    for (const subscription of subscriptions) {
      this.#watch.add(subscription);
      sink.onChannelState(subscription.instrument, subscription.channel, "syncing", "connecting");
    }
    const link = this.#options.link();
    if (link === undefined || !link.isOpen || requests.subscribe(link, subscriptions) === 0) return;
    const nowUs = clock.monotonicUs();
    const untilUs = nowUs + policy.subscriptionAnswerMsMax * 1000;
    for (const { instrument, channel } of subscriptions) {
      this.#watch.awaitAnswer(instrument, channel, nowUs, untilUs);
    }
  }

  /** Ends all that is subscribed of an instrument, and says nothing of it any more. */
  remove(instrument: Instrument, links: readonly (FeedLink | undefined)[]): void {
    const gone = this.subscriptions().filter((each) => each.instrument === instrument);
    this.#watch.remove(instrument);
    if (gone.length === 0) return;
    for (const link of links) {
      if (link?.isOpen === true) this.#options.requests.unsubscribe(link, gone);
    }
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
    if (instrument !== undefined) this.#onConfirmed(instrument, event.channel, clock.monotonicUs());
  }

  onRefused(event: Extract<FeedEvent, { kind: "refused" }>): void {
    const { counters, logger, adapter, catalog, clock } = this.#options;
    const { venueSymbol, venueMarket, channel, reason } = event;
    const kind = refusalKindOf(reason);
    const nowUs = clock.monotonicUs();
    if (kind !== "repeated") {
      counters.refusals += 1;
      const { venue } = adapter;
      logger.warn({ venue, venueSymbol, channel, reason, kind }, "subscription refused");
    }
    if (venueSymbol === undefined || channel === undefined) return;
    const instrument = catalog.byVenueSymbol(venueSymbol, venueMarket);
    if (instrument === undefined) return;
    if (kind === "repeated") this.#onConfirmed(instrument, channel, nowUs);
    else {
      this.#watch.onRefused(
        instrument,
        channel,
        (refusals) => nowUs + this.#refusalWaitMs(kind, refusals) * 1000,
      );
    }
  }

  onDisconnected(): void {
    this.#watch.onDisconnected();
  }

  #acknowledgeAll(): void {
    const nowUs = this.#options.clock.monotonicUs();
    for (const { subscription } of this.#watch.all) {
      this.#onConfirmed(subscription.instrument, subscription.channel, nowUs);
    }
  }

  #onConfirmed(instrument: Instrument, channel: Channel, nowUs: number): void {
    this.#watch.onAcknowledged(instrument, channel, nowUs);
    if (channel === "book") this.#options.onBookConfirmed(instrument);
  }

  #refusalWaitMs(kind: "final" | "passing", refusals: number): number {
    const { policy, random } = this.#options;
    if (kind === "final") return policy.finalRefusalMs;
    const limits = { baseMs: policy.refusalBackoffBaseMs, maxMs: policy.refusalBackoffMsMax };
    // Half of the longest wait at least, so that what is refused at once is not asked for at once.
    return Math.max(backoffDelayMs({ attempt: refusals, limits, random }), limits.baseMs / 2);
  }

  /** Asks again, now and then, for what the venue did not answer or refused for a moment. */
  #watchAnswers(): void {
    const { clock, policy, requests } = this.#options;
    const intervalMs = Math.min(policy.subscriptionAnswerMsMax, policy.refusalBackoffBaseMs) / 4;
    this.#cancelAnswers = clock.after(intervalMs, () => {
      this.#watchAnswers();
      const link = this.#options.link();
      if (link === undefined || !link.isOpen) return;
      const unanswered = this.#watch.takeUnanswered(clock.monotonicUs());
      if (unanswered.length > 0) requests.repeat(link, unanswered);
    });
  }

  #checkSilence(): void {
    const { clock, requests } = this.#options;
    const link = this.#options.link();
    if (link === undefined || !link.isOpen) return;
    let worst = 0;
    const nowUs = clock.monotonicUs();
    const { judged, stale } = this.#watch.check(nowUs, (watched: Watched) => {
      worst = Math.max(worst, watched.recoveries);
      if (!this.#recorded) requests.renew(link, [watched.subscription]);
    });
    const isHung = judged > 0 && stale === judged && worst >= RECOVERIES_MAX;
    // Quiet books say nothing of a connection on which trades flow.
    const silenceMs = Math.min(...Object.values(this.#options.adapter.limits.silenceMsMax));
    if (!this.#recorded && isHung && this.#watch.isSilent(nowUs, silenceMs)) {
      link.terminate("every subscription is silent");
    }
  }
}
