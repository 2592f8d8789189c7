import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";

type SilenceWatchParts = {
  readonly clock: Clock;
  /** Silence is measured in steps of at most so long. */
  readonly stepMs: number;
  /** Nobody was heard for as long as it was armed for. */
  readonly onSilent: () => void;
};

/**
 * A step that ends later than this part of its length tells nothing: this process was held up, and
 * what others said meanwhile is still unread.
 */
const LATE_STEP_SHARE = 0.5;
/** So many late steps in one silence are excused: one that is always late has to judge too. */
export const LATE_STEPS_MAX = 10;

/**
 * For how long nobody who leads was heard, in time in which this process could have heard it. What
 * passes while it is stopped, or gets no processor, does not count. After our own connection to the
 * bus was gone, the others have the time of a grace to come back, whatever silence is armed.
 */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  #graceUntilUs = Number.NEGATIVE_INFINITY;
  #lateSteps = 0;
  #cancel: CancelTimer | undefined;

  constructor(parts: SilenceWatchParts) {
    assert(parts.stepMs > 0, "silence is measured in steps of a positive length");
    this.#parts = parts;
  }

  /** Nobody is judged before so much time has passed. */
  beginGrace(graceMs: number): void {
    this.#graceUntilUs = this.#parts.clock.monotonicUs() + graceMs * 1_000;
  }

  /** Whoever leads is back. */
  endGrace(): void {
    this.#graceUntilUs = Number.NEGATIVE_INFINITY;
  }

  /** Begins anew: `onSilent` is called after so long, unless it is armed again or cancelled. */
  arm(delayMs: number): void {
    const graceMs = (this.#graceUntilUs - this.#parts.clock.monotonicUs()) / 1_000;
    this.#lateSteps = 0;
    this.#step(Math.max(delayMs, graceMs));
  }

  cancel(): void {
    this.#cancel?.();
  }

  #step(restMs: number): void {
    const { clock, onSilent } = this.#parts;
    const stepMs = Math.min(restMs, this.#parts.stepMs);
    const dueUs = clock.monotonicUs() + stepMs * 1_000;
    this.#cancel?.();
    this.#cancel = clock.after(stepMs, () => {
      const lateMs = (clock.monotonicUs() - dueUs) / 1_000;
      const isLate = lateMs > this.#parts.stepMs * LATE_STEP_SHARE;
      if (isLate && this.#lateSteps < LATE_STEPS_MAX) {
        this.#lateSteps += 1;
        this.#step(restMs);
      } else if (stepMs < restMs) this.#step(restMs - stepMs);
      else onSilent();
    });
  }
}
