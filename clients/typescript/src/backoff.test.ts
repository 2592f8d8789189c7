import { describe, expect, test } from "vitest";
import { backoffDelayMs } from "./backoff.ts";

const OPTIONS = { baseMs: 500, maxMs: 20_000 };

describe("backoffDelayMs", () => {
  test.each([
    [0, 500],
    [1, 1_000],
    [5, 16_000],
    [6, 20_000],
    [5_000, 20_000],
  ])("attempt %i waits at most %i ms", (attempt, expected) => {
    expect(backoffDelayMs(attempt, OPTIONS, () => 1)).toBe(expected);
  });

  test("never waits less than a tenth of the base, and never 0", () => {
    expect(backoffDelayMs(0, OPTIONS, () => 0)).toBe(50);
    expect(backoffDelayMs(9, OPTIONS, () => 0)).toBe(50);
    expect(backoffDelayMs(0, { baseMs: 0, maxMs: 0 }, () => 0)).toBe(1);
  });

  test("uses the whole range", () => {
    expect(backoffDelayMs(0, OPTIONS, () => 0.5)).toBe(275);
  });
});
