import { expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { backoffDelayMs } from "./backoff.ts";

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
