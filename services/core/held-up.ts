import { assert } from "./assert.ts";

/** A timer that runs later than this part of its interval shows that the process was held up. */
const LATE_SHARE = 0.5;
/** So many late timers in a row are excused: a process that is always late has to judge too. */
export const EXCUSES_MAX = 10;

/**
 * For whoever judges others by their silence. A process that was stopped, or got no processor, runs
 * the timers that came due before it reads what came meanwhile: what it would judge by is unread.
 */
export class HeldUp {
  readonly #intervalUs: number;
  #excuses = 0;

  /** `intervalMs` lies between two looks. */
  constructor(intervalMs: number) {
    assert(intervalMs > 0, "looks are a positive time apart");
    this.#intervalUs = intervalMs * 1_000;
  }

  /** Whether nobody is judged this time, by a timer that was due then and runs now. */
  isExcused(dueUs: number, nowUs: number): boolean {
    const isLate = nowUs - dueUs > this.#intervalUs * LATE_SHARE;
    this.#excuses = isLate ? this.#excuses + 1 : 0;
    return isLate && this.#excuses <= EXCUSES_MAX;
  }
}
