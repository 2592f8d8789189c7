import { VIEW_INTERVALS_MS } from "../../topics/view-options.ts";

/** What one topic costs a session, and what may be done about it. Intervals are 0 or offered. */
export type TopicRate = {
  readonly bytesPerSecond: number;
  /** At which it is sent now. */
  readonly intervalMs: number;
  /** At which the client wants it. */
  readonly askedMs: number;
  /** The longest at which sending it less often saves anything. */
  readonly intervalMsMax: number;
};

/** The topic at this place of the list is to be sent at another interval. */
export type IntervalChange = { readonly index: number; readonly intervalMs: number };

/** What is aimed at when there is too much, as a part of the bound. */
const WIDEN_TO = 0.9;
/** So much of the bound may be used again when intervals get shorter. */
const NARROW_TO = 0.75;
/** No interval grows by more at once: what it saves is a guess until it is measured. */
const FACTOR_MAX = 4;
/** Every event is about as much as this interval would be, for lack of a better guess. */
const RAW_AS_MS = 25;

/**
 * What to send less often, so that all topics together come to less than `bytesPerSecondMax`: the
 * largest, down to a level that is the same for all. Topics below it are left alone. Empty if
 * there is not too much, or nothing that would help.
 */
export function widerIntervals(
  rates: readonly TopicRate[],
  bytesPerSecondMax: number,
): readonly IntervalChange[] {
  const total = sumOf(rates);
  if (total <= bytesPerSecondMax) return [];
  const canGrow = rates.filter(({ intervalMs, intervalMsMax }) => intervalMs < intervalMsMax);
  const fixed = total - sumOf(canGrow);
  const level = fairLevel(canGrow, bytesPerSecondMax * WIDEN_TO - fixed);
  const changes: IntervalChange[] = [];
  for (const [index, rate] of rates.entries()) {
    const { bytesPerSecond, intervalMs, intervalMsMax } = rate;
    if (intervalMs >= intervalMsMax || bytesPerSecond <= level) continue;
    const factor = Math.min(FACTOR_MAX, level > 0 ? bytesPerSecond / level : FACTOR_MAX);
    const wantedMs = Math.max(intervalMs, RAW_AS_MS) * factor;
    const next = VIEW_INTERVALS_MS.find((each) => each > intervalMs && each >= wantedMs);
    changes.push({ index, intervalMs: Math.min(next ?? intervalMsMax, intervalMsMax) });
  }
  return changes;
}

/**
 * What to send more often again, each a step at most: the cheapest first, as long as all topics
 * together stay well below `bytesPerSecondMax`.
 */
export function narrowerIntervals(
  rates: readonly TopicRate[],
  bytesPerSecondMax: number,
): readonly IntervalChange[] {
  const steps: (IntervalChange & { readonly cost: number })[] = [];
  for (const [index, { bytesPerSecond, intervalMs, askedMs }] of rates.entries()) {
    if (intervalMs <= askedMs) continue;
    const shorter = VIEW_INTERVALS_MS.findLast((each) => each < intervalMs) ?? 0;
    const next = Math.max(shorter, askedMs);
    const cost = bytesPerSecond * (intervalMs / Math.max(next, RAW_AS_MS) - 1);
    steps.push({ index, intervalMs: next, cost });
  }
  const changes: IntervalChange[] = [];
  let total = sumOf(rates);
  for (const { index, intervalMs, cost } of steps.toSorted((one, other) => one.cost - other.cost)) {
    if (total + cost > bytesPerSecondMax * NARROW_TO) break;
    total += cost;
    changes.push({ index, intervalMs });
  }
  return changes;
}

/** The level to which the largest would have to come down, so that all together come to `sum`. */
function fairLevel(rates: readonly TopicRate[], sum: number): number {
  const rising = rates.map(({ bytesPerSecond }) => bytesPerSecond).toSorted((a, b) => a - b);
  let left = sum;
  for (const [index, each] of rising.entries()) {
    const share = left / (rising.length - index);
    if (each > share) return Math.max(0, share);
    left -= each;
  }
  return Number.POSITIVE_INFINITY;
}

function sumOf(rates: readonly TopicRate[]): number {
  return rates.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
}
