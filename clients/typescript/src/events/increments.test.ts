import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPrice, formatSize } from "./increments.ts";

const price = (value: string | number, priceIncrementText: string | undefined) =>
  formatPrice(value, { priceIncrementText });

describe("a price to its instrument's increment", () => {
  test.each([
    ["10.5", "0.01", "10.50"],
    ["10.505", "0.01", "10.51"],
    ["-10.505", "0.01", "-10.51"],
    ["-0.001", "0.01", "0.00"],
    ["10.6", "0.5", "10.5"],
    ["1234567890123456789.25", "0.5", "1234567890123456789.5"],
    ["112", "25", "100"],
    ["113", "25", "125"],
    ["7", "1", "7"],
    ["0.0000123", "0.000001", "0.000012"],
    ["10.500", "0.010", "10.50"],
    ["10.500", undefined, "10.5"],
  ])("%s by %s is %s", (value, increment, expected) => {
    expect(price(value, increment)).toBe(expected);
  });

  test.each([
    [10.505, "0.01", "10.51"],
    [1e-7, "0.0000001", "0.0000001"],
    [-1.25e-7, "0.00000001", "-0.00000013"],
    [1.5e21, "1", "1500000000000000000000"],
    [0.1 + 0.2, "0.1", "0.3"],
  ])("the number %d by %s is %s", (value, increment, expected) => {
    expect(price(value, increment)).toBe(expected);
  });

  test.each(["", "x", "1,000", NaN, Infinity])("%s is none", (value) => {
    expect(price(value, "0.01")).toBeUndefined();
  });

  test("never moves by more than half an increment", () => {
    const decimals = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(
        fc.integer(),
        decimals,
        fc.integer({ min: 1, max: 500 }),
        (mantissa, scale, step) => {
          const increment = (step / 10 ** scale).toFixed(scale);
          const text = (mantissa / 1_000).toFixed(3);
          const moved = Math.abs(Number(price(text, increment)) - Number(text));
          expect(moved).toBeLessThanOrEqual((Number(increment) / 2) * (1 + 1e-6) + 1e-6);
        },
      ),
    );
  });
});

test("a size has an increment of its own", () => {
  expect(formatSize("0.12345", { sizeIncrementText: "0.001" })).toBe("0.123");
});
