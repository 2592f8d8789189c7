/** A receiver may put off what it gets for so long; what says more is taken as this. */
const RETRY_AFTER_MS_MAX = 3_600_000;

/** How long a header `Retry-After` (seconds, or a date) says to wait; undefined if it does not. */
export function retryAfterMs(text: string, nowMs: number): number | undefined {
  const waitMs = /^\d+$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.min(Math.max(waitMs, 0), RETRY_AFTER_MS_MAX);
}
