import { assert } from "#core/assert.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { StatusReason } from "#core/status-reason.ts";
import type { FeedSubscription } from "../feed-adapter.ts";
import { isJudged, SUBSCRIPTION_LIFE } from "./subscription-life.ts";
import type { SubscriptionEvent } from "./subscription-life.ts";
import { watch } from "./watched-subscription.ts";
import type { Expectation, Watched } from "./watched-subscription.ts";

/** Who hears of the subscriptions of a connection. */
type SubscriptionListener = {
  onState(instrument: Instrument, channel: Channel, state: TopicState, reason: StatusReason): void;
  /** Data showed a subscription that was not planned. */
  onLearnt(subscription: FeedSubscription): void;
  /**
   * Trades flow again after an interruption. True if those that were missed are being fetched:
   * whoever does so then says how it ended, and that the channel is live.
   */
  onInterrupted(instrument: Instrument): boolean;
};

type SubscriptionWatchOptions = {
  readonly subscriptions: readonly FeedSubscription[];
  readonly expect: (subscription: FeedSubscription) => Expectation;
  /** How long a confirmation may take. */
  readonly answerMsMax: number;
  /** Add subscriptions as data shows them: for recordings, which do not say what was subscribed. */
  readonly learn: boolean;
  readonly listener: SubscriptionListener;
};

/** What is done about a subscription that seems dead. */
type SilenceHandlers = {
  /** Asks for it anew, or replaces its connection. */
  readonly recover: (watched: Watched) => void;
  /**
   * Asks the venue whether anything happened. False if it cannot be asked now; what comes of it is
   * told to `onVerdict`, later.
   */
  readonly doubt?: (watched: Watched) => boolean;
};

/** Asked for again in one go; the others follow with the next. */
const UNANSWERED_TAKEN_MAX = 100;

/** What is not answered is asked for after waits that double this often at most. */
const ASK_DOUBLINGS_MAX = 4;

/** A stale subscription is asked for anew after waits that double this often at most. */
const RECOVERY_DOUBLINGS_MAX = 6;

/** That nothing is answered, or no first data comes, is told after it was asked for this often. */
const UNSERVED_RECOVERIES = 3;

/**
 * The subscriptions of one instrument. Those of all instruments have one shape in memory, so that
 * the one of an event is found without a look at its name.
 */
type WatchedChannels = Record<Channel, Watched | undefined>;

/**
 * The health of the subscriptions of one connection, by a clock that is never set; what each state
 * means is in `SUBSCRIPTION_LIFE`. Silence is judged for each of them by its own data: heartbeats
 * and the data of others do not count; for the connection as a whole the data of any of them does.
 * A subscription that has delivered nothing yet is judged from when it was asked for.
 */
export class SubscriptionWatch {
  readonly #options: SubscriptionWatchOptions;
  readonly #watched: Watched[] = [];
  readonly #byInstrument = new Map<Instrument, WatchedChannels>();
  /** Of any of them. */
  #lastDataUs = Number.NEGATIVE_INFINITY;
  /** Most frames are about the instrument of the frame before. */
  #lastInstrument: Instrument | undefined;
  #lastChannels: WatchedChannels | undefined;

  constructor(options: SubscriptionWatchOptions) {
    this.#options = options;
    for (const subscription of options.subscriptions) this.#add(subscription);
  }

  get all(): readonly Watched[] {
    return this.#watched;
  }

