import fc from "fast-check";
import { expect, test } from "vitest";
import { LevelTable } from "./level-table.ts";

/** Few different ones, some of which are in the same slot whatever the table does. */
const prices = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.integer({ min: 1, max: 40 }).map((index) => index * 100_000_000),
  fc.integer({ min: 0, max: 40 }).map((index) => 7 + index * 2 ** 32),
  fc.integer({ min: Number.MAX_SAFE_INTEGER - 40, max: Number.MAX_SAFE_INTEGER }),
);
const changes = fc.array(fc.tuple(prices, fc.integer({ min: 0, max: 3 })), { maxLength: 400 });

test("it holds what a Map holds, whatever is set and removed", () => {
  fc.assert(
    fc.property(changes, (list) => {
      const table = new LevelTable();
      const model = new Map<number, number>();
      for (const [price, size] of list) {
        expect(table.set(price, size)).toBe(model.get(price) ?? 0);
        if (size === 0) model.delete(price);
        else model.set(price, size);
        expect(table.count).toBe(model.size);
      }
      for (const [price] of list) expect(table.sizeAt(price)).toBe(model.get(price) ?? 0);
      expect(table.prices().sort()).toEqual(Float64Array.from(model.keys()).sort());
    }),
    { numRuns: 500 },
  );
});

test("a table that was cleared is empty, and takes levels again", () => {
  const table = new LevelTable();
  for (let price = 1; price <= 1_000; price += 1) table.set(price, price);
  expect(table.count).toBe(1_000);
  table.clear();
  expect(table.count).toBe(0);
  expect(table.sizeAt(500)).toBe(0);
  expect(table.prices()).toHaveLength(0);
  table.set(500, 2);
  expect(table.sizeAt(500)).toBe(2);
});
