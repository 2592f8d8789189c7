import type { CancelTimer } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { bookSyncOf } from "../book-sync-of.ts";
import type { FeedEvent, FeedSubscription } from "../feed-adapter.ts";
import type { FeedLink, RefusedEvent } from "./feed-link.ts";
import type { FeedSessionOptions } from "./feed-session-options.ts";
import { namesOf } from "./refused-requests.ts";
import { SessionRefusals } from "./session-refusals.ts";
import { startSilenceTimer } from "./silence-timer.ts";
import type { SubscriptionRequests } from "./subscription-requests.ts";
import { SubscriptionWatch } from "./subscription-watch.ts";
import type { Expectation, Watched } from "./watched-subscription.ts";

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
  /** Replaces the connection, without a break. */
  readonly replaceConnection: (reason: string) => void;
};

/**
 * What one session subscribes: asks for it on each new connection, hears the venue's answers, asks
 * again for what is not answered or refused for a moment, and renews what has fallen silent. The
 * health of each subscription is the watch's.
 */
export class SessionSubscriptions {
  readonly #options: SessionSubscriptionsOptions;
  readonly #recorded: boolean;
  readonly #watch: SubscriptionWatch;
  readonly #refusals: SessionRefusals;
  /** What the connection that is to take over has confirmed or delivered. */
  #heardOfNext = new Set<Watched>();
  #replacedUs = Number.NEGATIVE_INFINITY;
  #cancelSilence: CancelTimer | undefined;
  #cancelAnswers: CancelTimer | undefined;

