import { expect, test } from "vitest";
import { createPrng } from "../../test/support/prng.ts";
import { backoffDelayMs, type BackoffLimits } from "./backoff.ts";

const limits = { baseMs: 100, maxMs: 1_000 };

test("the longest wait doubles up to the limit and stays there", () => {
  const longest = [0, 1, 2, 3, 4, 5, 100, 1e9].map((attempt) =>
    backoffDelayMs({ attempt, limits, random: () => 1 }),
  );
  expect(longest).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
});

test("the wait is spread evenly from zero, so that no two come back together", () => {
  const random = createPrng(1);
  const waits = Array.from({ length: 2_000 }, () =>
    backoffDelayMs({ attempt: 3, limits, random: () => random.next() }),
  );
  expect(Math.min(...waits)).toBeLessThan(10);
  expect(Math.max(...waits)).toBeLessThan(800);
  expect(Math.max(...waits)).toBeGreaterThan(790);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  expect(Math.abs(mean - 400)).toBeLessThan(20);
});

test("the wait has a floor, unless the limit is below it", () => {
  const wait = (limits: BackoffLimits): number =>
    backoffDelayMs({ attempt: 0, limits, random: () => 0 });
  expect(wait({ baseMs: 500, maxMs: 20_000 })).toBe(0);
  expect(wait({ baseMs: 500, maxMs: 20_000, minMs: 50 })).toBe(50);
  expect(wait({ baseMs: 500, maxMs: 20, minMs: 50 })).toBe(20);
});

test("between floor and limit every wait is as likely", () => {
  const bounded = { baseMs: 500, maxMs: 20_000, minMs: 100 };
  const half = backoffDelayMs({ attempt: 0, limits: bounded, random: () => 0.5 });
  expect(half).toBe(300);
});
