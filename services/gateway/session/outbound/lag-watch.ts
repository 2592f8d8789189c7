import type { CancelTimer, Clock } from "#core/clock.ts";
import type { GatewayMetrics } from "../../metrics.ts";

/** Lag is looked at so often. */
const WATCH_INTERVAL_MS = 1_000;
/** A round that comes this much too late shows that the gateway itself stood still. */
const LATENESS_US_MAX = 1_000_000;

/** A session that has something under way. */
export type Watched = {
  /** Judges the client, and returns its lag. */
  judge(nowUs: number): number;
  /** So much time passed in which the gateway did nothing. */
  forgive(lostUs: number): void;
};

/**
 * Looks at every session that has something under way, whether or not anything is sent to it: a
 * client that reads nothing is noticed though its topics are quiet. One timer for all, and none
 * while nothing is under way.
 */
export class LagWatch {
  readonly #clock: Clock;
  readonly #metrics: GatewayMetrics;
  readonly #watched = new Set<Watched>();
  #cancelTimer: CancelTimer | undefined;
  #lookedAtUs = 0;

  constructor(parts: { readonly clock: Clock; readonly metrics: GatewayMetrics }) {
    this.#clock = parts.clock;
    this.#metrics = parts.metrics;
  }

  /** Looks at the session until `leave`. */
  watch(session: Watched): void {
    this.#watched.add(session);
    if (this.#cancelTimer === undefined) this.#arm();
  }

  /** Everything is acknowledged, or the session is over. Idempotent. */
  leave(session: Watched): void {
    this.#watched.delete(session);
    if (this.#watched.size > 0 || this.#cancelTimer === undefined) return;
    this.#cancelTimer();
    this.#cancelTimer = undefined;
    this.#metrics.lagSecondsMax.set(0);
  }

  #arm(): void {
    this.#lookedAtUs = this.#clock.nowUs();
    this.#cancelTimer = this.#clock.after(WATCH_INTERVAL_MS, () => this.#look());
  }

  #look(): void {
    this.#cancelTimer = undefined;
    const nowUs = this.#clock.nowUs();
    const lateUs = nowUs - this.#lookedAtUs - WATCH_INTERVAL_MS * 1_000;
    let largestUs = 0;
    for (const session of this.#watched) {
      if (lateUs > LATENESS_US_MAX) session.forgive(lateUs);
      largestUs = Math.max(largestUs, session.judge(nowUs));
    }
    this.#metrics.lagSecondsMax.set(largestUs / 1e6);
    // One of those who were judged may have been the last to leave.
    if (this.#watched.size > 0 && this.#cancelTimer === undefined) this.#arm();
  }
}
