import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Scheduler } from "../../turns/scheduler.ts";
import { VIEW_INTERVALS_MS } from "../view-options.ts";

/** All intervals are multiples of it, and all views of one interval are due together. */
const TICK_MS = 50;
const TICK_US = TICK_MS * 1_000;
/** Views are sent for so long in one turn of the event loop. */
const SLICE_US_MAX = 2_000;

/** A view that may have something to send. */
export type DueView = {
  /** The interval for which it was marked is over. */
  onDue(intervalMs: number): void;
};

/** The views of one interval that have something to send. */
type Due = { readonly ticks: number; readonly views: Set<DueView>; nextTick: number };

type Queued = { readonly view: DueView; readonly intervalMs: number };

/**
 * When views send: at the multiples of their intervals, so that what one session gets of many
 * topics leaves together. One timer for all views, and none while nothing waits. If many are due at
 * once, they take as many turns of the event loop as they need.
 */
export class ViewClock {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #due: ReadonlyMap<number, Due>;
  /** Due now; those before `#next` have had their turn. */
  #queue: Queued[] = [];
  #next = 0;
  #cancelTimer: CancelTimer | undefined;
  #timerTick = Number.POSITIVE_INFINITY;
  #isSending = false;

  constructor(parts: { readonly clock: Clock; readonly scheduler: Scheduler }) {
    this.#clock = parts.clock;
    this.#scheduler = parts.scheduler;
    this.#due = new Map(
      VIEW_INTERVALS_MS.map((intervalMs) => {
        assert(intervalMs % TICK_MS === 0, "intervals are whole ticks");
        return [intervalMs, { ticks: intervalMs / TICK_MS, views: new Set(), nextTick: 0 }];
      }),
    );
  }

  /** On the monotonic clock. */
  get nowUs(): number {
    return this.#clock.monotonicUs();
  }

  /** Calls `onDue` once, when the interval that is running now is over. */
  mark(view: DueView, intervalMs: number): void {
    const due = this.#due.get(intervalMs);
    assert(due !== undefined, `views have the interval ${intervalMs}`);
    if (due.views.size === 0) {
      const tick = Math.floor(this.#clock.monotonicUs() / TICK_US);
      due.nextTick = (Math.floor(tick / due.ticks) + 1) * due.ticks;
    }
    due.views.add(view);
    if (due.nextTick < this.#timerTick) this.#arm(due.nextTick);
  }

  /** Nothing is due any more. Idempotent. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#queue = [];
    this.#next = 0;
    for (const due of this.#due.values()) due.views.clear();
  }

  #arm(tick: number): void {
    this.#cancelTimer?.();
    this.#timerTick = tick;
    const waitMs = (tick * TICK_US - this.#clock.monotonicUs()) / 1_000;
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.ceil(waitMs)), () => this.#onTick());
  }

  #onTick(): void {
    this.#cancelTimer = undefined;
    this.#timerTick = Number.POSITIVE_INFINITY;
    const tick = Math.floor(this.#clock.monotonicUs() / TICK_US);
    let nextTick = Number.POSITIVE_INFINITY;
    for (const [intervalMs, due] of this.#due) {
      if (due.views.size === 0) continue;
      if (due.nextTick <= tick) {
        for (const view of due.views) this.#queue.push({ view, intervalMs });
        due.views.clear();
      } else {
        nextTick = Math.min(nextTick, due.nextTick);
      }
    }
    if (!this.#isSending) this.#send();
    // What was sent may have marked a view again.
    if (nextTick < this.#timerTick) this.#arm(nextTick);
  }

  readonly #send = (): void => {
    const startedUs = this.#clock.monotonicUs();
    this.#isSending = true;
    while (this.#next < this.#queue.length) {
      const { view, intervalMs } = this.#queue[this.#next] as Queued;
      this.#next += 1;
      view.onDue(intervalMs);
      if (this.#clock.monotonicUs() - startedUs >= SLICE_US_MAX) break;
    }
    if (this.#next < this.#queue.length) {
      this.#scheduler.endOfTurn(this.#send);
      return;
    }
    this.#isSending = false;
    this.#queue = [];
    this.#next = 0;
  };
}
