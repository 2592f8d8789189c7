import { expect, test } from "vitest";
import { diffLevels } from "./level-diff.ts";

const levels = (...pairs: [number | bigint, number][]) => ({
  prices: pairs.map(([price]) => price),
  sizes: pairs.map(([, size]) => size),
});

test("equal levels differ by nothing", () => {
  const same = levels([10, 1], [9, 2]);
  expect(diffLevels(same, levels([10, 1], [9, 2]), true)).toEqual(levels());
});

test("levels that enter, change and leave are told best first, bids from the highest", () => {
  const before = levels([10, 1], [9, 2], [8, 3]);
  const now = levels([11, 5], [10, 1], [9, 4]);
  expect(diffLevels(before, now, true)).toEqual(levels([11, 5], [9, 4], [8, 0]));
});

test("asks are told from the lowest", () => {
  const before = levels([10, 1], [12, 2]);
  const now = levels([11, 3], [12, 2], [13, 9]);
  expect(diffLevels(before, now, false)).toEqual(levels([10, 0], [11, 3], [13, 9]));
});

test("prices beyond the safe integers compare with those within", () => {
  const wide = 2n ** 60n;
  expect(diffLevels(levels([wide, 1]), levels([7, 1]), true)).toEqual(levels([wide, 0], [7, 1]));
});
