import type { CancelTimer, ThreadClock } from "#core/clock.ts";
import type { GatewayLatency, GatewayMetrics } from "../../metrics.ts";
import { FanOut } from "../../topics/fan-out.ts";
import { SendResult } from "../../transport/transport.ts";
import { CompressionTime } from "./compression-time.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { LagWatch } from "./lag-watch.ts";
import type { Scheduler } from "../../turns/scheduler.ts";

/** Below this a flush is cheap enough to be repeated every turn. */
const CHEAP_FLUSH_US = 1_000;

/** Asked in one turn of the event loop, if that is short; the rest of a round comes in the next. */
const SLICE_SESSIONS_MAX = 256;
/** The clock is read after so many lists that leave without their sessions. */
const LISTS_PER_LOOK = 16;
/**
 * So long may a slice take, or as long as everything else took since the slice before it, up to the
 * other: who receives much in each turn sends as much.
 */
const SLICE_US_MIN = 2_000;
const SLICE_US_MAX = 5_000;
/**
 * The same of a round that its first slice did not end: the second may take twice as long as all
 * else, the third three times, up to the first of these or, where all else takes longer than
 * SLICE_US_MAX, up to the other. With less of the time than it needs, sending would fall behind for
 * good, because what has piled up takes longer to send.
 */
const LATER_SLICE_US_MAX = 8_000;
const LONG_SLICE_US_MAX = 50_000;

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
 * one in each turn, so that nobody's request waits for everybody's data. The longer a round takes
 * and turns are, the longer are its slices.
 *
 * A session to which only plain batches are under way is not asked at all: what is in its list
 * leaves as a frame, which all lists of the same batches share (see FanOut and QuickLists). A round
 * serves the sessions that have scheduled themselves first, and then the lists.
 */
export class Flusher {
  /** Every session puts its frames together in here, one after the other. */
  readonly frame = new FrameBuffer();
  /** Gives batches to sessions, which take them when they are flushed. */
  readonly fanOut: FanOut;
  /** Looks at sessions that have something under way. */
  readonly lags: LagWatch;
  /** How long frames may be compressed. */
  readonly compression: CompressionTime;
  readonly #clock: ThreadClock;
  readonly #scheduler: Scheduler;
  readonly #flushIntervalMsMax: number;
  readonly #metrics: GatewayMetrics;
  #due: Flushable[] = [];
  /** Sessions of the round under way, and how many lists; those before `#next` had their turn. */
  #flushing: Flushable[] = [];
  #lists = 0;
  #next = 0;
  /** When the last slice ended, on the monotonic clock. */
  #slicedAtUs: number;
  /** How many slices the round under way had so far. */
  #slices = 0;
  /** What they took. */
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
    readonly clock: ThreadClock;
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
    this.compression = new CompressionTime(parts);
    this.fanOut = new FanOut(parts.metrics, undefined, () => {
      if (!this.#armed) this.#arm();
    });
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
    this.#endRound();
  }

  #beginRound(): void {
    const flushing = this.#due;
    this.#due = this.#flushing;
    this.#flushing = flushing;
    this.#lists = this.fanOut.beginRound();
    this.#slices = 0;
    this.#roundUs = 0;
  }

  /** What came meanwhile has a round of its own. */
  #endRound(): void {
    this.#armed = false;
    if (this.#due.length > 0 || this.fanOut.due > 0) this.#arm();
  }

  /** Goes on with the round, to its end or to that of a slice. */
  #slice(isCut: boolean): void {
    this.compression.gain();
    const startedUs = this.#clock.monotonicUs();
    const othersUs = startedUs - this.#slicedAtUs;
    this.#slices += 1;
    const sliceUs = sliceUsOf(this.#slices, othersUs);
    const asksMax = sliceUs > LATER_SLICE_US_MAX ? Number.POSITIVE_INFINITY : SLICE_SESSIONS_MAX;
    const untilUs = startedUs + sliceUs;
    const sessions = this.#flushing.length;
    const end = sessions + this.#lists;
    for (let asked = 0, passed = 0; this.#next < end;) {
      const place = this.#next;
      this.#next += 1;
      if (place >= sessions && this.#pass(place - sessions, startedUs)) {
        passed += 1;
        if (passed % LISTS_PER_LOOK > 0) continue;
      } else {
        if (place < sessions) this.#ask(this.#flushing[place] as Flushable, startedUs);
        asked += 1;
        if (isCut && asked === asksMax) break;
      }
      if (isCut && this.#clock.monotonicUs() >= untilUs) break;
    }
    // On a clock that no change of the system's moves.
    this.#slicedAtUs = this.#clock.monotonicUs();
    this.#roundUs += this.#slicedAtUs - startedUs;
    this.#count();
    if (this.#next < end) return;
    this.#next = 0;
    this.#flushing.length = 0;
    this.#lists = 0;
    this.fanOut.endRound();
    this.#lastFlushUs = this.#roundUs;
    this.#metrics.flushSeconds.observe(this.#roundUs / 1e6);
  }

  #ask(session: Flushable, nowUs: number): void {
    // Cleared first, because what is queued from within belongs to the next round.
    session.scheduled = false;
    session.flush(nowUs);
  }

  /** The turn of a list; false if its owner had to be asked. */
  #pass(place: number, nowUs: number): boolean {
    const { fanOut } = this;
    const { quick } = fanOut;
    const list = fanOut.beginTurn(place);
    const way = quick.wayOf(list, nowUs);
    if (way !== undefined) {
      // Its session was flushed in this round already.
      if (fanOut.countOf(list) === 0) return true;
      const frame = fanOut.frameOf(list);
      if (frame !== undefined && quick.allows(list, frame.byteLength)) {
        const { latency, receivedAtUs } = fanOut.oldestOf(list);
        const result = way.send(frame, false);
        if (result !== SendResult.Dropped) {
          this.sent(frame.byteLength, false);
          // A session that closed meanwhile has taken its list, and counted it as owed.
          if (quick.wayOf(list, nowUs) === undefined) return true;
          if (latency !== undefined) this.measure(latency, receivedAtUs);
          quick.passed(list, frame.byteLength);
          fanOut.sent(list);
          if (result === SendResult.Sent) return true;
        }
      }
    }
    fanOut.giveTurn(list, nowUs);
    return false;
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
    if (this.#next > 0) this.#scheduler.endOfTurn(this.#onTurn);
    else this.#endRound();
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

/** How long a slice of a round may take, the first one or a later one. */
function sliceUsOf(number: number, othersUs: number): number {
  const wantedUs = Math.max(SLICE_US_MIN, othersUs * number);
  if (number === 1) return Math.min(SLICE_US_MAX, wantedUs);
  return Math.min(othersUs > SLICE_US_MAX ? LONG_SLICE_US_MAX : LATER_SLICE_US_MAX, wantedUs);
}
