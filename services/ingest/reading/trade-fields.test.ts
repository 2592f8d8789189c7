import { expect, test } from "vitest";
import { compareIds, takerSide } from "./trade-fields.ts";

test("the taker's side is read by the venue's own words, and by no others", () => {
  const words = { buyer: "b", seller: "s" };
  expect(["b", "s", "B", "", "buy"].map((word) => takerSide(word, words))).toEqual([
    "buyer",
    "seller",
    undefined,
    "none",
    undefined,
  ]);
  expect(takerSide<unknown>(null, words)).toBe("none");
  expect(takerSide<unknown>(undefined, words)).toBeUndefined();
});

test("ids are ordered as the numbers that they are, however long", () => {
  const ids = ["10", "9", "100000000000000000000", "99999999999999999999", "2"];
  expect(ids.toSorted(compareIds)).toEqual([
    "2",
    "9",
    "10",
    "99999999999999999999",
    "100000000000000000000",
  ]);
  expect(compareIds("7", "7")).toBe(0);
});
