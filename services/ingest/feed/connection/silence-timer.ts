import type { CancelTimer, Clock } from "#core/clock.ts";

/**
 * Calls `check` often enough that silence is noticed within a quarter of the shortest one allowed;
 * never, if none is judged. Returns how to stop it.
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
  const tick = (): void => {
    cancel = clock.after(intervalMs, tick);
    check();
  };
  let cancel = clock.after(intervalMs, tick);
  return () => cancel();
}
