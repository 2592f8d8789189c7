import type { CancelTimer, Clock } from "#core/clock.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { LagWatch } from "./lag-watch.ts";
import type { Scheduler } from "../../turns/scheduler.ts";

/** Below this a flush is cheap enough to be repeated every turn. */
const CHEAP_FLUSH_US = 1_000;

/** A session that may be owed something. */
export type Flushable = {
  /** Whether it is due with the next round. Owned by the flusher. */
  scheduled: boolean;
  /** Writes what is owed, as far as the transport and the client take it now. */
  flush(nowUs: number): void;
};

/**
 * Flushes every session that is owed something, at the end of the event-loop turn: one write per
 * session however much arrived, because a write costs the same whatever it carries. When a flush
 * takes long, the next waits as long as it took (at most `flushIntervalMsMax`), so that flushing
 * takes at most half of the time and more events share a write.
 */
export class Flusher {
  /** Every session puts its frames together in here, one after the other. */
  readonly frame = new FrameBuffer();
  /** Looks at sessions that have something under way. */
  readonly lags: LagWatch;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #flushIntervalMsMax: number;
  readonly #metrics: GatewayMetrics;
  #due: Flushable[] = [];
  #flushing: Flushable[] = [];
  #armed = false;
  #lastFlushUs = 0;
  #cancelTimer: CancelTimer | undefined;
  #frames = 0;
  #bytes = 0;
  #compressed = 0;

  constructor(parts: {
    readonly clock: Clock;
    readonly scheduler: Scheduler;
    readonly flushIntervalMsMax: number;
    readonly metrics: GatewayMetrics;
  }) {
    this.#clock = parts.clock;
    this.#scheduler = parts.scheduler;
    this.#flushIntervalMsMax = parts.flushIntervalMsMax;
    this.#metrics = parts.metrics;
    this.lags = new LagWatch(parts);
  }

  /** Flushes `session` with the next round. */
  schedule(session: Flushable): void {
    if (session.scheduled) return;
    session.scheduled = true;
    this.#due.push(session);
    if (!this.#armed) this.#arm();
  }

  /** Counts a frame that a session gave to its transport. */
  sent(bytes: number, compressed: boolean): void {
    this.#frames += 1;
    this.#bytes += bytes;
    if (compressed) this.#compressed += 1;
  }

  /** Flushes now. Also used before closing, so that what was queued leaves. */
  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#armed = false;
    const startedUs = this.#clock.nowUs();
    const flushing = this.#due;
    this.#due = this.#flushing;
    this.#flushing = flushing;
    for (const session of flushing) {
      // Cleared first, because what is queued from within belongs to the next round.
      session.scheduled = false;
      session.flush(startedUs);
    }
    flushing.length = 0;
    // A clock that was set back must not make a flush look negative.
    this.#lastFlushUs = Math.max(0, this.#clock.nowUs() - startedUs);
    this.#metrics.flushSeconds.observe(this.#lastFlushUs / 1e6);
    this.#count();
  }

  /** Once a round, because a metric costs as much as assembling a small frame. */
  #count(): void {
    this.#metrics.framesSent.inc(this.#frames);
    this.#metrics.bytesSent.inc(this.#bytes);
    if (this.#compressed > 0) this.#metrics.framesCompressed.inc(this.#compressed);
    this.#frames = 0;
    this.#bytes = 0;
    this.#compressed = 0;
  }

  readonly #onTurn = (): void => {
    if (this.#armed && this.#cancelTimer === undefined) this.flush();
  };

  #arm(): void {
    this.#armed = true;
    const waitMs = Math.min(Math.floor(this.#lastFlushUs / 1000), this.#flushIntervalMsMax);
    if (this.#lastFlushUs < CHEAP_FLUSH_US || waitMs === 0) {
      this.#scheduler.endOfTurn(this.#onTurn);
    } else {
      this.#cancelTimer = this.#clock.after(waitMs, () => this.flush());
    }
  }
}
