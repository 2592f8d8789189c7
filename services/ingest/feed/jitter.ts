/**
 * Full jitter: a random wait between 0 and base * 2^attempt, which never exceeds `msMax`. Attempts count from 0;
 * `random` returns numbers in [0, 1).
 */
export function fullJitterMs(options: {
  readonly attempt: number;
  readonly baseMs: number;
  readonly msMax: number;
  readonly random: () => number;
}): number {
  const { attempt, baseMs, msMax, random } = options;
  // 2^30 is beyond any maximum that makes sense; the bound keeps the power finite.
  return random() * Math.min(msMax, baseMs * 2 ** Math.min(attempt, 30));
}
