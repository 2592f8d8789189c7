import { describe, expect, test } from "vitest";
import { formatTime, formatUnits, scaleOfStep, unitsOf } from "./units.ts";

describe("units", () => {
  test.each([
    [1_234, 2, 2, 1_234],
    [1_234, 1, 3, 123_400],
    [123_400, 4, 2, 1_234],
    [123_401, 4, 2, undefined],
    [-5, 0, 2, -500],
    [10n ** 20n, 10, 2, 10 ** 12],
    [10n ** 20n, 0, 0, undefined],
  ])("of %s at scale %i in steps of 10^-%i are %s", (mantissa, scale, unitScale, units) => {
    expect(unitsOf(mantissa, scale, unitScale)).toBe(units);
  });

  test.each([
    [150, 2, "1.50"],
    [-5, 2, "-0.05"],
    [7, 0, "7"],
    [123_456_789_012_345_678n, 6, "123456789012.345678"],
  ])("%s at %i decimals reads %s", (units, scale, text) => {
    expect(formatUnits(units, scale)).toBe(text);
  });

  test.each([
    ["0.01", 2],
    ["1", 0],
    ["0.00005", 5],
    [undefined, 8],
  ])("a step of %s has %i decimals", (step, scale) => {
    expect(scaleOfStep(step)).toBe(scale);
  });

  test("times have microseconds", () => {
    expect(formatTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6) * 1_000 + 7)).toBe(
      "2026-01-02T03:04:05.006007Z",
    );
  });
});
