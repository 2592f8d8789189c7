import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Channel } from "#core/instrument.ts";

/**
 * Calls `check` often enough that silence is noticed within a quarter of the shortest one allowed;
 * never, if none is judged. Returns how to stop it.
 */
export function startSilenceTimer(options: {
  readonly clock: Clock;
  readonly silenceMsMax: Partial<Record<Channel, number>>;
  readonly check: () => void;
}): CancelTimer {
  const { clock, silenceMsMax, check } = options;
  const allowedMs = Object.values(silenceMsMax);
  if (allowedMs.length === 0) return () => {};
  const intervalMs = Math.max(1, Math.min(...allowedMs) / 4);
  const tick = (): void => {
    cancel = clock.after(intervalMs, tick);
    check();
  };
  let cancel = clock.after(intervalMs, tick);
  return () => cancel();
}
