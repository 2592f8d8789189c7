import { expect, test } from "vitest";
import { depthCurve } from "./depth-curve.ts";

type Levels = Parameters<typeof depthCurve>[0];
const levels = (...rows: [number, number][]) =>
  rows.map(([price, size]) => ({ price, size })) as unknown as Levels;

test("sums each side from the best price on, as far as it is shown", () => {
  const curve = depthCurve(
    levels([99, 1], [98, 2], [80, 50]),
    levels([101, 4], [102, 8], [103, 16]),
    0.025,
  );
  expect(curve?.bids).toEqual([
    { price: 99, total: 1 },
    { price: 98, total: 3 },
  ]);
  expect(curve?.asks.map(({ total }) => total)).toEqual([4, 12]);
  expect(curve).toMatchObject({ middle: 100, reach: 2.5, total: 12 });
});

test("a book that ends sooner is shown as far as it goes", () => {
  const curve = depthCurve(levels([99, 1]), levels([101, 4], [105, 1]), 0.5);
  expect(curve?.reach).toBeCloseTo(5.1, 9);
  expect(curve?.asks.at(-1)?.total).toBe(5);
});

test("a book with one side has no curve", () => {
  expect(depthCurve(levels([1, 1]), levels(), 0.1)).toBeUndefined();
});