  constructor(options: SessionSubscriptionsOptions) {
    this.#options = options;
    this.#recorded = options.recorded ?? false;
    const { sink, plan, fillTrades } = options;
    this.#watch = new SubscriptionWatch({
      subscriptions: plan.subscriptions,
      expect: (subscription) => this.#expect(subscription),
      answerMsMax: options.policy.subscriptionAnswerMsMax,
      learn: this.#recorded,
      listener: {
        onState: (instrument, channel, state, reason) =>
          sink.onChannelState(instrument, channel, state, reason),
        onLearnt: (subscription) => options.onLearnt?.(subscription),
        onInterrupted: fillTrades,
      },
    });
    this.#refusals = new SessionRefusals({
      ...options,
      watch: this.#watch,
      answerUs: (frames) => this.#answerUs(frames),
      onConfirmed: (from, subscription) => this.#onConfirmed(from, subscription),
    });
  }

  /** The health of each subscription, for those who report it. */
  get all(): readonly Watched[] {
    return this.#watch.all;
  }

  /** Says that all of them are being connected, and judges silence from now on. */
  start(): void {
    const { clock, sink } = this.#options;
    for (const { subscription } of this.#watch.all) {
      sink.onChannelState(subscription.instrument, subscription.channel, "syncing", "connecting");
    }
    const limitsMs = this.#watch.all.flatMap(({ expected }) => {
      const { firstDataMsMax, doubtMs } = expected;
      return [firstDataMsMax, doubtMs].filter((limit) => limit !== undefined);
    });
    this.#cancelSilence = startSilenceTimer({
      clock,
      limitsMs: [...Object.values(this.#options.adapter.limits.silenceMsMax), ...limitsMs],
      check: () => this.#checkSilence(),
    });
    if (!this.#recorded) this.#watchAnswers();
  }

  /** Idempotent. */
  close(): void {
    this.#cancelSilence?.();
    this.#cancelAnswers?.();
    this.#refusals.onDisconnected();
  }

  /**
   * Subscribes on a connection that has opened. One that is to take over from another changes
   * nothing about the health of the subscriptions.
   */
  begin(link: FeedLink, options: { readonly isRollover: boolean }): void {
    const { clock, requests, plan } = this.#options;
    const { isRollover } = options;
    const nowUs = clock.monotonicUs();
    if (isRollover) this.#heardOfNext = new Set();
    else this.#watch.onRequested(nowUs);
    // What a recording shows was not asked for by us.
    const wanted = this.#recorded ? plan.subscriptions : this.#wanted();
    const frames = requests.begin(link, wanted);
    if (this.#options.carriesMarket?.() === true) requests.subscribeMarket(link, plan.url);
    if (frames === 0) {
      // Where the address itself subscribes, being connected is the confirmation.
      for (const { subscription } of this.#watch.all) {
        this.#onConfirmed(link, subscription);
      }
      return;
    }
    if (!isRollover) this.#watch.awaitAnswers(nowUs + this.#answerUs(frames));
  }

  /** The connection that was to take over leads now: what it has not confirmed is asked for. */
  onReplaced(): void {
    const nowUs = this.#options.clock.monotonicUs();
    const untilUs = nowUs + this.#answerUs(0);
    for (const watched of this.#watch.all) {
      if (watched.state === "refused" || watched.state === "waiting") continue;
      if (!this.#heardOfNext.has(watched)) this.#watch.awaitAnswer(watched, nowUs, untilUs);
    }
    this.#heardOfNext = new Set();
  }

  /** Subscribes to more, at once if there is a connection, and on each new one. */
  add(subscriptions: readonly FeedSubscription[]): void {
    const { sink, requests, clock } = this.#options;
    for (const subscription of subscriptions) {
      this.#watch.add(subscription);
      sink.onChannelState(subscription.instrument, subscription.channel, "syncing", "connecting");
    }
    const link = this.#options.link();
    if (link === undefined || !link.isOpen) return;
    const frames = requests.subscribe(link, subscriptions);
    const nowUs = clock.monotonicUs();
    for (const { instrument, channel } of subscriptions) {
      const watched = this.#watch.find(instrument, channel);
      if (watched === undefined) continue;
      this.#watch.awaitAnswer(watched, nowUs, nowUs + this.#answerUs(frames));
    }
  }

  /** Ends all that is subscribed of an instrument, and says nothing of it any more. */
  remove(instrument: Instrument, links: readonly (FeedLink | undefined)[]): void {
    const gone = this.#wanted().filter((each) => each.instrument === instrument);
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
      .filter(({ state }) => !options.isServed || !["refused", "unserved"].includes(state))
      .map(({ subscription }) => subscription.instrument);
  }

  /** Data of a subscription arrived. False if nobody asked for it. */
  onData(instrument: Instrument, channel: Channel, nowUs: number): boolean {
    return this.#watch.onData(instrument, channel, nowUs);
  }

  /** The connection that is to take over delivered something of a subscription. */
  noteNext(instrument: Instrument, channel: Channel): void {
    const watched = this.#watch.find(instrument, channel);
    if (watched !== undefined) this.#heardOfNext.add(watched);
  }

  onSubscribed(link: FeedLink, event: Extract<FeedEvent, { kind: "subscribed" }>): void {
    const { venueSymbol, venueMarket, channel } = event;
    const instrument = this.#options.catalog.byVenueSymbol(venueSymbol, venueMarket);
    if (instrument !== undefined) this.#onConfirmed(link, { instrument, channel });
  }

  /** One frame refused all of this. */
  onRefused(link: FeedLink, refused: readonly RefusedEvent[]): void {
    this.#refusals.onRefused(link, refused);
  }

  onDisconnected(): void {
    this.#refusals.onDisconnected();
    this.#watch.onDisconnected();
  }

  #wanted(): readonly FeedSubscription[] {
    return this.#watch.all.map(({ subscription }) => subscription);
  }

  #expect({ instrument, channel }: FeedSubscription): Expectation {
    const { adapter, bookDepth, policy, prober } = this.#options;
    const { silenceMsMax, alwaysSpoken = [] } = adapter.limits;
    const own = silenceMsMax[channel];
    const isAlwaysSpoken = own !== undefined && alwaysSpoken.includes(channel);
    // A recording cannot be asked for anything, and says by its data what it subscribed.
    if (this.#recorded) {
      const unknown = { firstDataMsMax: undefined, doubtMs: undefined };
      return { silenceMsMax: own, isAlwaysSpoken, ...unknown };
    }
    // However a book begins on the connection, it begins there with something.
    const beginsInBand =
      channel === "book" && bookSyncOf(adapter, instrument, { bookDepth }).snapshot !== "rest";
    const canAsk = !isAlwaysSpoken && prober?.canProbe(channel) === true;
    return {
      silenceMsMax: own,
      isAlwaysSpoken,
      firstDataMsMax: beginsInBand ? policy.firstDataMsMax : isAlwaysSpoken ? own : undefined,
      doubtMs: canAsk ? Math.min(own ?? Infinity, policy.doubtMs) : undefined,
    };
  }

  /** How long answers may take: in the venue's pace the last of many frames leaves late. */
  #answerUs(frames: number): number {
    const { policy, adapter } = this.#options;
    const { outgoingFrames, address } = adapter.limits;
    const sendingMs = [outgoingFrames, address?.outgoingFrames ?? outgoingFrames].map(
      ({ count, intervalMs }) => Math.floor(frames / count) * intervalMs,
    );
    return (policy.subscriptionAnswerMsMax + Math.max(...sendingMs)) * 1000;
  }

  #onConfirmed(link: FeedLink, { instrument, channel }: FeedSubscription): void {
    if (link !== this.#options.link()) {
      this.noteNext(instrument, channel);
      return;
    }
    this.#watch.onAcknowledged(instrument, channel, this.#options.clock.monotonicUs());
    if (channel === "book") this.#options.onBookConfirmed(instrument);
  }

  /** Asks again, now and then, for what the venue did not answer or refused for a moment. */
  #watchAnswers(): void {
    const { clock, policy, requests } = this.#options;
    const intervalMs = Math.min(policy.subscriptionAnswerMsMax, policy.refusalBackoffBaseMs) / 4;
    this.#cancelAnswers = clock.after(intervalMs, () => {
      this.#watchAnswers();
      const link = this.#options.link();
      if (link === undefined || !link.isOpen) return;
      const nowUs = clock.monotonicUs();
      const unanswered = this.#watch.takeUnanswered(nowUs);
      if (unanswered.length > 0) requests.repeat(link, unanswered);
      const unserved = this.#watch.all.find(({ state, asks }) => state === "unserved" && asks > 0);
      if (unserved !== undefined) this.#replaceFor(unserved, nowUs);
    });
  }

  #checkSilence(): void {
    const { clock, adapter } = this.#options;
    const link = this.#options.link();
    if (link === undefined || !link.isOpen) return;
    const nowUs = clock.monotonicUs();
    const { judged, stale, attempts } = this.#watch.check(nowUs, {
      recover: (watched) => {
        if (!this.#recorded) this.#recover(link, watched, nowUs);
      },
      doubt: (watched) => this.#doubt(watched),
    });
    const isHung = judged > 0 && stale === judged && attempts >= RECOVERIES_MAX;
    // Quiet books say nothing of a connection on which trades flow.
    const silenceMs = Math.min(...Object.values(adapter.limits.silenceMsMax));
    if (!this.#recorded && isHung && this.#watch.isSilent(nowUs, silenceMs)) {
      link.terminate("every subscription is silent");
    }
  }

  /** Asks for it anew; if that did not help what is surely not served, on another connection. */
  #recover(link: FeedLink, watched: Watched, nowUs: number): void {
    const { requests } = this.#options;
    const isFault = watched.isProvenDead || watched.expected.isAlwaysSpoken;
    const isTried = watched.recoveries >= RECOVERIES_MAX;
    if (isFault && isTried && this.#replaceFor(watched, nowUs)) return;
    this.#watch.awaitAnswer(watched, nowUs, nowUs + this.#answerUs(2));
    requests.renew(link, [watched.subscription]);
  }

  /** False if it was replaced too lately for that to help. */
  #replaceFor({ subscription }: Watched, nowUs: number): boolean {
    const { policy, replaceConnection } = this.#options;
    if ((nowUs - this.#replacedUs) / 1000 < policy.unservedReplacementMs) return false;
    this.#replacedUs = nowUs;
    const [name] = namesOf([subscription]);
    replaceConnection(`the venue does not serve ${name}`);
    return true;
  }

  #doubt(watched: Watched): boolean {
    const { prober, clock } = this.#options;
    if (prober === undefined) return false;
    const { instrument, channel } = watched.subscription;
    return prober.ask({
      instrument,
      channel,
      onVerdict: (verdict) => this.#watch.onVerdict(watched, verdict, clock.monotonicUs()),
    });
  }
}
