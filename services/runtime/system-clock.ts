import type { CancelTimer, Clock } from "#core/clock.ts";

/** The longest delay that the runtime's timers take; longer ones fire at once there. */
const TIMER_MS_MAX = 2_147_483_647;

/** The wall clock may be stepped; beyond this difference the fine clock is set by it again. */
const DRIFT_MS_MAX = 5;

/**
 * The system's clock, in microseconds. Between steps of the wall clock it never goes back and
 * resolves single microseconds; a step (NTP, suspend) is followed as soon as it exceeds 5 ms.
 */
export class SystemClock implements Clock {
  #anchorWallUs = Date.now() * 1000;
  #anchorFineMs = performance.now();

  nowUs(): number {
    const wallMs = Date.now();
    const fineMs = performance.now();
    const nowUs = this.#anchorWallUs + Math.round((fineMs - this.#anchorFineMs) * 1000);
    // The wall clock counts whole milliseconds, so being up to one ahead of it is no drift.
    if (Math.abs(nowUs / 1000 - wallMs) <= DRIFT_MS_MAX) return nowUs;
    this.#anchorWallUs = wallMs * 1000;
    this.#anchorFineMs = fineMs;
    return this.#anchorWallUs;
  }

  /** Delays longer than the runtime can wait in one piece are waited for in several. */
  after(delayMs: number, callback: () => void): CancelTimer {
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      const pieceMs = Math.min(remainingMs, TIMER_MS_MAX);
      timer = setTimeout(() => {
        if (remainingMs > pieceMs) arm(remainingMs - pieceMs);
        else callback();
      }, pieceMs);
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  }
}
