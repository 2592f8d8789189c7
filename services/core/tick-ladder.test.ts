import { isDeepStrictEqual } from "node:util";
import { PriceLadder } from "@tickwire/proto/model";
import type { BookSide, Mantissa } from "@tickwire/proto/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CHANGES_JUDGED,
  TickLadder,
  WINDOW_LEVELS_MIN,
  WINDOW_TICKS_MAX,
  WINDOW_TICKS_MIN,
} from "./tick-ladder.ts";

/** The same changes on both: the sorted list is what the ladder has to equal. */
class Pair {
  readonly ladder: TickLadder;
  readonly list: PriceLadder;
  /** What the ladder said where the list said something else. */
  readonly differences: unknown[] = [];

  constructor(side: BookSide) {
    this.ladder = new TickLadder(side);
    this.list = new PriceLadder(side);
  }

  /** So many changes that the ladder may have a window now. */
  makeBusy(): void {
    const { price, size } = this.list.best() ?? { price: 9_770, size: 1 };
    for (let one = 0; one < CHANGES_JUDGED; one += 1) this.ladder.set(price, 1 + (one % 7));
    this.both((ladder) => ladder.set(price, size));
  }

  both(change: (ladder: TickLadder | PriceLadder) => unknown): void {
    const said = change(this.ladder);
    const right = change(this.list);
    if (!isDeepStrictEqual(said, right)) this.differences.push({ said, right });
  }

  compare(depth = 20): void {
    this.both((ladder) => ladder.count);
    this.both((ladder) => ladder.best());
    this.both((ladder) => ladder.bestPrice());
    this.both((ladder) => ladder.levels(depth));
    this.#compareNumbers(depth);
  }

  /** What can be read as numbers is what the list has. */
  #compareNumbers(depth: number): void {
    const { ladder, list } = this;
    const room = ladder.count;
    const columns = { prices: new Float64Array(room), sizes: new Float64Array(room) };
    const count = ladder.readBest(depth, columns.prices, columns.sizes);
    if (count < 0) return;
    const prices = [...columns.prices.subarray(0, count)];
    const sizes = [...columns.sizes.subarray(0, count)];
    const right = list.levels(depth);
    if (!isDeepStrictEqual({ prices, sizes }, right)) this.differences.push({ prices, right });
    const best = Number.isNaN(ladder.bestNumber) ? undefined : ladder.bestNumber;
    if (best !== list.bestPrice()) this.differences.push({ best, right: list.bestPrice() });
  }
}

/** Levels at `count` prices beside each other, the best first. */
function run(side: BookSide, best: number, count: number, tick = 1) {
  const sign = side === "bid" ? -1 : 1;
  const prices = Array.from({ length: count }, (_, index) => best + sign * index * tick);
  return { prices, sizes: prices.map((_, index) => 1 + index) };
}

