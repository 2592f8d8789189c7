import { expect, test } from "vitest";
import { OrderArrivals } from "./order-arrivals.ts";

function countPerTurn(arrivals: OrderArrivals, expected: number, turns: number): number[] {
  return Array.from({ length: turns }, () => arrivals.due(expected));
}

test("even orders are exactly as many as expected, and carry fractions over", () => {
  const arrivals = new OrderArrivals({ seed: 1, even: true });
  expect(countPerTurn(arrivals, 0.25, 9)).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 0]);
  expect(arrivals.due(3.75)).toBe(4);
});

test.each([1, 2, 3])("by chance they are as many on average, in clusters (seed %i)", (seed) => {
  const counts = countPerTurn(new OrderArrivals({ seed, even: false }), 0.2, 50_000);
  const total = counts.reduce((sum, count) => sum + count, 0);
  expect(total).toBeGreaterThan(9_000);
  expect(total).toBeLessThan(11_000);
  // Without clusters more than three in a turn would be seen about three times.
  expect(counts.filter((count) => count > 3).length).toBeGreaterThan(60);
});

test("the same seed gives the same arrivals", () => {
  const counts = [5, 5, 6].map((seed) =>
    countPerTurn(new OrderArrivals({ seed, even: false }), 0.5, 100),
  );
  expect(counts[0]).toEqual(counts[1]);
  expect(counts[0]).not.toEqual(counts[2]);
});
