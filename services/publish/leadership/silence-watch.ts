import type { CancelTimer, Clock } from "#core/clock.ts";
import { HeldUp } from "#core/held-up.ts";

type SilenceWatchParts = {
  readonly clock: Clock;
  /** Silence is measured in steps of at most so long. */
  readonly stepMs: number;
  /** Nobody was heard for as long as it was armed for. */
  readonly onSilent: () => void;
};

/**
 * For how long nobody who leads was heard, in time in which this process could have heard it. What
 * passes while it is stopped, or gets no processor, does not count. After our own connection to the
 * bus was gone, the others have the time of a grace to come back, whatever silence is armed.
 */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  #graceUntilUs = Number.NEGATIVE_INFINITY;
  readonly #heldUp: HeldUp;
  #cancel: CancelTimer | undefined;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
    this.#heldUp = new HeldUp(parts.stepMs);
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
      if (this.#heldUp.isExcused(dueUs, clock.monotonicUs())) this.#step(restMs);
      else if (stepMs < restMs) this.#step(restMs - stepMs);
      else onSilent();
    });
  }
}
