import type { TopicResult } from "./subscription-entry.ts";
import type { ViewWish } from "./view-wish.ts";

/** The deepest cut that gateways offer. */
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