  /** Watches one more from now on. Does nothing for one that is watched. */
  add(subscription: FeedSubscription): void {
    const { instrument, channel } = subscription;
    if (this.#byInstrument.get(instrument)?.[channel] !== undefined) return;
    this.#add(subscription);
    this.#lastInstrument = undefined;
  }

  /** Watches nothing of this instrument any more; says nothing of it either. */
  remove(instrument: Instrument): void {
    this.#byInstrument.delete(instrument);
    this.#lastInstrument = undefined;
    const kept = this.#watched.filter(({ subscription }) => subscription.instrument !== instrument);
    this.#watched.splice(0, this.#watched.length, ...kept);
  }

  /** Undefined for what was not asked for. */
  find(instrument: Instrument, channel: Channel): Watched | undefined {
    return this.#byInstrument.get(instrument)?.[channel];
  }

  /** True if data of the subscription is expected and not late. */
  isLive(instrument: Instrument, channel: Channel): boolean {
    const state = this.find(instrument, channel)?.state;
    return state === "live" || state === "doubted";
  }

  /** Data of a subscription arrived. False if nobody asked for it. */
  onData(instrument: Instrument, channel: Channel, nowUs: number): boolean {
    let channels = this.#lastChannels;
    if (instrument !== this.#lastInstrument) {
      channels = this.#byInstrument.get(instrument);
      this.#lastInstrument = instrument;
      this.#lastChannels = channels;
    }
    let watched = channels === undefined ? undefined : watchedIn(channels, channel);
    if (watched === undefined) {
      if (!this.#options.learn) return false;
      watched = this.#learn({ instrument, channel });
    }
    watched.lastDataUs = nowUs;
    this.#lastDataUs = nowUs;
    if (watched.state !== "live") this.#apply(watched, "data");
    return true;
  }

  /** A new connection asks for all of them: silence counts from now. */
  onRequested(nowUs: number): void {
    this.#lastDataUs = nowUs;
    for (const watched of this.#watched) {
      watched.lastDataUs = nowUs;
      watched.asks = 0;
      watched.askedUs = nowUs;
      watched.askAgainUs = Infinity;
      this.#apply(watched, "requested");
    }
  }

  /** What was requested is asked for again unless it is answered until then. */
  awaitAnswers(untilUs: number): void {
    for (const watched of this.#watched) {
      if (watched.state === "pending") watched.askAgainUs = untilUs;
    }
  }

  /**
   * It was asked for while it may be live: it is asked for again unless it is confirmed or served
   * until then.
   */
  awaitAnswer(watched: Watched, nowUs: number, untilUs: number): void {
    watched.askedUs = nowUs;
    watched.askAgainUs = untilUs;
  }

  /** True if nothing of any channel arrived for so long, counted from the request at least. */
  isSilent(nowUs: number, silenceMs: number): boolean {
    return nowUs - this.#lastDataUs > silenceMs * 1000;
  }

  /**
   * Those that are to be asked for again: neither confirmed nor served in time, or refused and
   * their wait is over. Each is told once; whoever is told asks.
   */
  takeUnanswered(nowUs: number): readonly FeedSubscription[] {
    const due: Watched[] = [];
    for (const watched of this.#watched) {
      if (nowUs < watched.askAgainUs || watched.state === "down") continue;
      // Data that came since says more than a confirmation.
      if (watched.lastDataUs > watched.askedUs) {
        watched.askAgainUs = Infinity;
        continue;
      }
      due.push(watched);
      if (due.length >= UNANSWERED_TAKEN_MAX) break;
    }
    for (const watched of due) {
      watched.asks += 1;
      if (watched.state === "pending" && watched.asks >= UNSERVED_RECOVERIES) {
        this.#apply(watched, "unanswered");
      }
      const doublings = Math.min(watched.asks, ASK_DOUBLINGS_MAX);
      const waitUs = this.#options.answerMsMax * 1000 * 2 ** doublings;
      this.awaitAnswer(watched, nowUs, nowUs + waitUs);
    }
    return due.map(({ subscription }) => subscription);
  }

  /** The venue confirmed a subscription. */
  onAcknowledged(instrument: Instrument, channel: Channel, nowUs: number): void {
    const watched = this.find(instrument, channel);
    if (watched === undefined) return;
    watched.askAgainUs = Infinity;
    watched.refusals = 0;
    const { firstDataMsMax } = watched.expected;
    if (watched.state === "pending" || !isJudged(watched.state)) {
      watched.lastDataUs = nowUs;
      watched.recoveries = 0;
      watched.nextRecoveryUs = nowUs + (firstDataMsMax ?? 0) * 1000;
    }
    this.#apply(watched, firstDataMsMax === undefined ? "acknowledged" : "promised");
  }

  /**
   * The venue refused a subscription, which is asked for again at the time that is given. One that
   * is `final`, or was refused too often, is told to be so.
   */
  onRefused(
    watched: Watched,
    refusal: { readonly final: boolean; readonly askAgainUs: number; readonly words: string },
  ): void {
    watched.refusals += 1;
    watched.refusal = refusal.words;
    watched.askAgainUs = refusal.askAgainUs;
    // What came before the refusal does not make up for it.
    watched.askedUs = Infinity;
    this.#apply(watched, refusal.final ? "refused" : "put-off");
  }

  /** The connection is gone. */
  onDisconnected(): void {
    for (const watched of this.#watched) {
      const { state } = watched;
      watched.interrupted ||= state === "live" || state === "stale" || state === "doubted";
      watched.recoveries = 0;
      watched.isProvenDead = false;
      this.#apply(watched, "disconnected");
    }
  }

  /** What the venue's REST showed of a subscription that was doubted. */
  onVerdict(watched: Watched, verdict: "alive" | "dead" | "unknown", nowUs: number): void {
    if (watched.state !== "doubted" && watched.state !== "stale") return;
    const { silenceMsMax, doubtMs = 0 } = watched.expected;
    if (verdict === "dead") {
      if (!watched.isProvenDead) {
        watched.recoveries = 0;
        watched.nextRecoveryUs = nowUs;
      }
      watched.isProvenDead = true;
      watched.nextDoubtUs = nowUs + doubtMs * 1000;
      this.#apply(watched, "unserved");
      return;
    }
    this.#doubtLater(watched, nowUs);
    const isLate = silenceMsMax !== undefined && this.#isLate(watched, silenceMsMax, nowUs);
    if (verdict === "unknown" && silenceMsMax !== undefined) {
      // Then its own limit decides, and is not to be missed.
      watched.nextDoubtUs = Math.max(nowUs, watched.lastDataUs + silenceMsMax * 1000);
    }
    if (watched.state === "stale") {
      // What must have first data shows by it that it is served.
      const isKnown = verdict === "alive" && watched.expected.firstDataMsMax === undefined;
      if (isKnown) this.#apply(watched, "nothing-missed");
      return;
    }
    if (verdict === "alive" || !isLate) this.#apply(watched, "nothing-missed");
    else this.#beginSilence(watched, nowUs);
  }

  /**
   * Finds subscriptions that have been silent for too long: the venue is asked about them, or they
   * become stale. Calls `recover` for one that stays so, each time after a longer wait. Returns how
   * many are judged, how many of them are stale, and how often one of these was asked for in vain.
   */
  check(
    nowUs: number,
    handlers: SilenceHandlers,
  ): { readonly judged: number; readonly stale: number; readonly attempts: number } {
    let judged = 0;
    let stale = 0;
    let attempts = 0;
    for (const watched of this.#watched) {
      const { silenceMsMax, doubtMs } = watched.expected;
      if (!isJudged(watched.state)) continue;
      if (silenceMsMax !== undefined) judged += 1;
      if (this.#isStarting(watched)) {
        this.#checkFirstData(watched, nowUs, handlers.recover);
        if (silenceMsMax === undefined || !this.#isLate(watched, silenceMsMax, nowUs)) continue;
        stale += 1;
        attempts = Math.max(attempts, watched.recoveries, watched.asks);
        continue;
      }
      if (watched.state === "doubted") continue;
      const allowedMs = Math.min(silenceMsMax ?? Infinity, doubtMs ?? Infinity);
      if (!this.#isLate(watched, allowedMs, nowUs)) {
        watched.doubts = 0;
        watched.nextDoubtUs = 0;
        continue;
      }
      if (this.#isDoubted(watched, nowUs, handlers)) continue;
      if (silenceMsMax === undefined && watched.state !== "stale") continue;
      if (silenceMsMax !== undefined) stale += 1;
      if (watched.state !== "stale") this.#beginSilence(watched, nowUs);
      else {
        this.#recover(watched, nowUs, handlers.recover);
        this.#doubtStale(watched, nowUs, handlers);
      }
      if (silenceMsMax !== undefined) attempts = Math.max(attempts, watched.recoveries);
    }
    assert(stale <= judged, "no more subscriptions are stale than are judged");
    return { judged, stale, attempts };
  }

  /** True for one that waits for its beginning: that is watched apart from its silence. */
  #isStarting({ state, askAgainUs }: Watched): boolean {
    // In a recording nobody asks again, and silence is all that there is to judge by.
    if (state === "pending") return askAgainUs !== Infinity;
    return state === "acknowledged" || state === "unserved";
  }

  #isLate(watched: Watched, allowedMs: number, nowUs: number): boolean {
    return nowUs - watched.lastDataUs > allowedMs * 1000;
  }

  /** True if its silence proves nothing, and somebody finds out or has found out what it means. */
  #isDoubted(watched: Watched, nowUs: number, handlers: SilenceHandlers): boolean {
    const { isAlwaysSpoken, doubtMs } = watched.expected;
    if (doubtMs === undefined || isAlwaysSpoken || watched.state !== "live") return false;
    if (nowUs < watched.nextDoubtUs) return true;
    // Where too many wait for the answer it stays as it was until it can be asked about.
    if (handlers.doubt?.(watched) === true) this.#apply(watched, "doubted");
    return true;
  }

  /** One that was asked for anew may be served again and have nothing to say. */
  #doubtStale(watched: Watched, nowUs: number, handlers: SilenceHandlers): void {
    const { isAlwaysSpoken, doubtMs } = watched.expected;
    if (doubtMs === undefined || isAlwaysSpoken) return;
    if (watched.recoveries === 0 || nowUs < watched.nextDoubtUs) return;
    this.#doubtLater(watched, nowUs);
    handlers.doubt?.(watched);
  }

