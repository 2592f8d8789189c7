import { describe, expect, test } from "vitest";
import { fromBigInt, type Mantissa } from "./decimal.ts";
import { OrderBook, type BookChange } from "./order-book.ts";
import { PriceLadder } from "./price-ladder.ts";

type Pairs = readonly (readonly [Mantissa, Mantissa])[];

function change(bids: Pairs, asks: Pairs, scales = { priceScale: 0, sizeScale: 0 }): BookChange {
  const columns = (pairs: Pairs) => ({
    prices: pairs.map(([price]) => price),
    sizes: pairs.map(([, size]) => size),
  });
  return { ...scales, bids: columns(bids), asks: columns(asks) };
}

function pairs(columns: { prices: Mantissa[]; sizes: Mantissa[] }): Pairs {
  return columns.prices.map((price, index) => [price, columns.sizes[index]!] as const);
}

describe("OrderBook", () => {
  test("an empty book has no best and is not crossed", () => {
    const book = new OrderBook();
    expect(book.bestBid()).toBeUndefined();
    expect(book.bestAsk()).toBeUndefined();
    expect(book.isCrossed()).toBe(false);
    expect(pairs(book.bids())).toEqual([]);
  });

  test("keeps both sides best first whatever the order of the snapshot", () => {
    const book = new OrderBook();
    book.applySnapshot(
      change(
        [
          [98, 3],
          [100, 1],
          [99, 2],
        ],
        [
          [103, 6],
          [101, 4],
          [102, 5],
        ],
      ),
    );
    expect(pairs(book.bids())).toEqual([
      [100, 1],
      [99, 2],
      [98, 3],
    ]);
    expect(pairs(book.asks(2))).toEqual([
      [101, 4],
      [102, 5],
    ]);
    expect(book.bestBid()).toEqual({ price: 100, size: 1 });
    expect(book.bestAsk()).toEqual({ price: 101, size: 4 });
    expect(book.sizeAt("ask", 103)).toBe(6);
    expect(book.sizeAt("ask", 104)).toBe(0);
  });

  test("of equal prices in a snapshot the last counts, and size 0 is no level", () => {
    const book = new OrderBook();
    book.applySnapshot(
      change(
        [
          [100, 1],
          [99, 0],
          [100, 7],
        ],
        [],
      ),
    );
    expect(pairs(book.bids())).toEqual([[100, 7]]);
    book.applySnapshot(
      change(
        [
          [100, 7],
          [100, 0],
        ],
        [],
      ),
    );
    expect(book.bidCount).toBe(0);
  });

  test("sizes are absolute, 0 removes, removing an unknown level does nothing", () => {
    const book = new OrderBook();
    book.applySnapshot(change([[100, 1]], [[101, 1]]));
    book.applyDelta(
      change(
        [
          [100, 5],
          [99, 2],
          [42, 0],
        ],
        [[101, 0]],
      ),
    );
    expect(pairs(book.bids())).toEqual([
      [100, 5],
      [99, 2],
    ]);
    expect(book.askCount).toBe(0);
  });

  test("a snapshot replaces everything, the scales too", () => {
    const book = new OrderBook();
    book.applySnapshot(change([[10050, 1]], [], { priceScale: 2, sizeScale: 3 }));
    book.applySnapshot(change([[100, 1]], [], { priceScale: 0, sizeScale: 0 }));
    expect([book.priceScale, book.sizeScale]).toEqual([0, 0]);
    expect(pairs(book.bids())).toEqual([[100, 1]]);
  });

  test("a finer delta rescales the book, a coarser one is scaled up", () => {
    const book = new OrderBook();
    book.applySnapshot(change([[100, 5]], [[101, 5]], { priceScale: 0, sizeScale: 1 }));
    book.applyDelta(change([[10050, 25]], [], { priceScale: 2, sizeScale: 0 }));
    expect([book.priceScale, book.sizeScale]).toEqual([2, 1]);
    expect(pairs(book.bids())).toEqual([
      [10050, 250],
      [10000, 5],
    ]);
    book.applyDelta(change([[100, 0]], [[101, 7]], { priceScale: 0, sizeScale: 3 }));
    expect([book.priceScale, book.sizeScale]).toEqual([2, 3]);
    expect(pairs(book.bids())).toEqual([[10050, 25000]]);
    expect(pairs(book.asks())).toEqual([[10100, 7]]);
  });

  test("orders mantissas around 2^53 exactly, numbers and bigints mixed", () => {
    const book = new OrderBook();
    const prices = [2n ** 53n + 1n, 2n ** 53n, 2n ** 53n - 1n].map(fromBigInt);
    for (const price of [prices[1]!, prices[2]!, prices[0]!]) {
      book.applyDelta(change([[price, 1]], [[price, 1]]));
    }
    expect(book.bids().prices).toEqual(prices);
    expect(book.asks().prices).toEqual([...prices].reverse());
    book.applyDelta(change([[prices[1]!, 0]], []));
    expect(book.bids().prices).toEqual([prices[0], prices[2]]);
  });

  test("truncating keeps the best and names what went", () => {
    const book = new OrderBook();
    const levels: Pairs = [
      [5, 1],
      [4, 1],
      [3, 1],
    ];
    book.applySnapshot(change(levels, [[6, 1]]));
    const untouched = book.truncate(4);
    expect(untouched).toEqual({ bids: [], asks: [] });
    expect(book.truncate(3)).toBe(untouched);
    expect(book.truncate(2)).toEqual({ bids: [3], asks: [] });
    expect(book.bids().prices).toEqual([5, 4]);
  });

  test("is crossed when the best bid reaches the best ask", () => {
    const book = new OrderBook();
    book.applySnapshot(change([[100, 1]], [[101, 1]]));
    expect(book.isCrossed()).toBe(false);
    book.applyDelta(change([[101, 1]], []));
    expect(book.isCrossed()).toBe(true);
    book.clear();
    expect(book.isCrossed()).toBe(false);
  });
});

describe("PriceLadder", () => {
  test.each([23, 24, 25, 26, 300])(
    "inserts and removes at every distance from the best of %i",
    (count) => {
      for (let at = 0; at <= count; at++) {
        const ladder = new PriceLadder("ask");
        for (let price = 0; price <= count; price++) if (price !== at) ladder.set(price, price + 1);
        ladder.set(at, at + 1);
        const all = Array.from({ length: count + 1 }, (_, price) => price);
        expect(ladder.levels().prices).toEqual(all);
        expect(ladder.levels().sizes).toEqual(all.map((price) => price + 1));
        ladder.set(at, 0);
        expect(ladder.levels().prices).toEqual(all.filter((price) => price !== at));
        expect(ladder.levels().sizes).toEqual(
          ladder.levels().prices.map((price) => Number(price) + 1),
        );
      }
    },
  );
});
