import type { CancelTimer, ThreadClock } from "#core/clock.ts";

/** The longest delay that setTimeout accepts; it fires a longer one at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** When the wall clock is stepped by more than this, the fine clock is set by it again. */
const DRIFT_MS_MAX = 5;

/** A pair of readings that took longer than this does not show one moment and is not used. */
const PAIR_MS_MAX = 1;

/** How many pairs are tried per call; the next call tries again. */
const PAIR_ATTEMPTS_MAX = 3;

/** The wall clock and the fine clock at one moment, both in milliseconds. */
type Pair = { readonly wallMs: number; readonly fineMs: number };

/** Undefined if the process was held up between the two readings each time. */
function readPair(): Pair | undefined {
  for (let attempt = 0; attempt < PAIR_ATTEMPTS_MAX; attempt++) {
    const fineMs = performance.now();
    const wallMs = Date.now();
    if (performance.now() - fineMs <= PAIR_MS_MAX) return { wallMs, fineMs };
  }
  return undefined;
}

/**
 * The system's clock, in microseconds. Between steps of the wall clock it never goes back and
 * resolves single microseconds; a step (NTP, suspend) is followed as soon as it exceeds 5 ms.
 */
export class SystemClock implements ThreadClock {
  #anchor: Pair = readPair() ?? { wallMs: Date.now(), fineMs: performance.now() };

  nowUs(): number {
    const wallMs = Date.now();
    const nowUs = this.#fromFine(performance.now());
    if (!isDrift(nowUs, wallMs)) return nowUs;
    // A process that is held up between the two readings looks like a step: look again.
    const pair = readPair();
    if (pair === undefined || !isDrift(this.#fromFine(pair.fineMs), pair.wallMs)) return nowUs;
    this.#anchor = pair;
    return this.#fromFine(pair.fineMs);
  }

  monotonicUs(): number {
    return Math.round(performance.now() * 1000);
  }

  idleUs(): number {
    return performance.eventLoopUtilization().idle * 1_000;
  }

  #fromFine(fineMs: number): number {
    return this.#anchor.wallMs * 1000 + Math.round((fineMs - this.#anchor.fineMs) * 1000);
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

/** The wall clock counts whole milliseconds, so being up to one ahead of it is no drift. */
function isDrift(nowUs: number, wallMs: number): boolean {
  return Math.abs(nowUs / 1000 - wallMs) > DRIFT_MS_MAX;
}
