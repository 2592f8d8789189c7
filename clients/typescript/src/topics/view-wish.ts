import type { TopicResult, WireOptions } from "./subscription-entry.ts";

/** What of a subscription can be changed while it lasts. */
export type ViewWish = Pick<WireOptions, "depth" | "conflationIntervalMs">;

/** The longest interval that gateways offer, and the deepest cut. */
export const CONFLATION_INTERVAL_MS_MAX = 10_000;
const DEPTH_MAX = 1_000;

/**
 * Whether the gateway granted what was asked for: at least so many levels, and no more batches. It
 * rounds up; it may send more levels, less often, or both, where it makes as many views as it may.
 */
export function isEnough(asked: ViewWish, granted: TopicResult): boolean {
  // Who may have no more levels has what there is for him.
  if (granted.depthMax > 0) return granted.conflationIntervalMs >= asked.conflationIntervalMs;
  const isCut = granted.topic.endsWith("/book") && asked.depth > 0 && asked.depth <= DEPTH_MAX;
  const hasLevels = isCut ? granted.depth >= asked.depth : granted.depth === 0;
  return hasLevels && granted.conflationIntervalMs >= asked.conflationIntervalMs;
}

/** Whether one is cut to other levels than the other. */
export function differsInDepth(one: ViewWish, other: ViewWish): boolean {
  return one.depth !== other.depth;
}
