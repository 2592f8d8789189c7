import fc from "fast-check";
import { expect, test } from "vitest";
import { oldestFirst } from "./oldest-first.ts";

const byId = (id: string): { id: string } => ({ id });

test("numbers tell the order, whichever way and however mixed they are listed", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.bigInt({ min: 0n, max: 10n ** 27n })), (numbers) => {
      const sorted = numbers.toSorted((a, b) => (a < b ? -1 : 1)).map(String);
      expect(oldestFirst(numbers.map(String), "newest", byId)).toEqual(sorted);
      expect(oldestFirst(numbers.map(String), "oldest", byId)).toEqual(sorted);
    }),
  );
});

test("times tell it where an id is no number, and those of one time stay as listed", () => {
  const trades = [
    { id: "d", time: 3 },
    { id: "b", time: 1 },
    { id: "c", time: 2 },
    { id: "a", time: 1 },
  ];
  const ids = (from: "newest" | "oldest"): string =>
    oldestFirst(trades, from, (trade) => trade)
      .map(({ id }) => id)
      .join("");
  expect(ids("newest")).toBe("abcd");
  expect(ids("oldest")).toBe("bacd");
});

test("without numbers and times a list is turned if it begins with the newest", () => {
  expect(oldestFirst(["x", "2"], "newest", byId)).toEqual(["2", "x"]);
  expect(oldestFirst(["x", "2"], "oldest", byId)).toEqual(["x", "2"]);
  expect(oldestFirst([1, 2], "newest", () => ({ time: Number.NaN }))).toEqual([2, 1]);
});

test("numbers of two instruments are not compared", () => {
  const trades = [
    { id: "7", series: "A" },
    { id: "900", series: "B" },
    { id: "6", series: "A" },
  ];
  const ordered = oldestFirst(trades, "newest", (trade) => trade);
  expect(ordered.filter(({ series }) => series === "A").map(({ id }) => id)).toEqual(["6", "7"]);
});

test("a trade that says nothing of itself does not keep the others from being sorted", () => {
  const trades = [{ id: "3" }, {}, { id: "1" }, { id: "2" }];
  expect(oldestFirst(trades, "newest", (trade) => trade)).toEqual([
    {},
    { id: "1" },
    { id: "2" },
    { id: "3" },
  ]);
});

test("zeros in front do not make a number larger", () => {
  expect(oldestFirst(["0002", "10", "1"], "oldest", byId)).toEqual(["1", "0002", "10"]);
});