  #doubtLater(watched: Watched, nowUs: number): void {
    watched.doubts += 1;
    const doublings = Math.min(watched.doubts, RECOVERY_DOUBLINGS_MAX);
    watched.nextDoubtUs = nowUs + (watched.expected.doubtMs ?? 0) * 1000 * 2 ** doublings;
  }

  #beginSilence(watched: Watched, nowUs: number): void {
    watched.recoveries = 0;
    watched.nextRecoveryUs = nowUs + (watched.expected.silenceMsMax ?? 0) * 1000;
    this.#apply(watched, "silent");
  }

  #recover(watched: Watched, nowUs: number, recover: SilenceHandlers["recover"]): void {
    if (nowUs < watched.nextRecoveryUs) return;
    const { silenceMsMax, doubtMs = 0 } = watched.expected;
    watched.recoveries += 1;
    const doublings = Math.min(watched.recoveries, RECOVERY_DOUBLINGS_MAX);
    // What is surely dead need not be given the time that it may be silent.
    const waitMs = watched.isProvenDead ? this.#options.answerMsMax : (silenceMsMax ?? doubtMs);
    watched.nextRecoveryUs = nowUs + waitMs * 1000 * 2 ** doublings;
    recover(watched);
  }

  #checkFirstData(watched: Watched, nowUs: number, recover: SilenceHandlers["recover"]): void {
    const { firstDataMsMax: firstDataMs } = watched.expected;
    // One that is not even answered is asked for by whoever waits for answers.
    const isAnswered = watched.state === "acknowledged" || watched.askAgainUs === Infinity;
    if (firstDataMs === undefined || !isAnswered || nowUs < watched.nextRecoveryUs) return;
    watched.recoveries += 1;
    const doublings = Math.min(watched.recoveries, RECOVERY_DOUBLINGS_MAX);
    watched.nextRecoveryUs = nowUs + firstDataMs * 1000 * 2 ** doublings;
    watched.isProvenDead = true;
    if (watched.recoveries >= UNSERVED_RECOVERIES) this.#apply(watched, "unserved");
    recover(watched);
  }

  #add(subscription: FeedSubscription): Watched {
    const { instrument, channel } = subscription;
    const watched = watch(subscription, this.#options.expect(subscription));
    const channels = this.#byInstrument.get(instrument) ?? unwatched();
    channels[channel] = watched;
    this.#byInstrument.set(instrument, channels);
    this.#watched.push(watched);
    return watched;
  }

  #learn(subscription: FeedSubscription): Watched {
    const watched = this.#add(subscription);
    this.#lastInstrument = undefined;
    this.#options.listener.onLearnt(subscription);
    return watched;
  }

  #apply(watched: Watched, event: SubscriptionEvent): void {
    const { next, told } = SUBSCRIPTION_LIFE[watched.state][event];
    watched.state = next;
    if (event === "data") watched.askAgainUs = Infinity;
    if (next === "live") {
      watched.refusals = 0;
      watched.isProvenDead = false;
      watched.recoveries = 0;
    }
    if (told === undefined) return;
    const { instrument, channel } = watched.subscription;
    if (next !== "live") {
      this.#options.listener.onState(instrument, channel, told.state, told.reason);
      return;
    }
    const { interrupted } = watched;
    watched.interrupted = false;
    if (interrupted && channel === "trades" && this.#resumeTrades(instrument)) return;
    this.#options.listener.onState(instrument, channel, told.state, told.reason);
  }

  /** True if somebody else says how it goes on. */
  #resumeTrades(instrument: Instrument): boolean {
    const { listener } = this.#options;
    if (listener.onInterrupted(instrument)) return true;
    // What was traded while nobody listened cannot be known from the stream.
    listener.onState(instrument, "trades", "gap", "reconnected");
    return false;
  }
}

function unwatched(): WatchedChannels {
  return {
    trades: undefined,
    quotes: undefined,
    book: undefined,
    candles: undefined,
    ticker: undefined,
    funding: undefined,
    "mark-price": undefined,
    "open-interest": undefined,
    liquidations: undefined,
    status: undefined,
    listings: undefined,
  };
}

function watchedIn(channels: WatchedChannels, channel: Channel): Watched | undefined {
  if (channel === "book") return channels.book;
  if (channel === "trades") return channels.trades;
  if (channel === "quotes") return channels.quotes;
  return channels[channel];
}
