import { assert } from "#core/assert.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { FeedSubscription } from "../feed-adapter.ts";
import { isJudged, SUBSCRIPTION_LIFE } from "./subscription-life.ts";
import type { SubscriptionEvent, SubscriptionState } from "./subscription-life.ts";

/** One subscription of a connection, and what is known about its health. */
export type Watched = {
  readonly subscription: FeedSubscription;
  /** Undefined if its channel is never judged. */
  readonly silenceMsMax: number | undefined;
  state: SubscriptionState;
  /** When data came last; before the first, when it was asked for. */
  lastDataUs: number;
  /** How often it was asked for anew since it became stale. */
  recoveries: number;
  nextRecoveryUs: number;
  /** When it is asked for again if it is neither confirmed nor served until then. */
  askAgainUs: number;
  /** How often it was asked for in vain on this connection. */
  asks: number;
  /** The connection was lost since the last data, so trades may have been too. */
  interrupted: boolean;
};

/** Who hears of the subscriptions of a connection. */
type SubscriptionListener = {
  onState(instrument: Instrument, channel: Channel, state: TopicState, reason: string): void;
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
  /** Silence that a channel may keep; a channel without an entry is never judged. */
  readonly silenceMsMax: Partial<Record<Channel, number>>;
  /** How long a confirmation may take. */
  readonly answerMsMax: number;
  /** Add subscriptions as data shows them: for recordings, which do not say what was subscribed. */
  readonly learn: boolean;
  readonly listener: SubscriptionListener;
};

/** Asked for again in one go; the others follow with the next. */
const UNANSWERED_TAKEN_MAX = 100;

/** What is not answered is asked for after waits that double this often at most. */
const ASK_DOUBLINGS_MAX = 4;

/** A stale subscription is asked for anew after waits that double this often at most. */
const RECOVERY_DOUBLINGS_MAX = 6;

/**
 * The health of the subscriptions of one connection, by a clock that is never set; what each state
 * means is in `SUBSCRIPTION_LIFE`. Silence is judged for each of them by its own data: heartbeats
 * and the data of others do not count; for the connection as a whole the data of any of them does.
 * A subscription that has delivered nothing yet is judged from when it was asked for.
 */
export class SubscriptionWatch {
  readonly #options: SubscriptionWatchOptions;
  readonly #watched: Watched[] = [];
  readonly #byInstrument = new Map<Instrument, Partial<Record<Channel, Watched>>>();
  /** Of any of them. */
  #lastDataUs = Number.NEGATIVE_INFINITY;
  /** Most frames are about the instrument of the frame before. */
  #lastInstrument: Instrument | undefined;
  #lastChannels: Partial<Record<Channel, Watched>> | undefined;

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

  /** It was asked for on a connection that is open; it is asked for again unless it is answered. */
  awaitAnswer(instrument: Instrument, channel: Channel, nowUs: number, untilUs: number): void {
    const watched = this.#byInstrument.get(instrument)?.[channel];
    if (watched === undefined) return;
    watched.lastDataUs = nowUs;
    watched.askAgainUs = untilUs;
  }

  /** True if data of the subscription is expected and not late. */
  isLive(instrument: Instrument, channel: Channel): boolean {
    return this.#byInstrument.get(instrument)?.[channel]?.state === "live";
  }

  /** Data of a subscription arrived. False if nobody asked for it. */
  onData(instrument: Instrument, channel: Channel, nowUs: number): boolean {
    let channels = this.#lastChannels;
    if (instrument !== this.#lastInstrument) {
      channels = this.#byInstrument.get(instrument);
      this.#lastInstrument = instrument;
      this.#lastChannels = channels;
    }
    let watched = channels?.[channel];
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

  /** True if nothing of any channel arrived for so long, counted from the request at least. */
  isSilent(nowUs: number, silenceMs: number): boolean {
    return nowUs - this.#lastDataUs > silenceMs * 1000;
  }

  /**
   * Those that are to be asked for again: neither confirmed nor served in time, or refused and
   * their wait is over. Each is told once; whoever is told asks.
   */
  takeUnanswered(nowUs: number): readonly FeedSubscription[] {
    const due = this.#watched
      .filter(({ state }) => state === "pending" || state === "refused")
      .filter(({ askAgainUs }) => nowUs >= askAgainUs)
      .slice(0, UNANSWERED_TAKEN_MAX);
    for (const watched of due) {
      watched.asks += 1;
      const doublings = Math.min(watched.asks, ASK_DOUBLINGS_MAX);
      watched.askAgainUs = nowUs + this.#options.answerMsMax * 1000 * 2 ** doublings;
    }
    return due.map(({ subscription }) => subscription);
  }

  /** The venue confirmed a subscription. */
  onAcknowledged(instrument: Instrument, channel: Channel, nowUs: number): void {
    const watched = this.#byInstrument.get(instrument)?.[channel];
    if (watched === undefined || watched.state === "live" || watched.state === "stale") return;
    watched.lastDataUs = nowUs;
    this.#apply(watched, "acknowledged");
  }

  /** The venue refused a subscription, which is asked for again after the wait that is given. */
  onRefused(
    instrument: Instrument,
    channel: Channel,
    askAgainUs: (refusals: number) => number,
  ): void {
    const watched = this.#byInstrument.get(instrument)?.[channel];
    if (watched === undefined) return;
    watched.askAgainUs = askAgainUs(watched.asks);
    this.#apply(watched, "refused");
  }

  /** The connection is gone. */
  onDisconnected(): void {
    for (const watched of this.#watched) {
      watched.interrupted ||= watched.state === "live" || watched.state === "stale";
      watched.recoveries = 0;
      this.#apply(watched, "disconnected");
    }
  }

  /**
   * Finds subscriptions that have been silent for too long; they become stale. Calls `recover` for
   * one that stays so, each time after a longer wait. Returns how many are judged and how many of
   * them are stale.
   */
  check(nowUs: number, recover: (watched: Watched) => void): { judged: number; stale: number } {
    let judged = 0;
    let stale = 0;
    for (const watched of this.#watched) {
      if (watched.silenceMsMax === undefined || !isJudged(watched.state)) continue;
      judged += 1;
      const silenceUs = watched.silenceMsMax * 1000;
      if (nowUs - watched.lastDataUs <= silenceUs) continue;
      stale += 1;
      if (watched.state !== "stale") {
        watched.recoveries = 0;
        watched.nextRecoveryUs = nowUs + silenceUs;
        this.#apply(watched, "silent");
      } else if (nowUs >= watched.nextRecoveryUs) {
        watched.recoveries += 1;
        const doublings = Math.min(watched.recoveries, RECOVERY_DOUBLINGS_MAX);
        watched.nextRecoveryUs = nowUs + silenceUs * 2 ** doublings;
        recover(watched);
      }
    }
    assert(stale <= judged, "no more subscriptions are stale than are judged");
    return { judged, stale };
  }

  #add(subscription: FeedSubscription): Watched {
    const { instrument, channel } = subscription;
    const watched: Watched = {
      subscription,
      silenceMsMax: this.#options.silenceMsMax[channel],
      state: "pending",
      lastDataUs: Number.NEGATIVE_INFINITY,
      recoveries: 0,
      nextRecoveryUs: 0,
      askAgainUs: Infinity,
      asks: 0,
      interrupted: false,
    };
    const channels = this.#byInstrument.get(instrument) ?? {};
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
    if (told === undefined) return;
    const { instrument, channel } = watched.subscription;
    if (next !== "live") {
      this.#options.listener.onState(instrument, channel, told.state, told.reason);
      return;
    }
    watched.recoveries = 0;
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
