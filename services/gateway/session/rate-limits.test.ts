import { expect, test } from "vitest";
import { RateLimits, TokenBucket } from "./rate-limits.ts";

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

test("a second allows as many requests and topics as configured, each counted by itself", () => {
  const limits = new RateLimits({ requestsPerSecondMax: 3, topicsPerSecondMax: 5 }, 0);
  expect(limits.takeTopics(5, 0)).toBe(true);
  expect(limits.takeTopics(1, 0)).toBe(false);
  const requests = Array.from({ length: 4 }, () => limits.takeRequest("ping", 0));
  expect(requests).toEqual([true, true, true, false]);
});

test.each([
  ["cancel", 10],
  ["credit", 10],
  ["call", 1],
] as const)("where one request is left, a %s may come %i times", (kind, times) => {
  const limits = new RateLimits({ requestsPerSecondMax: 1, topicsPerSecondMax: 1 }, 0);
  const taken = Array.from({ length: 12 }, () => limits.takeRequest(kind, 0));
  // Ten tenths are not one in binary; the tenth may miss by a rounding error.
  const granted = taken.filter(Boolean).length;
  expect(granted).toBeGreaterThanOrEqual(Math.floor(times * 0.9));
  expect(granted).toBeLessThanOrEqual(times);
});

test.each([
  ["bytes", { bytes: 160 * 1024 }],
  ["fields", { fields: 5_000 }],
  ["unknown fields", { fields: 0, unknownFields: 100 }],
])("a frame is paid for by its %s, as far as its messages do not cover it", (_, size) => {
  const frame = { bytes: 0, messages: 0, fields: 0, unknownFields: 0, ...size };
  const limits = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1 }, 0);
  expect(limits.takeFrame({ ...frame, messages: 100 }, 0)).toBe(true);
  expect(limits.takeFrame(frame, 0)).toBe(true);
  expect(limits.takeRequest("ping", 0)).toBe(false);
  expect(limits.takeFrame(frame, 999_999)).toBe(false);
  expect(limits.takeFrame(frame, 1_000_000)).toBe(true);
});

test("a message of which nothing can be made is paid for like a request", () => {
  const limits = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1 }, 0);
  expect(limits.takeUnknown(11, 0)).toBe(false);
  expect(limits.takeUnknown(10, 0)).toBe(true);
  expect(limits.takeRequest("ping", 0)).toBe(false);
});
