import { expect, test } from "vitest";
import { groupBy } from "./groups.ts";

test("items keep their order, within their groups and of groups", () => {
  const groups = groupBy(["bat", "ant", "bee", "asp", "cat"], (word) => word[0]);
  expect([...groups]).toEqual([
    ["b", ["bat", "bee"]],
    ["a", ["ant", "asp"]],
    ["c", ["cat"]],
  ]);
});

test("nothing has no groups, and undefined is a key like others", () => {
  expect(groupBy([], String).size).toBe(0);
  expect([...groupBy([1, 2], () => undefined)]).toEqual([[undefined, [1, 2]]]);
});
