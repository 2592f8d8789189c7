import type { Channel, Instrument } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { FeedSubscription } from "../feed-adapter.ts";

/** One subscription of a connection, and what is known about its health. */
export type Watched = {
  readonly subscription: FeedSubscription;
  readonly silenceMsMax: number | undefined;
  state: "pending" | "live" | "stale" | "refused" | "down";
  lastDataUs: number;
  /** Asked for anew since it became stale. */
  recoveries: number;
  nextRecoveryUs: number;
  /** The connection was lost since the last data, so trades may have been too. */
  interrupted: boolean;
};

export type SubscriptionWatchOptions = {
  readonly subscriptions: readonly FeedSubscription[];
  /** Silence that a channel may keep; a channel without an entry is never judged. */
  readonly silenceMsMax: Partial<Record<Channel, number>>;
  /** Add subscriptions as data shows them: for recordings, which do not say what was subscribed. */
  readonly learn: boolean;
  readonly onState: (
    instrument: Instrument,
    channel: Channel,
    state: TopicState,
    reason: string,
  ) => void;
  readonly onLearnt?: (subscription: FeedSubscription) => void;
  /**
   * Trades flow again after an interruption. True if those that were missed are being fetched: who
   * does so then says how it ended, and that the channel is live.
   */
  readonly onInterrupted?: (instrument: Instrument) => boolean;
};

/**
 * The health of the subscriptions of one connection. Silence is judged for each of them by its own
 * data: heartbeats and the data of others do not count. A subscription that has delivered nothing
 * yet is judged from when it was made.
 */
export class SubscriptionWatch {
  readonly #options: SubscriptionWatchOptions;
  readonly #watched: Watched[] = [];
  readonly #byInstrument = new Map<Instrument, Partial<Record<Channel, Watched>>>();
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
    if (watched.state !== "live") {
      this.#becomeLive(watched, watched.state === "stale" ? "data-resumed" : "data");
    }
    return true;
  }

  /** The subscribe request for it was sent: silence counts from now. */
  onRequested(nowUs: number): void {
    for (const watched of this.#watched) {
      watched.lastDataUs = nowUs;
      if (watched.state !== "refused" && watched.state !== "down") continue;
      watched.state = "pending";
      const { instrument, channel } = watched.subscription;
      this.#options.onState(instrument, channel, "syncing", "subscribing");
    }
  }

  /** The venue confirmed a subscription. */
  onAcknowledged(instrument: Instrument, channel: Channel, nowUs: number): void {
    const watched = this.#byInstrument.get(instrument)?.[channel];
    if (watched === undefined || watched.state === "live" || watched.state === "stale") return;
    watched.lastDataUs = nowUs;
    this.#becomeLive(watched, "subscribed");
  }

  /** The venue refused a subscription. */
  onRefused(instrument: Instrument, channel: Channel): void {
    const watched = this.#byInstrument.get(instrument)?.[channel];
    if (watched === undefined) return;
    watched.state = "refused";
    this.#options.onState(instrument, channel, "down", "refused");
  }

  /** The connection is gone. */
  onDisconnected(reason: string): void {
    for (const watched of this.#watched) {
      const hadData = watched.state === "live" || watched.state === "stale";
      watched.interrupted = watched.interrupted || hadData;
      watched.recoveries = 0;
      if (watched.state === "down") continue;
      watched.state = "down";
      const { instrument, channel } = watched.subscription;
      this.#options.onState(instrument, channel, "down", reason);
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
      if (watched.silenceMsMax === undefined) continue;
      if (watched.state === "refused" || watched.state === "down") continue;
      judged += 1;
      const silenceUs = watched.silenceMsMax * 1000;
      if (nowUs - watched.lastDataUs <= silenceUs) continue;
      stale += 1;
      if (watched.state !== "stale") {
        watched.state = "stale";
        watched.recoveries = 0;
        watched.nextRecoveryUs = nowUs + silenceUs;
        const { instrument, channel } = watched.subscription;
        this.#options.onState(instrument, channel, "stale", "silent");
      } else if (nowUs >= watched.nextRecoveryUs) {
        watched.recoveries += 1;
        watched.nextRecoveryUs = nowUs + silenceUs * 2 ** Math.min(watched.recoveries, 6);
        recover(watched);
      }
    }
    return { judged, stale };
  }

  #add(subscription: FeedSubscription): Watched {
    const { instrument, channel } = subscription;
    const watched: Watched = {
      subscription,
      silenceMsMax: this.#options.silenceMsMax[channel],
      state: "pending",
      lastDataUs: 0,
      recoveries: 0,
      nextRecoveryUs: 0,
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
    this.#options.onLearnt?.(subscription);
    return watched;
  }

  #becomeLive(watched: Watched, reason: string): void {
    const { instrument, channel } = watched.subscription;
    watched.state = "live";
    watched.recoveries = 0;
    if (watched.interrupted && channel === "trades") {
      watched.interrupted = false;
      if (this.#options.onInterrupted?.(instrument) === true) return;
      // What was traded while nobody listened cannot be known from the stream.
      this.#options.onState(instrument, channel, "gap", "reconnected");
    }
    watched.interrupted = false;
    this.#options.onState(instrument, channel, "live", reason);
  }
}
