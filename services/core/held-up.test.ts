import { expect, test } from "vitest";
import { InvariantError } from "./assert.ts";
import { EXCUSES_MAX, HeldUp } from "./held-up.ts";

test.each([
  { lateUs: 49_999, isExcused: false },
  { lateUs: 50_000, isExcused: false },
  { lateUs: 50_001, isExcused: true },
])("a look each 100 ms that is $lateUs us late is excused: $isExcused", ({ lateUs, isExcused }) => {
  expect(new HeldUp(100).isExcused(1_000, 1_000 + lateUs)).toBe(isExcused);
});

test("so many in a row are excused, and no more until one was on time", () => {
  const heldUp = new HeldUp(100);
  const late = () => heldUp.isExcused(0, 1_000_000);
  for (let count = 1; count <= EXCUSES_MAX; count += 1) expect(late()).toBe(true);
  expect([late(), late()]).toEqual([false, false]);
  expect(heldUp.isExcused(0, 0)).toBe(false);
  expect(late()).toBe(true);
});

test("looks without a distance are a bug", () => {
  expect(() => new HeldUp(0)).toThrow(InvariantError);
});
