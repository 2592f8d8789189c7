import type { CancelTimer, Clock } from "#core/clock.ts";

type Timer = { readonly dueUs: number; readonly order: number; readonly callback: () => void };

/**
 * A clock that stands still until it is told the time, and then fires what has become due, in
 * order.
 */
export class VirtualClock implements Clock {
  #nowUs: number;
  #monotonicUs = 0;
  /** Latest first, so that the next one is taken from the end. */
  readonly #timers: Timer[] = [];
  #order = 0;

  constructor(options: { readonly nowUs: number }) {
    this.#nowUs = options.nowUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  monotonicUs(): number {
    return this.#monotonicUs;
  }

  after(delayMs: number, callback: () => void): CancelTimer {
    const dueUs = this.#nowUs + Math.max(0, Math.ceil(delayMs * 1000));
    const timer: Timer = { dueUs, order: this.#order, callback };
    this.#order += 1;
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1] as Timer).dueUs <= dueUs) index -= 1;
    this.#timers.splice(index, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  /**
   * Fires every timer that is due by then, each at its own time, and then stands at `timeUs`. A
   * time before now is taken over as it is: recordings follow clocks that were set back.
   */
  advanceTo(timeUs: number): void {
    for (;;) {
      const next = this.#timers[this.#timers.length - 1];
      if (next === undefined || next.dueUs > timeUs) break;
      this.#timers.pop();
      this.#moveTo(Math.max(this.#nowUs, next.dueUs));
      next.callback();
    }
    this.#moveTo(timeUs);
  }

  #moveTo(timeUs: number): void {
    this.#monotonicUs += Math.max(0, timeUs - this.#nowUs);
    this.#nowUs = timeUs;
  }

  /** Timers that have not fired. */
  get timerCount(): number {
    return this.#timers.length;
  }
}
