import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { quotedText } from "#core/visible-text.ts";
import { bookSyncOf } from "../book-sync-of.ts";
import type { FeedEvent, FeedSubscription } from "../feed-adapter.ts";
import type { FeedLink, RefusedEvent } from "./feed-link.ts";
import type { FeedSessionOptions } from "./feed-session-options.ts";
import { refusalKindOf, type RefusalKind } from "./refusals.ts";
import { halvesOf, namesOf } from "./refused-requests.ts";
import { startSilenceTimer } from "./silence-timer.ts";
import type { SubscriptionRequests } from "./subscription-requests.ts";
import { SubscriptionWatch } from "./subscription-watch.ts";
import type { Expectation, Watched } from "./subscription-watch.ts";

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
  /** What the connection that is to take over has confirmed or delivered. */
  #heardOfNext = new Set<Watched>();
  /** Parts of refused requests that wait to be asked for. */
  #parts: (readonly FeedSubscription[])[] = [];
  #cancelParts: CancelTimer | undefined;
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
    this.#forgetParts();
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
        this.#onConfirmed(link, subscription.instrument, subscription.channel, nowUs);
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
    const { catalog, clock } = this.#options;
    const instrument = catalog.byVenueSymbol(event.venueSymbol, event.venueMarket);
    if (instrument === undefined) return;
    this.#onConfirmed(link, instrument, event.channel, clock.monotonicUs());
  }

  /** One frame refused all of this. */
  onRefused(link: FeedLink, refused: readonly RefusedEvent[]): void {
    const { adapter, clock, policy, bookDepth } = this.#options;
    const [first] = refused;
    if (first === undefined) return;
    const kind = refusalKindOf(first, adapter.refusals);
    const watched = this.#watchedOf(refused);
    const nowUs = clock.monotonicUs();
    if (kind === "harmless") {
      for (const { subscription } of watched) {
        this.#onConfirmed(link, subscription.instrument, subscription.channel, nowUs);
      }
      return;
    }
    if (kind === "too-fast") link.slowDown(policy.tooFastPauseMs);
    // What another connection than ours is refused is asked for again once that leads.
    const subscriptions = watched.map(({ subscription }) => subscription);
    this.#report(first, kind, subscriptions);
    if (link !== this.#options.link()) return;
    const halves = this.#recorded ? undefined : halvesOf(subscriptions, { adapter, bookDepth });
    if (halves !== undefined) {
      this.#askForParts(halves);
      return;
    }
    const words = quotedText([first.code, first.reason].filter(Boolean).join(" "));
    for (const each of watched) this.#onRefusedAlone(each, { kind, words }, nowUs);
  }

  onDisconnected(): void {
    this.#forgetParts();
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
    const beginsInBand =
      channel === "book" && bookSyncOf(adapter, instrument, { bookDepth }).snapshot === "in-band";
    const canAsk = !isAlwaysSpoken && prober?.canProbe(channel) === true;
    return {
      silenceMsMax: own,
      isAlwaysSpoken,
      firstDataMsMax: beginsInBand ? policy.firstDataMsMax : isAlwaysSpoken ? own : undefined,
      doubtMs: canAsk ? (own ?? policy.doubtMs) : undefined,
    };
  }

  /** How long answers may take: in the venue's pace the last of many frames leaves late. */
  #answerUs(frames: number): number {
    const { policy, adapter } = this.#options;
    const { count, intervalMs } = adapter.limits.outgoingFrames;
    return (policy.subscriptionAnswerMsMax + (frames / count) * intervalMs) * 1000;
  }

  #onConfirmed(link: FeedLink, instrument: Instrument, channel: Channel, nowUs: number): void {
    if (link !== this.#options.link()) {
      this.noteNext(instrument, channel);
      return;
    }
    this.#watch.onAcknowledged(instrument, channel, nowUs);
    if (channel === "book") this.#options.onBookConfirmed(instrument);
  }

  #watchedOf(refused: readonly RefusedEvent[]): readonly Watched[] {
    const { catalog } = this.#options;
    const found = new Set<Watched>();
    for (const { venueSymbol, venueMarket, channel } of refused) {
      if (venueSymbol === undefined || channel === undefined) continue;
      const instrument = catalog.byVenueSymbol(venueSymbol, venueMarket);
      const watched = instrument && this.#watch.find(instrument, channel);
      if (watched !== undefined) found.add(watched);
    }
    return [...found];
  }

  #report(
    { reason, code, venueSymbol }: RefusedEvent,
    kind: string,
    subscriptions: readonly FeedSubscription[],
  ): void {
    const { counters, logger, adapter } = this.#options;
    counters.refusals += 1;
    const fields = { venue: adapter.venue, kind, code, reason: quotedText(reason), venueSymbol };
    logger.warn({ ...fields, refused: namesOf(subscriptions) }, "subscription refused");
  }

  #onRefusedAlone(
    watched: Watched,
    { kind, words }: { readonly kind: RefusalKind; readonly words: string },
    nowUs: number,
  ): void {
    const { policy } = this.#options;
    const isOften = watched.refusals + 1 >= policy.refusalsMax;
    // In a recording nobody asks again.
    const final = this.#recorded || kind === "final" || isOften;
    // What is known to pass is asked for in its pace, however long it takes.
    const isOver = kind === "final" || (kind === "unknown" && isOften);
    const waitMs = isOver ? policy.finalRefusalMs : this.#refusalWaitMs(watched.refusals);
    this.#watch.onRefused(watched, { final, words, askAgainUs: nowUs + waitMs * 1000 });
  }

  #refusalWaitMs(refusals: number): number {
    const { policy, random } = this.#options;
    const limits = { baseMs: policy.refusalBackoffBaseMs, maxMs: policy.refusalBackoffMsMax };
    // Half of the longest wait at least, so that what is refused at once is not asked for at once.
    return Math.max(backoffDelayMs({ attempt: refusals, limits, random }), limits.baseMs / 2);
  }

  /** Asks for the parts of a refused request, each by itself, a little later. */
  #askForParts(parts: readonly (readonly FeedSubscription[])[]): void {
    const { clock, policy } = this.#options;
    this.#parts.push(...parts);
    this.#cancelParts ??= clock.after(policy.refusedPartsDelayMs, () => {
      const waiting = this.#parts;
      this.#forgetParts();
      for (const part of waiting) this.#askAgain(part);
    });
  }

  #forgetParts(): void {
    this.#cancelParts?.();
    this.#cancelParts = undefined;
    this.#parts = [];
  }

  #askAgain(subscriptions: readonly FeedSubscription[]): void {
    const { clock, requests } = this.#options;
    const link = this.#options.link();
    if (link === undefined || !link.isOpen) return;
    const nowUs = clock.monotonicUs();
    for (const { instrument, channel } of subscriptions) {
      const watched = this.#watch.find(instrument, channel);
      if (watched !== undefined) this.#watch.awaitAnswer(watched, nowUs, nowUs + this.#answerUs(1));
    }
    requests.repeat(link, subscriptions);
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
    const { clock, adapter } = this.#options;
    const link = this.#options.link();
    if (link === undefined || !link.isOpen) return;
    let worst = 0;
    const nowUs = clock.monotonicUs();
    const { judged, stale } = this.#watch.check(nowUs, {
      recover: (watched) => {
        worst = Math.max(worst, watched.recoveries);
        if (!this.#recorded) this.#recover(link, watched, nowUs);
      },
      doubt: (watched) => this.#doubt(watched),
    });
    const isHung = judged > 0 && stale === judged && worst >= RECOVERIES_MAX;
    // Quiet books say nothing of a connection on which trades flow.
    const silenceMs = Math.min(...Object.values(adapter.limits.silenceMsMax));
    if (!this.#recorded && isHung && this.#watch.isSilent(nowUs, silenceMs)) {
      link.terminate("every subscription is silent");
    }
  }

  /** Asks for it anew; if that did not help what is surely not served, on another connection. */
  #recover(link: FeedLink, watched: Watched, nowUs: number): void {
    const { requests, policy, replaceConnection } = this.#options;
    const isFault = watched.isProvenDead || watched.expected.isAlwaysSpoken;
    const sinceMs = (nowUs - this.#replacedUs) / 1000;
    const isDue = watched.recoveries >= RECOVERIES_MAX && sinceMs >= policy.unservedReplacementMs;
    if (isFault && isDue) {
      this.#replacedUs = nowUs;
      const [name] = namesOf([watched.subscription]);
      replaceConnection(`the venue does not serve ${name}`);
      return;
    }
    this.#watch.awaitAnswer(watched, nowUs, nowUs + this.#answerUs(2));
    requests.renew(link, [watched.subscription]);
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
