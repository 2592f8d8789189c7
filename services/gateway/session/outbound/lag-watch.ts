import type { CancelTimer, Clock } from "#core/clock.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { Scheduler } from "../../turns/scheduler.ts";

/** Lag is looked at so often. */
const WATCH_INTERVAL_MS = 1_000;
/** A round that comes this much too late shows that the gateway itself stood still. */
const LATENESS_US_MAX = 1_000_000;

/** Sessions that are looked at in one turn of the event loop. */
const LOOKS_PER_TURN = 1_024;

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
  readonly #scheduler: Scheduler;
  readonly #metrics: GatewayMetrics;
  readonly #watched = new Set<Watched>();
  #cancelTimer: CancelTimer | undefined;
  #lookedAtUs = 0;
  /** A round of looks is under way. */
  #isLooking = false;

  constructor(parts: {
    readonly clock: Clock;
    readonly scheduler: Scheduler;
    readonly metrics: GatewayMetrics;
  }) {
    this.#clock = parts.clock;
    this.#scheduler = parts.scheduler;
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
    if (this.#isLooking) return;
    this.#lookedAtUs = this.#clock.monotonicUs();
    this.#cancelTimer = this.#clock.after(WATCH_INTERVAL_MS, () => this.#look());
  }

  #look(): void {
    this.#cancelTimer = undefined;
    const lateUs = this.#clock.monotonicUs() - this.#lookedAtUs - WATCH_INTERVAL_MS * 1_000;
    this.#isLooking = true;
    this.#lookAt([...this.#watched], 0, { lateUs, largestUs: 0 });
  }

  #lookAt(
    sessions: readonly Watched[],
    first: number,
    round: { readonly lateUs: number; readonly largestUs: number },
  ): void {
    const { lateUs } = round;
    const nowUs = this.#clock.monotonicUs();
    const end = Math.min(sessions.length, first + LOOKS_PER_TURN);
    let { largestUs } = round;
    for (const session of sessions.slice(first, end)) {
      if (!this.#watched.has(session)) continue;
      if (lateUs > LATENESS_US_MAX) session.forgive(lateUs);
      largestUs = Math.max(largestUs, session.judge(nowUs));
    }
    if (end < sessions.length) {
      this.#scheduler.endOfTurn(() => this.#lookAt(sessions, end, { lateUs, largestUs }));
      return;
    }
    this.#isLooking = false;
    // One of those who were judged may have been the last to leave.
    this.#metrics.lagSecondsMax.set(this.#watched.size === 0 ? 0 : largestUs / 1e6);
    if (this.#watched.size > 0) this.#arm();
  }
}
