import { expect, test } from "vitest";
import { addMantissa, multiplyMantissa, sizeFactorOf, subtractMantissa } from "./exact-sizes.ts";

test("sizes are converted where that does not depend on the price", () => {
  const linear = { inverse: false, sizeUnit: "contract" } as const;
  expect(sizeFactorOf({ inverse: false })).toEqual({ mantissa: 1n, scale: 0 });
  expect(sizeFactorOf({ ...linear, contractSize: "0.001" })).toEqual({ mantissa: 1n, scale: 3 });
  expect(sizeFactorOf({ ...linear, contractSize: "10" })).toEqual({ mantissa: 10n, scale: 0 });
  expect(sizeFactorOf({ ...linear, inverse: true, contractSize: "100" })).toBeUndefined();
  expect(sizeFactorOf({ inverse: false, sizeUnit: "quote" })).toBeUndefined();
  expect(sizeFactorOf(linear)).toBeUndefined();
  expect(sizeFactorOf({ ...linear, contractSize: "0" })).toBeUndefined();
  expect(sizeFactorOf({ ...linear, contractSize: "x" })).toBeUndefined();
});

test("sums, differences and products are exact beyond the safe integers", () => {
  const max = Number.MAX_SAFE_INTEGER;
  expect(addMantissa(max, 1)).toBe(9_007_199_254_740_992n);
  expect(subtractMantissa(9_007_199_254_740_993n, 2)).toBe(max);
  expect(subtractMantissa(-max, 2)).toBe(-9_007_199_254_740_993n);
  expect(multiplyMantissa(max, 3n)).toBe(27_021_597_764_222_973n);
  expect(multiplyMantissa(7, 1n)).toBe(7);
});
