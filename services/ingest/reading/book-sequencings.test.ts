import { describe, expect, test } from "vitest";
import type { RawBook } from "../feed/feed-adapter.ts";
import { LINKED_CHANGES, RANGED_CHANGES } from "./book-sequencings.ts";

type Numbers = Pick<RawBook, "firstUpdateId" | "lastUpdateId" | "previousUpdateId">;

/** A change of which only the numbers matter. */
function change(numbers: Partial<Numbers>): RawBook {
  return numbers as RawBook;
}

describe("changes with a first and a last number, behind a snapshot at 100", () => {
  test.each([
    [90, 100, true, false],
    [90, 101, false, true],
    [101, 101, false, true],
    [101, 110, false, true],
    [102, 110, false, false],
    [undefined, undefined, false, false],
    [101, undefined, false, false],
    [undefined, 110, false, false],
  ])("%s to %s", (firstUpdateId, lastUpdateId, isCovered, bridges) => {
    const delta = change({ firstUpdateId, lastUpdateId });
    expect(RANGED_CHANGES.isCovered(delta, 100)).toBe(isCovered);
    expect(RANGED_CHANGES.bridges(delta, 100)).toBe(bridges);
  });

  test.each([
    [100, false],
    [101, true],
    [102, false],
    [undefined, false],
  ])("one from %s on follows 100: %s", (firstUpdateId, follows) => {
    expect(RANGED_CHANGES.follows(change({ firstUpdateId, lastUpdateId: 110 }), 100)).toBe(follows);
  });
});

describe("changes that name the one before, behind 100", () => {
  test.each([
    [99, 100, true, false],
    [99, 105, false, false],
    [100, 105, false, true],
    [101, 105, false, false],
    [undefined, undefined, false, false],
  ])("after %s comes %s", (previousUpdateId, lastUpdateId, isCovered, goesOn) => {
    const delta = change({ previousUpdateId, lastUpdateId });
    expect(LINKED_CHANGES.isCovered(delta, 100)).toBe(isCovered);
    expect(LINKED_CHANGES.bridges(delta, 100)).toBe(goesOn);
    expect(LINKED_CHANGES.follows(delta, 100)).toBe(goesOn);
  });
});
