import type { BookSequencing } from "../feed/feed-adapter.ts";

/**
 * Each change has the numbers of its first and of its last update, and begins right behind the
 * change before it.
 */
export const RANGED_CHANGES: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
  bridges: ({ firstUpdateId = Infinity, lastUpdateId = 0 }, snapshotUpdateId) =>
    firstUpdateId <= snapshotUpdateId + 1 && snapshotUpdateId + 1 <= lastUpdateId,
  follows: (delta, lastUpdateId) => delta.firstUpdateId === lastUpdateId + 1,
};

/** Each change has a number, and names the number of the change before it. */
export const LINKED_CHANGES: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
  bridges: (delta, snapshotUpdateId) => delta.previousUpdateId === snapshotUpdateId,
  follows: (delta, lastUpdateId) => delta.previousUpdateId === lastUpdateId,
};
