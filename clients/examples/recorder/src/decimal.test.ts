import { expect, test } from "vitest";
import { decimalOf } from "./decimal.ts";

test.each([
  [9_674_287, 2, "96742.870000000000000000"],
  [0, 0, "0.000000000000000000"],
  [-1, 18, "-0.000000000000000001"],
  [10n, 19, "0.000000000000000001"],
  [10n ** 20n - 1n, 0, "99999999999999999999.000000000000000000"],
])("%s with a scale of %s is kept exactly", (mantissa, scale, text) => {
  expect(decimalOf(mantissa, scale)?.toString()).toBe(text);
});

test.each([
  [1, 19],
  [10n ** 20n, 0],
  [-(10n ** 20n), 0],
])("%s with a scale of %s has no room, and is not rounded", (mantissa, scale) => {
  expect(decimalOf(mantissa, scale)).toBeUndefined();
});
