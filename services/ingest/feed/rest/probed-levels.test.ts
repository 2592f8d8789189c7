import { OrderBook } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import { levelsTextOf, levelsTextOfBook } from "./probed-levels.ts";

test("equal books are equal however their numbers are written and ordered", () => {
  const one = levelsTextOf(
    {
      bids: [
        ["100.50", "1.0"],
        ["100.4", "2"],
      ],
      asks: [["101", "3"]],
    },
    5,
  );
  const other = levelsTextOf(
    {
      bids: [
        ["100.4000", "2e0"],
        ["100.5", "1"],
        ["99", "0"],
      ],
      asks: [["101.0", "3.00"]],
    },
    5,
  );
  expect(other).toBe(one);
  expect(one).toBe("100.5 1, 100.4 2 / 101 3");
});

test("no more levels are compared than are asked for", () => {
  const bids = [
    ["3", "1"],
    ["2", "1"],
    ["1", "1"],
  ] as const;
  expect(levelsTextOf({ bids, asks: [] }, 2)).toBe("3 1, 2 1 / ");
});

test.each(["", "abc", "1e999", "NaN"])("a level of %j is no book", (price) => {
  expect(levelsTextOf({ bids: [[price, "1"]], asks: [] }, 5)).toBeUndefined();
});

test("our own book is written in the same way", () => {
  const book = new OrderBook();
  book.applySnapshot({
    priceScale: 1,
    sizeScale: 2,
    bids: { prices: [1005, 1004], sizes: [100, 250] },
    asks: { prices: [1010], sizes: [300] },
  });
  expect(levelsTextOfBook(book, 5)).toBe("100.5 1, 100.4 2.5 / 101 3");
  expect(levelsTextOfBook(book, 1)).toBe("100.5 1 / 101 3");
});
