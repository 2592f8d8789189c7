import { backoffDelayMs as delayMs } from "@tickwire/proto/model";

/** How long to wait between attempts. */
export type BackoffOptions = {
  /** Upper bound of the first wait. */
  readonly baseMs: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
};

// A tenth of the base keeps the first attempt of thousands of clients from being an immediate one.
const FLOOR_SHARE = 0.1;

/**
 * Full jitter: anything between a tenth of the base and min(maxMs, baseMs * 2^attempt), for
 * `attempt` from 0. `random` is in [0, 1). Never 0, also for the first attempt.
 */
export function backoffDelayMs(
  attempt: number,
  options: BackoffOptions,
  random: () => number,
): number {
  const limits = { ...options, minMs: options.baseMs * FLOOR_SHARE };
  return Math.max(1, Math.round(delayMs({ attempt, limits, random })));
}
