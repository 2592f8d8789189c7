export type BackoffLimits = {
  /** The first attempt waits at most this long. */
  readonly baseMs: number;
  /** No attempt waits longer than this. */
  readonly maxMs: number;
};

/** For reconnecting to something that is normally there. */
export const RECONNECT_BACKOFF: BackoffLimits = { baseMs: 250, maxMs: 30_000 };

/** Beyond this 2^attempt only costs precision; every sensible limit is reached long before. */
const EXPONENT_MAX = 52;

/**
 * How long to wait before attempt number `attempt` (from 0): random * min(maxMs, baseMs *
 * 2^attempt). Full jitter, so that clients that lost one server do not come back in step. `random`
 * gives [0, 1).
 */
export function backoffDelayMs(options: {
  readonly attempt: number;
  readonly limits: BackoffLimits;
  readonly random: () => number;
}): number {
  const { attempt, limits, random } = options;
  const exponent = Math.min(Math.max(attempt, 0), EXPONENT_MAX);
  return random() * Math.min(limits.maxMs, limits.baseMs * 2 ** exponent);
}
