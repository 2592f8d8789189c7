import { expect, test } from "vitest";
import { SampledRates } from "./sampled-rates.ts";

const SECOND_US = 1_000_000;

test("a rate is known a second after it was first asked for, and stays until the next", () => {
  const rates = new SampledRates();
  const key = {};
  const at = (value: number, nowUs: number, run = 1) => rates.of(key, { value, run }, nowUs);
  expect(at(1_000, 0)).toBeUndefined();
  expect(at(1_500, SECOND_US - 1)).toBeUndefined();
  expect(at(1_500, SECOND_US)).toBe(500);
  expect(at(9_000, SECOND_US + 10)).toBe(500);
  expect(at(1_700, 3 * SECOND_US)).toBe(100);
});

test.each([
  ["begins anew", 2_000, 2],
  ["falls", 900, 1],
])("a count that %s has no rate at first", (_, value, run) => {
  const rates = new SampledRates();
  const key = {};
  rates.of(key, { value: 1_000, run: 1 }, 0);
  expect(rates.of(key, { value: 1_010, run: 1 }, SECOND_US)).toBe(10);
  expect(rates.of(key, { value, run }, 2 * SECOND_US)).toBeUndefined();
  expect(rates.of(key, { value: value + 3, run }, 3 * SECOND_US)).toBe(3);
});
