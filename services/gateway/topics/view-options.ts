import type { Channel } from "#core/instrument.ts";

/** How much of a topic a view shows. */
export type ViewOptions = {
  /** Levels of each side of a book; 0 shows all of them. */
  readonly depth: number;
  /** Milliseconds between two batches; 0 sends every event. */
  readonly intervalMs: number;
  /** Milliseconds by which everything comes later, for those who may not have it at once. */
  readonly delayMs?: number;
};

/** Every level and every event. */
export const RAW_VIEW: ViewOptions = { depth: 0, intervalMs: 0 };

/** Depths that books are cut to. They are few, so that many subscriptions share a view. */
const VIEW_DEPTHS = [1, 5, 10, 20, 50, 100, 500, 1_000];
/** Intervals at which views send, all of them multiples of the first. */
export const VIEW_INTERVALS_MS = [50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000];
/** A longer one is refused: rounding it down would send more than the client asked for. */
export const VIEW_INTERVAL_MS_MAX = 10_000;

/** What a client asks for. */
export type ViewWish = { readonly depth: number; readonly conflationIntervalMs: number };

/**
 * The view that a client gets of a topic: depth and interval rounded up to those that there are.
 * Undefined if the interval is longer than all of them. Only books have a depth.
 */
export function offeredView(
  channel: Channel,
  { depth, conflationIntervalMs }: ViewWish,
): ViewOptions | undefined {
  if (conflationIntervalMs > VIEW_INTERVAL_MS_MAX) return undefined;
  return {
    depth: channel === "book" ? roundedUp(depth, VIEW_DEPTHS) : 0,
    intervalMs: roundedUp(conflationIntervalMs, VIEW_INTERVALS_MS),
  };
}

/** The deepest of the depths that there are that is no deeper than this; 1 at least. */
export function shallowerDepth(depthMax: number): number {
  return VIEW_DEPTHS.findLast((step) => step <= depthMax) ?? 1;
}

/** Whether a view shows the topic as it was published. */
export function isRaw({ depth, intervalMs }: ViewOptions): boolean {
  return depth === 0 && intervalMs === 0;
}

/** 0 stays; what is more than all steps becomes 0, which stands for no bound. */
function roundedUp(value: number, steps: readonly number[]): number {
  return value === 0 ? 0 : (steps.find((step) => step >= value) ?? 0);
}

/**
 * The view that does for the one that is wanted: cut to as many levels or more, sent as often or
 * less often, and nearest to it in its interval, then in its depth. Undefined if none does.
 */
export function nearestView(
  wanted: ViewOptions,
  views: readonly ViewOptions[],
): ViewOptions | undefined {
  const doing = views.filter(({ depth, intervalMs }) => {
    // Who wants the best levels is not sent all of them, which may be very many.
    const hasLevels = wanted.depth === 0 ? depth === 0 : depth >= wanted.depth;
    return hasLevels && intervalMs >= wanted.intervalMs;
  });
  const nearestFirst = doing.toSorted((one, other) => {
    return one.intervalMs - other.intervalMs || one.depth - other.depth;
  });
  return nearestFirst[0];
}