describe.each(["bid", "ask"] as const)(
  "levels of the %s side are those of a sorted list",
  (side) => {
    test.each([WINDOW_LEVELS_MIN - 1, WINDOW_LEVELS_MIN, WINDOW_LEVELS_MIN + 1])(
      "%d of them, set one by one and removed again",
      (count) => {
        const pair = new Pair(side);
        const { prices, sizes } = run(side, 9_770, count);
        for (const [index, price] of prices.entries()) {
          pair.both((ladder) => ladder.set(price, sizes[index]!));
          pair.compare();
        }
        for (const price of prices) {
          pair.both((ladder) => ladder.sizeAt(price));
          pair.both((ladder) => ladder.set(price, 0));
          pair.compare();
        }
        expect(pair.differences).toEqual([]);
      },
    );

    test("where the best price leaves what the window spans, better and worse", () => {
      const sign = side === "bid" ? 1 : -1;
      const pair = new Pair(side);
      pair.both((ladder) => ladder.replace(run(side, 1_000_000, 300)));
      pair.makeBusy();
      for (const steps of [WINDOW_TICKS_MIN / 4 - 1, WINDOW_TICKS_MIN / 4, WINDOW_TICKS_MIN]) {
        pair.both((ladder) => ladder.set(1_000_000 + sign * steps, 5));
        pair.compare(400);
        pair.both((ladder) => ladder.set(1_000_000 - sign * (3 * steps + 1), 6));
        pair.compare(400);
      }
      for (const price of pair.list.levels().prices.slice(0, -3)) {
        pair.both((ladder) => ladder.set(price, 0));
        pair.compare(400);
      }
      expect(pair.differences).toEqual([]);
    });

    test("where prices have a larger step than one, until one lies between", () => {
      const pair = new Pair(side);
      pair.both((ladder) => ladder.replace(run(side, 97_700_000, 500, 50)));
      pair.makeBusy();
      pair.both((ladder) => ladder.set(97_700_025, 3));
      pair.both((ladder) => ladder.sizeAt(97_700_010));
      pair.compare(600);
      expect(pair.differences).toEqual([]);
    });

    test.each([15, 16, 17, 60, 1_000])("where levels are %i steps apart", (gap) => {
      const pair = new Pair(side);
      const { prices, sizes } = run(side, 5_000_000, 600, gap);
      pair.both((ladder) => ladder.replace({ prices, sizes }));
      // Of which one is a single step.
      pair.both((ladder) => ladder.set((prices[300] as number) + 1, 5));
      pair.makeBusy();
      pair.compare();
      for (let change = 0; change < 2 * CHANGES_JUDGED; change += 1) {
        const price = prices[(change * 7) % 600] as number;
        pair.both((ladder) => ladder.set(price, change % 3 === 0 ? 0 : change));
        if (change % 64 === 0) pair.compare(600);
      }
      pair.compare(600);
      expect(pair.differences).toEqual([]);
    });

    test("where one price is far from the others", () => {
      const pair = new Pair(side);
      pair.both((ladder) => ladder.replace(run(side, 5_000_000, 400)));
      pair.makeBusy();
      const outlier = side === "bid" ? 9_000_000_000 : 1;
      pair.both((ladder) => ladder.set(outlier, 1));
      for (let change = 0; change < 6_000; change += 1) {
        const price = 5_000_000 + (side === "bid" ? -1 : 1) * ((change * 7) % 450);
        pair.ladder.set(price, 1 + (change % 9));
        pair.list.set(price, 1 + (change % 9));
        if (change % 500 === 0) pair.compare(500);
      }
      pair.both((ladder) => ladder.set(outlier, 0));
      pair.compare(500);
      expect(pair.differences).toEqual([]);
    });

    test("where mantissas are no safe integers", () => {
      const pair = new Pair(side);
      const huge = 2n ** 60n;
      pair.both((ladder) => ladder.replace(run(side, 40_000, 200)));
      pair.makeBusy();
      pair.both((ladder) => ladder.set(39_999, huge));
      pair.compare(300);
      pair.both((ladder) => ladder.set(huge, 1));
      pair.both((ladder) => ladder.set(39_999, 7));
      pair.compare(300);
      pair.both((ladder) => ladder.replace(run(side, Number.MAX_SAFE_INTEGER - 400, 200)));
      pair.compare(300);
      pair.both((ladder) => ladder.replace({ prices: [1, 2 ** 52], sizes: [1, 1] }));
      pair.compare(300);
      expect(pair.differences).toEqual([]);
    });

    test("where scales grow, and where the book is cut", () => {
      const pair = new Pair(side);
      pair.both((ladder) => ladder.replace(run(side, 123_456, 300)));
      pair.makeBusy();
      pair.both((ladder) => ladder.rescale({ price: 2, size: 1 }));
      pair.compare(300);
      pair.both((ladder) => ladder.set(12_345_601, 4));
      pair.both((ladder) => ladder.rescale({ price: 12, size: 14 }));
      pair.compare(400);
      pair.both((ladder) => [...ladder.truncate(120)]);
      pair.both((ladder) => [...ladder.truncate(120)]);
      pair.compare(400);
      expect(pair.differences).toEqual([]);
    });
  },
);

