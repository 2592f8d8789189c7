import { expect, test } from "vitest";
import { batchesOf } from "./batches.ts";

test.each([
  [[], []],
  [["a"], [["a"]]],
  [["a", "b"], [["a", "b"]]],
  [
    ["a", "b", "c"],
    [["a", "b"], ["c"]],
  ],
  [
    ["a", "b", "c", "d", "e"],
    [["a", "b"], ["c", "d"], ["e"]],
  ],
])("%j in twos is %j", (items, batches) => {
  expect(batchesOf(new Set(items), 2)).toEqual(batches);
});

test("a list is not changed by cutting it", () => {
  const items = [1, 2, 3];
  batchesOf(items, 1)[0]?.push(4);
  expect(items).toEqual([1, 2, 3]);
});
