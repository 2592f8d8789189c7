import { expect, test } from "vitest";
import { changesBySide } from "./changes-by-side.ts";

test("changes are sorted by side and keep their order", () => {
  const changes = [
    ["sell", "3", "1"],
    ["buy", "2", "0"],
    ["buy", "1", "5"],
  ];
  expect(changesBySide(changes)).toEqual({
    bids: [
      ["2", "0"],
      ["1", "5"],
    ],
    asks: [["3", "1"]],
  });
});

test("a list without changes has two empty sides", () => {
  expect(changesBySide([])).toEqual({ bids: [], asks: [] });
});

test("one change without a side spoils the whole list", () => {
  const good = ["buy", "1", "5"];
  for (const bad of [["bid", "1", "5"], [], "buy", null, { 0: "buy" }]) {
    expect(changesBySide([good, bad])).toBeUndefined();
  }
  for (const noList of [undefined, null, "buy", {}, 1])
    expect(changesBySide(noList)).toBeUndefined();
});