test("a side wider than the largest window is right at any distance", () => {
  const pair = new Pair("ask");
  let state = 1;
  const next = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let change = 0; change < 60_000; change += 1) {
    const price = 1_000_000 + next(4 * WINDOW_TICKS_MAX);
    const size = next(3) === 0 ? 0 : 1 + next(1_000);
    pair.ladder.set(price, size);
    pair.list.set(price, size);
    if (change % 4_999 === 0) pair.compare(Number.POSITIVE_INFINITY);
  }
  pair.compare(Number.POSITIVE_INFINITY);
  expect(pair.differences).toEqual([]);
});

const mantissa = (near: number, width: number): fc.Arbitrary<Mantissa> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: near - width, max: near + width }) },
    { weight: 1, arbitrary: fc.constantFrom<Mantissa>(2n ** 55n, 1, 2 ** 53 - 1, -5, 0) },
  );

const change = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      price: mantissa(100_000, 400),
      size: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 99 }), mantissa(50, 5)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("walk" as const),
      steps: fc.integer({ min: -900, max: 900 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("truncate" as const),
      depth: fc.integer({ min: 0, max: 300 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("rescale" as const),
      price: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
);

test("after any changes both sides are those of a sorted list", () => {
  const changes = fc.array(change, { minLength: 50, maxLength: 400, size: "max" });
  fc.assert(
    fc.property(fc.constantFrom("bid" as const, "ask" as const), changes, (side, list) => {
      const pair = new Pair(side);
      pair.both((ladder) => ladder.replace(run(side, 100_000, 250, 2)));
      pair.makeBusy();
      for (const one of list) {
        if (one.kind === "set") pair.both((ladder) => ladder.set(one.price, one.size));
        else if (one.kind === "truncate") pair.both((ladder) => [...ladder.truncate(one.depth)]);
        else if (one.kind === "rescale") {
          pair.both((ladder) => ladder.rescale({ price: one.price, size: 0 }));
        } else if (one.kind === "clear") pair.both((ladder) => ladder.clear());
        else pair.both((ladder) => ladder.replace(run(side, 100_000 + one.steps, 250, 2)));
        pair.compare(30);
      }
      pair.compare(Number.POSITIVE_INFINITY);
      expect(pair.differences).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test.each(["bid", "ask"] as const)(
  "levels of the %s side set together are as set alone",
  (side) => {
    const some = fc.record({
      price: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 9_000, max: 11_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
      ),
      size: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 99 })),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 5),
        fc.array(fc.array(some, { maxLength: 300 }), { maxLength: 12 }),
        (tick, messages) => {
          const together = new TickLadder(side);
          const alone = new TickLadder(side);
          const levels = run(side, 10_000 * tick, 400, tick);
          for (const ladder of [together, alone]) {
            ladder.replace(levels);
            for (let one = 0; one < CHANGES_JUDGED; one += 1) ladder.set(levels.prices[0]!, 1);
          }
          for (const message of messages) {
            const prices = Float64Array.from(message, ({ price }) => price * tick);
            const sizes = Float64Array.from(message, ({ size }) => size);
            together.setAll({ prices, sizes, count: message.length });
            for (const [index, price] of prices.entries()) alone.set(price, sizes[index]!);
            expect(together.levels()).toEqual(alone.levels());
          }
        },
      ),
      { numRuns: 60 },
    );
  },
);

test("a side of which all levels are removed together is empty", () => {
  const ladder = new TickLadder("bid");
  const levels = run("bid", 10_000, WINDOW_LEVELS_MIN);
  ladder.replace(levels);
  for (let one = 0; one < CHANGES_JUDGED; one += 1) ladder.set(10_000, 1);
  const prices = Float64Array.from(levels.prices);
  ladder.setAll({ prices, sizes: new Float64Array(prices.length), count: prices.length });
  expect([ladder.count, ladder.bestPrice()]).toEqual([0, undefined]);
});
