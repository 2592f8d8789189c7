/** How long to wait between attempts. */
export type BackoffLimits = {
  /** The first attempt waits at most this long. */
  readonly baseMs: number;
  /** No attempt waits longer than this. */
  readonly maxMs: number;
  /** No attempt waits less than this, so that thousands do not come back at once. 0 if absent. */
  readonly minMs?: number;
};

/** Beyond this 2^attempt only costs precision; every sensible limit is reached long before. */
const EXPONENT_MAX = 52;

/**
 * How long to wait before attempt number `attempt` (from 0): anything between minMs and min(maxMs,
 * baseMs * 2^attempt). The whole range is used (full jitter), so that clients that lost one server
 * do not come back in step. `random` gives [0, 1).
 */
export function backoffDelayMs(options: {
  readonly attempt: number;
  readonly limits: BackoffLimits;
  readonly random: () => number;
}): number {
  const { attempt, limits, random } = options;
  const exponent = Math.min(Math.max(attempt, 0), EXPONENT_MAX);
  const ceilingMs = Math.min(limits.maxMs, limits.baseMs * 2 ** exponent);
  const floorMs = Math.min(ceilingMs, limits.minMs ?? 0);
  return floorMs + random() * (ceilingMs - floorMs);
}
