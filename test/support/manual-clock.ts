import type { CancelTimer, ThreadClock } from "#core/clock.ts";

type Timer = { readonly atUs: number; readonly order: number; readonly callback: () => void };

/** Timers that one `advance` may run, so that a loop of timers fails instead of hanging. */
const TIMERS_MAX = 1_000_000;

/**
 * A clock that stands still until a test moves it. Timers run in order of time, then of creation.
 */
export class ManualClock implements ThreadClock {
  #nowUs: number;
  #setByUs = 0;
  #heldUs = 0;
  #order = 0;
  #timers: Timer[] = [];

  constructor(startUs: number = 1_700_000_000_000_000) {
    this.#nowUs = startUs;
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** When the next timer is due; undefined if none is set. */
  get nextUs(): number | undefined {
    return this.#next()?.atUs;
  }

  nowUs(): number {
    return this.#nowUs + this.#setByUs;
  }

  monotonicUs(): number {
    return this.#nowUs;
  }

  /** All time but that in which the thread was held. */
  idleUs(): number {
    return this.#nowUs - this.#heldUs;
  }

  /** Sets the wall clock by so much, back if below 0: no time passes, and timers stay. */
  set(milliseconds: number): void {
    this.#setByUs += Math.round(milliseconds * 1_000);
  }

  after(delayMs: number, callback: () => void): CancelTimer {
    const atUs = this.#nowUs + Math.max(0, Math.ceil(delayMs * 1_000));
    const timer = { atUs, order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves the time by this many milliseconds, running what comes due on the way, at its time. */
  advance(milliseconds: number): void {
    this.advanceTo(this.#nowUs + Math.round(milliseconds * 1_000));
  }

  /**
   * Moves the time to this instant (never back), running what comes due on the way, at its time.
   */
  advanceTo(instantUs: number): void {
    for (let ran = 0; ; ran++) {
      const timer = this.#next();
      if (timer === undefined || timer.atUs > instantUs) break;
      if (ran >= TIMERS_MAX) throw new Error(`more than ${TIMERS_MAX} timers in one advance`);
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.#nowUs = Math.max(this.#nowUs, timer.atUs);
      timer.callback();
    }
    this.#nowUs = Math.max(this.#nowUs, instantUs);
  }

  /** Time passes in which no timer can run, as in a busy process: those due run after it. */
  hold(milliseconds: number): void {
    const heldUs = Math.round(milliseconds * 1_000);
    this.#nowUs += heldUs;
    this.#heldUs += heldUs;
    this.advanceTo(this.#nowUs);
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.atUs < next.atUs) next = timer;
    }
    return next;
  }
}
