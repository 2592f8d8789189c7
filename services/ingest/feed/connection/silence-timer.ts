import type { CancelTimer, Clock } from "#core/clock.ts";
import { HeldUp } from "#core/held-up.ts";

/**
 * Calls `check` often enough that silence is noticed within a quarter of the shortest one allowed;
 * never, if none is judged, and not in a turn in which what came while this process was held up is
 * still unread. Returns how to stop it.
 */
export function startSilenceTimer(options: {
  readonly clock: Clock;
  /** How long each of those that are judged may be silent. */
  readonly limitsMs: readonly number[];
  readonly check: () => void;
}): CancelTimer {
  const { clock, limitsMs, check } = options;
  if (limitsMs.length === 0) return () => {};
  const shortestMs = limitsMs.reduce((shortest, each) => Math.min(shortest, each), Infinity);
  const intervalMs = Math.max(1, shortestMs / 4);
  const heldUp = new HeldUp(intervalMs);
  let dueUs = 0;
  const arm = (): CancelTimer => {
    dueUs = clock.monotonicUs() + intervalMs * 1_000;
    return clock.after(intervalMs, tick);
  };
  const tick = (): void => {
    const isExcused = heldUp.isExcused(dueUs, clock.monotonicUs());
    cancel = arm();
    if (!isExcused) check();
  };
  let cancel = arm();
  return () => cancel();
}
