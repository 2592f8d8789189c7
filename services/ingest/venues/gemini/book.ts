// https://developer.gemini.com/websocket/streams
import type { BookSequencing, RawBook } from "../../feed/feed-adapter.ts";

/** Every change of a book says which numbers it covers. */
export const GEMINI_SEQUENCING: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
  bridges: goesOn,
  follows: goesOn,
};

/**
 * A change begins at the number where the one before ended, not at the next: one that begins behind
 * it is missing something.
 */
function goesOn({ firstUpdateId, lastUpdateId }: RawBook, appliedUpdateId: number): boolean {
  if (firstUpdateId === undefined || lastUpdateId === undefined) return false;
  return firstUpdateId <= appliedUpdateId && appliedUpdateId < lastUpdateId;
}
