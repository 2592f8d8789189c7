import type { CancelTimer, Clock } from "#core/clock.ts";
import type { GatewayLatency, GatewayMetrics } from "../../metrics.ts";
import { FanOut } from "../../topics/fan-out.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { LagWatch } from "./lag-watch.ts";
import type { Scheduler } from "../../turns/scheduler.ts";

/** Below this a flush is cheap enough to be repeated every turn. */
const CHEAP_FLUSH_US = 1_000;

/** Of one round in one turn of the event loop; the rest of it comes in the next one. */
const SLICE_SESSIONS_MAX = 256;
/**
 * So long may a slice take, or as long as everything else took since the slice before it, up to the
 * other: who receives much in each turn sends as much.
 */
const SLICE_US_MIN = 2_000;
const SLICE_US_MAX = 5_000;

/** Of so many frames with market data one is measured. */
const FRAMES_PER_MEASUREMENT = 16;

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
 * takes at most half of the time and more events share a write. A long round is cut into slices,
 * one in each turn, so that nobody's request waits for everybody's data.
 */
export class Flusher {
  /** Every session puts its frames together in here, one after the other. */
  readonly frame = new FrameBuffer();
  /** Gives batches to sessions, which take them when they are flushed. */
  readonly fanOut: FanOut;
  /** Looks at sessions that have something under way. */
  readonly lags: LagWatch;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #flushIntervalMsMax: number;
  readonly #metrics: GatewayMetrics;
  #due: Flushable[] = [];
  /** Sessions of the round under way; those before `#next` had their turn. */
  #flushing: Flushable[] = [];
  #next = 0;
  /** When the last slice ended, on the monotonic clock. */
  #slicedAtUs: number;
  /** What the slices of the round under way took. */
  #roundUs = 0;
  #armed = false;
  #lastFlushUs = 0;
  #cancelTimer: CancelTimer | undefined;
  #frames = 0;
  #bytes = 0;
  #compressed = 0;
  /** Frames with market data since one was measured; the first one is. */
  #unmeasured = FRAMES_PER_MEASUREMENT;

  constructor(parts: {
    readonly clock: Clock;
    readonly scheduler: Scheduler;
    readonly flushIntervalMsMax: number;
    readonly metrics: GatewayMetrics;
  }) {
    this.#clock = parts.clock;
    this.#scheduler = parts.scheduler;
    this.#slicedAtUs = parts.clock.monotonicUs();
    this.#flushIntervalMsMax = parts.flushIntervalMsMax;
    this.#metrics = parts.metrics;
    this.lags = new LagWatch(parts);
    this.fanOut = new FanOut(parts.metrics);
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

  /**
   * Counts how long the oldest batch of a frame took through the gateway, for one frame of
   * FRAMES_PER_MEASUREMENT: enough to know, and too few to cost anything. A batch that was kept has
   * no time, and is passed over for the next frame.
   */
  measure({ receiveToSocket }: GatewayLatency, receivedAtUs: number): void {
    this.#unmeasured += 1;
    if (this.#unmeasured < FRAMES_PER_MEASUREMENT || receivedAtUs === 0) return;
    this.#unmeasured = 0;
    receiveToSocket.observe(this.#clock.monotonicUs() - receivedAtUs);
  }

  /** Flushes everything now. Also used before closing, so that what was queued leaves. */
  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#armed = true;
    if (this.#next > 0) this.#slice(false);
    this.#beginRound();
    this.#slice(false);
    this.#armed = false;
    if (this.#due.length > 0) this.#arm();
  }

  #beginRound(): void {
    const flushing = this.#due;
    this.#due = this.#flushing;
    this.#flushing = flushing;
    this.#roundUs = 0;
  }

  /** Goes on with the round, to its end or to that of a slice. */
  #slice(isCut: boolean): void {
    const startedUs = this.#clock.monotonicUs();
    const flushing = this.#flushing;
    const { length } = flushing;
    const end = isCut ? Math.min(length, this.#next + SLICE_SESSIONS_MAX) : length;
    const othersUs = startedUs - this.#slicedAtUs;
    const untilUs = startedUs + Math.min(SLICE_US_MAX, Math.max(SLICE_US_MIN, othersUs));
    while (this.#next < end) {
      const session = flushing[this.#next] as Flushable;
      this.#next += 1;
      // Cleared first, because what is queued from within belongs to the next round.
      session.scheduled = false;
      session.flush(startedUs);
      if (isCut && this.#clock.monotonicUs() >= untilUs) break;
    }
    // On a clock that no change of the system's moves.
    this.#slicedAtUs = this.#clock.monotonicUs();
    this.#roundUs += this.#slicedAtUs - startedUs;
    this.#count();
    if (this.#next < flushing.length) return;
    this.#next = 0;
    flushing.length = 0;
    this.#lastFlushUs = this.#roundUs;
    this.#metrics.flushSeconds.observe(this.#roundUs / 1e6);
  }

  /** Once a slice, because a metric costs as much as assembling a small frame. */
  #count(): void {
    this.#metrics.framesSent.inc(this.#frames);
    this.#metrics.bytesSent.inc(this.#bytes);
    if (this.#compressed > 0) this.#metrics.framesCompressed.inc(this.#compressed);
    this.#frames = 0;
    this.#bytes = 0;
    this.#compressed = 0;
  }

  readonly #onTurn = (): void => {
    if (!this.#armed || this.#cancelTimer !== undefined) return;
    if (this.#next === 0) this.#beginRound();
    this.#slice(true);
    if (this.#next > 0) {
      this.#scheduler.endOfTurn(this.#onTurn);
      return;
    }
    // What came meanwhile has a round of its own.
    this.#armed = false;
    if (this.#due.length > 0) this.#arm();
  };

  #arm(): void {
    this.#armed = true;
    const waitMs = Math.min(Math.floor(this.#lastFlushUs / 1000), this.#flushIntervalMsMax);
    if (this.#lastFlushUs < CHEAP_FLUSH_US || waitMs === 0) {
      this.#scheduler.endOfTurn(this.#onTurn);
      return;
    }
    this.#cancelTimer = this.#clock.after(waitMs, () => {
      this.#cancelTimer = undefined;
      this.#onTurn();
    });
  }
}
