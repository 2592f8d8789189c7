import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fromBigInt,
  OrderBook,
  PriceLadder,
  type BookChange,
  type LevelColumns,
  type Mantissa,
} from "@tickwire/proto/model";

/** Every scale that the generators use fits, so that the model never rescales. */
const MODEL_SCALE = 12;

type Side = Map<bigint, bigint>;

/** The obviously right book: a map a side at one scale, sorted when asked. */
class ModelBook {
  bids: Side = new Map();
  asks: Side = new Map();

  snapshot(change: BookChange): void {
    this.bids = new Map();
    this.asks = new Map();
    this.delta(change);
  }

  delta(change: BookChange): void {
    assign(this.bids, change.bids, change);
    assign(this.asks, change.asks, change);
  }

  truncate(depth: number): void {
    this.bids = new Map(sorted(this.bids, -1).slice(0, depth));
    this.asks = new Map(sorted(this.asks, 1).slice(0, depth));
  }
}

function assign(side: Side, columns: LevelColumns, scales: BookChange): void {
  columns.prices.forEach((price, index) => {
    const key = atModelScale(price, scales.priceScale);
    const size = atModelScale(columns.sizes[index]!, scales.sizeScale);
    if (size === 0n) side.delete(key);
    else side.set(key, size);
  });
}

function atModelScale(mantissa: Mantissa, scale: number): bigint {
  return BigInt(mantissa) * 10n ** BigInt(MODEL_SCALE - scale);
}

function sorted(side: Side, direction: 1 | -1): [bigint, bigint][] {
  return [...side].toSorted(([a], [b]) => (a < b ? -direction : direction));
}

function levels(
  columns: { prices: Mantissa[]; sizes: Mantissa[] },
  book: OrderBook,
): [bigint, bigint][] {
  return columns.prices.map((price, index) => [
    atModelScale(price, book.priceScale),
    atModelScale(columns.sizes[index]!, book.sizeScale),
  ]);
}

/** Few different prices, so that levels are hit again; some beyond 2^53. */
const price = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }).map(fromBigInt) },
  { weight: 1, arbitrary: fc.integer({ min: -5, max: 0 }) },
);
const size = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 1_000 }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }).map(fromBigInt) },
);
const column = fc.array(fc.tuple(price, size), { maxLength: 12 }).map((pairs) => ({
  prices: pairs.map(([at]) => at),
  sizes: pairs.map(([, of]) => of),
}));
const change: fc.Arbitrary<BookChange> = fc.record({
  priceScale: fc.integer({ min: 0, max: 3 }),
  sizeScale: fc.integer({ min: 0, max: 3 }),
  bids: column,
  asks: column,
});
const step = fc.oneof(
  { weight: 8, arbitrary: change.map((of) => ({ kind: "delta" as const, of })) },
  { weight: 1, arbitrary: change.map((of) => ({ kind: "snapshot" as const, of })) },
  { weight: 2, arbitrary: fc.nat(8).map((depth) => ({ kind: "truncate" as const, depth })) },
);

test("the book equals a map of levels, whatever happens to it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const book = new OrderBook();
      const model = new ModelBook();
      for (const each of steps) {
        switch (each.kind) {
          case "delta":
            book.applyDelta(each.of);
            model.delta(each.of);
            break;
          case "snapshot":
            book.applySnapshot(each.of);
            model.snapshot(each.of);
            break;
          case "truncate":
            book.truncate(each.depth);
            model.truncate(each.depth);
            break;
        }
        const bids = sorted(model.bids, -1);
        const asks = sorted(model.asks, 1);
        expect(levels(book.bids(), book)).toEqual(bids);
        expect(levels(book.asks(), book)).toEqual(asks);
        expect([book.bidCount, book.askCount]).toEqual([bids.length, asks.length]);
        expect(book.bids(3)).toEqual({
          prices: book.bids().prices.slice(0, 3),
          sizes: book.bids().sizes.slice(0, 3),
        });
        const best = bids[0];
        const ask = asks[0];
        expect(book.isCrossed()).toBe(best !== undefined && ask !== undefined && best[0] >= ask[0]);
      }
    }),
    { numRuns: 400, seed: 1 },
  );
});

test("truncation names exactly the levels that went", () => {
  fc.assert(
    fc.property(change, fc.nat(8), (of, depth) => {
      const book = new OrderBook();
      book.applySnapshot(of);
      const before = { bids: book.bids().prices, asks: book.asks().prices };
      const gone = book.truncate(depth);
      expect([...gone.bids].toReversed()).toEqual(before.bids.slice(depth));
      expect([...gone.asks].toReversed()).toEqual(before.asks.slice(depth));
    }),
    { numRuns: 300, seed: 2 },
  );
});

test("a ladder stays strictly sorted from worst to best", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("bid" as const, "ask" as const),
      fc.array(fc.tuple(price, size), { maxLength: 120 }),
      (side, pairs) => {
        const ladder = new PriceLadder(side);
        for (const [at, of] of pairs) ladder.set(at, of);
        const { prices } = ladder.levels();
        for (let index = 1; index < prices.length; index++) {
          const [better, worse] = [prices[index - 1]!, prices[index]!];
          expect(side === "bid" ? better > worse : better < worse).toBe(true);
        }
        expect(ladder.best()?.price).toBe(prices[0]);
        expect(ladder.count).toBe(prices.length);
      },
    ),
    { numRuns: 300, seed: 3 },
  );
});
