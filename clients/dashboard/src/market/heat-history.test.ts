import { describe, expect, test } from "vitest";
import { HEAT_BUCKETS, HeatHistory, heatCeiling, heatStep } from "./heat-history.ts";

type Sides = Parameters<HeatHistory["addBook"]>[0];

const side = (...rows: [number, number][]) => rows.map(([price, size]) => ({ price, size }));
const book = (bids: [number, number][], asks: [number, number][]): Sides =>
  ({ bids: side(...bids), asks: side(...asks) }) as unknown as Sides;
const rowOf = (history: HeatHistory, price: number): number | undefined => {
  const column = history.columns.at(-1);
  return column?.sizes[Math.round(price / (history.step ?? 1)) - column.firstStep];
};

describe("a book over time", () => {
  test.each([
    [640, 5],
    [12.8, 0.1],
    [0.000_000_12, 0.000_000_001],
    [0, 1],
  ])("rows of a map that reaches %d are %d apart", (reach, step) => {
    expect(heatStep(reach)).toBeCloseTo(step, 12);
  });

  test("the map reaches as far as the first levels, and at most a hundredth of the price", () => {
    const near = new HeatHistory({ columnMs: 500, columnsMax: 10 });
    near.addBook(
      book(
        [[97_699, 1]],
        [
          [97_701, 1],
          [97_764, 1],
        ],
      ),
      0,
    );
    expect(near.step).toBe(0.5);
    const wide = new HeatHistory({ columnMs: 500, columnsMax: 10 });
    wide.addBook(
      book(
        [
          [97_699, 1],
          [50_000, 1],
        ],
        [[97_701, 1]],
      ),
      0,
    );
    expect(wide.step).toBe(10);
  });

  test("sums what shares a row: bids down, asks up", () => {
    const history = new HeatHistory({ columnMs: 500, columnsMax: 10 });
    const levels = book(
      [
        [2_499.97, 1],
        [2_499.92, 2],
        [2_499.85, 4],
        [2_488, 1],
      ],
      [
        [2_500.01, 8],
        [2_500.09, 16],
      ],
    );
    expect(history.addBook(levels, 1_000)).toBe(true);
    expect(rowOf(history, 2_499.9)).toBe(3);
    expect(rowOf(history, 2_499.8)).toBe(4);
    expect(rowOf(history, 2_500.1)).toBe(24);
  });

  test("a column keeps the largest size of its time, and the next one begins with its own", () => {
    const history = new HeatHistory({ columnMs: 500, columnsMax: 10 });
    history.addBook(
      book(
        [
          [2_499.9, 5],
          [2_488, 1],
        ],
        [[2_500.1, 1]],
      ),
      1_000,
    );
    expect(history.addBook(book([[2_499.9, 3]], [[2_500.1, 2]]), 1_499)).toBe(false);
    expect([rowOf(history, 2_499.9), rowOf(history, 2_500.1)]).toEqual([5, 2]);
    expect(history.addBook(book([[2_499.9, 3]], []), 1_500)).toBe(true);
    expect([rowOf(history, 2_499.9), rowOf(history, 2_500.1)]).toEqual([3, 0]);
  });

  test("goes on when the clock is set back, and a small correction begins no column", () => {
    const history = new HeatHistory({ columnMs: 500, columnsMax: 10 });
    const levels = book([[100, 1]], [[101, 1]]);
    history.addBook(levels, 3_600_000);
    expect(history.addBook(levels, 3_599_500)).toBe(false);
    expect(history.addBook(levels, 3_599_499)).toBe(true);
    expect(history.addBook(levels, 3_599_999)).toBe(true);
    expect(history.columns.map(({ startMs }) => startMs)).toEqual([
      3_600_000, 3_599_000, 3_599_500,
    ]);
  });

  test("the oldest columns go when there are more than there is room for", () => {
    const history = new HeatHistory({ columnMs: 100, columnsMax: 3 });
    for (let at = 0; at < 5; at += 1) history.addBook(book([[100, 1]], [[101, 1]]), at * 100);
    expect(history.columns.map(({ startMs }) => startMs)).toEqual([200, 300, 400]);
  });

  test("levels beyond the map, an empty book and early trades change nothing", () => {
    const history = new HeatHistory({ columnMs: 100, columnsMax: 3 });
    history.addTrade({ price: 1, size: 1, isBuyer: true });
    expect(history.addBook(book([], []), 0)).toBe(false);
    history.addBook(
      book(
        [
          [2_500, 1],
          [10, 9],
        ],
        [
          [2_501, 1],
          [9_000, 9],
        ],
      ),
      0,
    );
    expect(history.columns[0]?.sizes).toHaveLength(HEAT_BUCKETS);
    expect(history.columns[0]?.sizes.reduce((sum, size) => sum + size, 0)).toBe(2);
    history.addTrade({ price: 2_501, size: 3, isBuyer: true });
    history.addTrade({ price: 2_500, size: 2, isBuyer: false });
    expect(history.columns[0]).toMatchObject({ boughtSize: 3, soldSize: 2, tradePrice: 2_500 });
  });

  test.each([1, 59, 60, 119, 120, 720])(
    "full strength is found in a map of %d columns",
    (count) => {
      const history = new HeatHistory({ columnMs: 100, columnsMax: 720 });
      for (let at = 0; at < count; at += 1)
        history.addBook(book([[100, 2]], [[100.5, 2]]), at * 100);
      expect(history.columns).toHaveLength(count);
      // As many sizes as a column can have.
      for (const { sizes } of history.columns) sizes.fill(3);
      expect(heatCeiling(history.columns)).toBe(3);
    },
  );

  test("full strength is what all but a few sizes stay below", () => {
    const history = new HeatHistory({ columnMs: 100, columnsMax: 3 });
    expect(heatCeiling(history.columns)).toBeUndefined();
    const levels = Array.from({ length: 100 }, (_, index): [number, number] => [
      2_500 - index / 10,
      index === 50 ? 10_000 : 1 + index,
    ]);
    history.addBook(book(levels, []), 0);
    expect(heatCeiling(history.columns)).toBeLessThanOrEqual(100);
  });
});
