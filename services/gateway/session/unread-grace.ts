import type { CancelTimer, Clock } from "#core/clock.ts";

/** What came while the process stood still is read within this. */
const GRACE_MS = 250;

/**
 * As `clock.after`, for what a client is late with. When a process that was stopped goes on, its
 * timers come before its sockets: what has come in time, and is not read yet, is waited for.
 */
export function afterReading(clock: Clock, delayMs: number, callback: () => void): CancelTimer {
  const firstMs = Math.max(0, delayMs - GRACE_MS);
  let cancel = clock.after(firstMs, () => {
    cancel = clock.after(delayMs - firstMs, callback);
  });
  return () => cancel();
}
