import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

test("gives a second's worth at once, nothing more, and refills with time", () => {
  const bucket = new TokenBucket(10, 0);
  const taken = Array.from({ length: 11 }, () => bucket.take(1, 0));
  expect(taken.filter(Boolean)).toHaveLength(10);
  expect(bucket.take(1, 99_999)).toBe(false);
  expect(bucket.take(1, 100_000)).toBe(true);
  expect(bucket.take(1, 100_000)).toBe(false);
});

test("never holds more than a second's worth", () => {
  const bucket = new TokenBucket(10, 0);
  const taken = Array.from({ length: 20 }, () => bucket.take(1, 3_600_000_000));
  expect(taken.filter(Boolean)).toHaveLength(10);
});

test("a clock that is set back takes nothing away", () => {
  const bucket = new TokenBucket(10, 1_000_000);
  expect(bucket.take(5, 0)).toBe(true);
  expect(bucket.take(5, 0)).toBe(true);
  expect(bucket.take(1, 0)).toBe(false);
  expect(bucket.take(1, 100_000)).toBe(true);
});
