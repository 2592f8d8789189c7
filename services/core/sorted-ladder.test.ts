import { PriceLadder } from "@tickwire/proto/model";
import type { BookSide, Mantissa } from "@tickwire/proto/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SortedLadder } from "./sorted-ladder.ts";

const BEYOND_DOUBLES = 9_007_199_254_740_993n;

/** What a side says of itself. */
function saidBy(ladder: SortedLadder | PriceLadder, price: Mantissa) {
  return {
    count: ladder.count,
    best: ladder.best(),
    bestPrice: ladder.bestPrice(),
    levels: ladder.levels(),
    five: ladder.levels(5),
    size: ladder.sizeAt(price),
  };
}

type Change = (ladder: SortedLadder | PriceLadder) => unknown;

const price = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -40, max: 60 }) as fc.Arbitrary<Mantissa> },
  { weight: 1, arbitrary: fc.constant<Mantissa>(BEYOND_DOUBLES) },
);
const size = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 4 }) as fc.Arbitrary<Mantissa> },
  { weight: 1, arbitrary: fc.constant<Mantissa>(BEYOND_DOUBLES) },
);
const levels = fc
  .array(fc.tuple(price, size), { maxLength: 60 })
  .map((pairs) => ({ prices: pairs.map(([one]) => one), sizes: pairs.map(([, one]) => one) }));
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(price, size).map(
    ([one, other]): Change =>
      (ladder) =>
        ladder.set(one, other),
  ),
  fc.tuple(price, size).map(
    ([one, other]): Change =>
      (ladder) =>
        ladder.set(one, other),
  ),
  levels.map(
    (columns): Change =>
      (ladder) =>
        ladder.replace(columns),
  ),
  fc.nat({ max: 40 }).map(
    (depth): Change =>
      (ladder) =>
        ladder.truncate(depth),
  ),
  fc.constant<Change>((ladder) => ladder.rescale({ price: 1, size: 2 })),
  fc.constant<Change>((ladder) => ladder.clear()),
);

describe.each(["bid", "ask"] as const)("a sorted side of %ss", (side: BookSide) => {
  test("says what a list of any mantissas says, whatever is done to both", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), price, (changes, asked) => {
        const ladder = new SortedLadder(side);
        const list = new PriceLadder(side);
        for (const one of changes) {
          expect(one(ladder)).toEqual(one(list));
          expect(saidBy(ladder, asked)).toEqual(saidBy(list, asked));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("takes columns as it takes their levels one by one", () => {
    const count = 100;
    const prices = Float64Array.from({ length: count }, (_, index) => (index * 37) % 64);
    const sizes = Float64Array.from({ length: count }, (_, index) => (index * 11) % 5);
    const ladder = new SortedLadder(side);
    const list = new PriceLadder(side);
    ladder.setAll({ prices, sizes, count }, 1, count - 1);
    for (let index = 1; index < count - 1; index += 1) list.set(prices[index]!, sizes[index]!);
    expect(saidBy(ladder, 5)).toEqual(saidBy(list, 5));
    expect(list.count).toBeGreaterThan(40);
  });

  test("has a best number for as long as doubles hold its levels", () => {
    const ladder = new SortedLadder(side);
    expect(ladder.bestNumber).toBeNaN();
    ladder.set(7, 1);
    expect(ladder.bestNumber).toBe(7);
    ladder.set(9, BEYOND_DOUBLES);
    expect(ladder.bestNumber).toBeNaN();
    ladder.replace({ prices: [3], sizes: [1] });
    expect(ladder.bestNumber).toBe(3);
  });

  test("is right on either side of the step in which levels are moved by hand", () => {
    for (const count of [23, 24, 25, 26]) {
      const ladder = new SortedLadder(side);
      const list = new PriceLadder(side);
      const sign = side === "bid" ? -1 : 1;
      for (let index = 0; index < count; index += 1) {
        for (const one of [ladder, list]) one.set(100 + sign * index * 2, 1 + index);
      }
      for (const one of [ladder, list]) one.set(100 + sign * (2 * count - 1), 9);
      for (const one of [ladder, list]) one.set(100 + sign * (2 * count - 2), 0);
      expect(saidBy(ladder, 100)).toEqual(saidBy(list, 100));
    }
  });
});
