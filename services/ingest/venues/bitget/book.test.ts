import { expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { BookNumbers } from "./book.ts";

const LARGE = 1_483_653_649_371_725_838n;

test("an update continues the one before exactly if it names it, however large the numbers are", () => {
  const prng = createPrng(3);
  for (let run = 0; run < 200; run++) {
    const numbers = new BookNumbers();
    let last = LARGE + BigInt(prng.below(1_000_000));
    let { lastUpdateId } = numbers.start(last);
    for (let step = 0; step < 20; step++) {
      const isLost = prng.chance(0.3);
      const previous = isLost ? last + BigInt(1 + prng.below(3)) : last;
      const next = previous + BigInt(1 + prng.below(5));
      const position = numbers.proceed(next, previous);
      expect(position.previousUpdateId === lastUpdateId).toBe(!isLost);
      expect(position.lastUpdateId).toBeGreaterThan(lastUpdateId);
      ({ lastUpdateId } = position);
      last = next;
    }
  }
});

test("the same update twice has the same place", () => {
  const numbers = new BookNumbers();
  numbers.start(LARGE);
  const first = numbers.proceed(LARGE + 7n, LARGE);
  expect(numbers.proceed(LARGE + 7n, LARGE)).toEqual(first);
});

test("updates that a snapshot contains lie before it", () => {
  const numbers = new BookNumbers();
  const { lastUpdateId } = numbers.start(LARGE);
  expect(numbers.proceed(LARGE - 2n, LARGE - 3n).lastUpdateId).toBeLessThan(lastUpdateId);
  const first = numbers.proceed(LARGE + 1n, LARGE - 2n);
  expect(first.previousUpdateId).toBeLessThanOrEqual(lastUpdateId);
  expect(first.lastUpdateId).toBeGreaterThan(lastUpdateId);
});

test.each([
  ["go back", LARGE - 1000n, LARGE - 1001n],
  ["begin anew", 5n, 0n],
  ["go on, but from nothing", LARGE + 9n, 0n],
  ["jump beyond what a double holds", LARGE * 100_000n, LARGE],
])("numbers that %s continue nothing, and lie behind what was there", (_, sequence, previous) => {
  const numbers = new BookNumbers();
  numbers.start(LARGE);
  const { lastUpdateId } = numbers.proceed(LARGE + 1n, LARGE);
  const position = numbers.proceed(sequence, previous);
  expect(position.previousUpdateId).not.toBe(lastUpdateId);
  expect(position.lastUpdateId).toBeGreaterThan(lastUpdateId);
  const next = numbers.proceed(sequence + 1n, sequence);
  expect(next.previousUpdateId).toBe(position.lastUpdateId);
});
