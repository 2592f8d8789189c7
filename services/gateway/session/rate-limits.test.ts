import fc from "fast-check";
import { describe, expect, test } from "vitest";
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

test("a second allows as many requests and topics as configured, each counted by itself", () => {
  const limits = new RateLimits({ requestsPerSecondMax: 3, topicsPerSecondMax: 5 }, 0);
  expect(limits.takeTopics(5, 0)).toBe(true);
  expect(limits.takeTopics(1, 0)).toBe(false);
  const requests = Array.from({ length: 4 }, () => limits.judgeRequest("ping", 0).does);
  expect(requests).toEqual(["serve", "serve", "serve", "refuse"]);
});

// 10 are refused at once where the rate is 1, and what cannot be refused takes their place.
test.each([
  ["cancel", 10],
  ["credit", 10],
  ["probeAnswer", 10],
  ["authenticate", 1],
] as const)("where the rate is 1, a %s may come %i times, and 10 times more", (kind, times) => {
  const limits = new RateLimits({ requestsPerSecondMax: 1, topicsPerSecondMax: 1 }, 0);
  const taken = Array.from({ length: 200 }, () => limits.judgeRequest(kind, 0).does);
  expect(taken).not.toContain("refuse");
  // Ten tenths are not one in binary; the last may miss by a rounding error.
  const granted = taken.filter((does) => does === "serve").length;
  expect(granted).toBeGreaterThanOrEqual(times * 11 - 2);
  expect(granted).toBeLessThanOrEqual(times * 11);
});

test("a request above the rate is told when to come again, until it has come ten times too often", () => {
  const limits = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1 }, 0);
  const verdicts = Array.from({ length: 111 }, () => limits.judgeRequest("subscribe", 0));
  const counts = ["serve", "refuse", "close"].map(
    (one) => verdicts.filter(({ does }) => does === one).length,
  );
  expect(counts).toEqual([10, 100, 1]);
  expect(verdicts[10]).toEqual({ does: "refuse", retryAfterMs: 100 });
  expect(limits.judgeRequest("subscribe", 99_000).does).toBe("close");
  expect(limits.judgeRequest("subscribe", 100_000).does).toBe("serve");
});

test("a request whose topics are not granted is refused for as long as they take, and pays for them", () => {
  const limits = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1_000 }, 0);
  expect(limits.takeTopics(900, 0)).toBe(true);
  expect(limits.takeTopics(600, 0)).toBe(false);
  // Each is 1 and 600 topics at a hundredth: 14 times 7 of 100.
  const verdicts = Array.from({ length: 15 }, () => limits.refuseTopics(0));
  expect(verdicts[13]).toEqual({ does: "refuse", retryAfterMs: 500 });
  expect(verdicts[14]).toEqual({ does: "close" });
});

const NO_FRAME = { bytes: 0, messages: 0, fields: 0, unknownFields: 0 };

test.each([
  ["bytes", { bytes: 160 * 1024 }],
  ["fields", { fields: 5_000 }],
])("a frame is paid for by its %s, as far as its messages do not cover it", (_, size) => {
  const frame = { ...NO_FRAME, ...size };
  const limits = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1 }, 0);
  expect(limits.takeFrame({ ...frame, messages: 100 }, 0)).toBe(true);
  expect(limits.takeFrame(frame, 0)).toBe(true);
  expect(limits.judgeRequest("ping", 0).does).toBe("refuse");
  // To say that it is too much, it has to be read, which takes the place of 10 refusals of 100.
  const taken = Array.from({ length: 12 }, () => limits.takeFrame(frame, 0));
  expect(taken.filter(Boolean)).toHaveLength(9);
});

test("a frame with unknown fields is paid for by them, and never read to be refused", () => {
  const frame = { ...NO_FRAME, unknownFields: 100 };
  const limits = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1 }, 0);
  expect(limits.takeFrame({ ...frame, messages: 100 }, 0)).toBe(true);
  expect(limits.takeFrame(frame, 0)).toBe(true);
  expect(limits.takeFrame(frame, 999_999)).toBe(false);
  expect(limits.takeFrame(frame, 1_000_000)).toBe(true);
});

describe("a call", () => {
  const verdicts = (limits: RateLimits, count: number, nowUs: number): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (let index = 0; index < count; index += 1) {
      const { does } = limits.judgeCall(nowUs);
      counts[does] = (counts[does] ?? 0) + 1;
    }
    return counts;
  };
  const rated = () => new RateLimits({ requestsPerSecondMax: 100, topicsPerSecondMax: 1 }, 0);

  test("leaves a tenth of the rate to what is no call", () => {
    const limits = rated();
    expect(verdicts(limits, 91, 0)).toEqual({ serve: 90, refuse: 1 });
    const pings = Array.from({ length: 11 }, () => limits.judgeRequest("ping", 0).does);
    expect(pings.filter((does) => does === "serve")).toHaveLength(10);
  });

  test.each([
    [999, { serve: 90, refuse: 909 }],
    [1_090, { serve: 90, refuse: 1_000 }],
    [1_091, { serve: 90, refuse: 1_000, close: 1 }],
  ])("of %i at once, so many are served, refused or end the session", (count, expected) => {
    expect(verdicts(rated(), count, 0)).toEqual(expected);
  });

  test("that waits as long as it is told is served", () => {
    const limits = rated();
    verdicts(limits, 90, 0);
    const refused = limits.judgeCall(0);
    expect(refused).toEqual({ does: "refuse", retryAfterMs: 10 });
    expect(limits.judgeCall(9_000)).toMatchObject({ does: "refuse" });
    expect(limits.judgeCall(20_000)).toEqual({ does: "serve" });
  });

  test("may come too often for ever by half of the rate, and by more for a while", () => {
    const modest = rated();
    const greedy = rated();
    let closedMs: number | undefined;
    for (let ms = 10; ms <= 60_000; ms += 10) {
      // 140 and 300 a second where 100 are served.
      for (const _ of Array.from({ length: ms % 50 === 0 ? 3 : 1 })) {
        expect(modest.judgeCall(ms * 1_000).does).not.toBe("close");
      }
      for (const _ of [1, 2, 3]) {
        if (greedy.judgeCall(ms * 1_000).does === "close") closedMs ??= ms;
      }
    }
    expect(closedMs).toBeGreaterThan(5_000);
    expect(closedMs).toBeLessThan(10_000);
  });
});

test("a message of which nothing can be made is paid for like a request", () => {
  const limits = new RateLimits({ requestsPerSecondMax: 10, topicsPerSecondMax: 1 }, 0);
  expect(limits.takeUnknown(11, 0)).toBe(false);
  expect(limits.takeUnknown(10, 0)).toBe(true);
  expect(limits.judgeRequest("ping", 0).does).toBe("refuse");
});

test("topics are granted as a bucket of tokens grants them, whenever they are asked for", () => {
  const asks = fc.array(fc.tuple(fc.nat(3_000_000), fc.nat(40)), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), asks, (perSecond, given) => {
      const bucket = new TokenBucket(perSecond, 7);
      const limits = new RateLimits({ requestsPerSecondMax: 1, topicsPerSecondMax: perSecond }, 7);
      let nowUs = 7;
      const differing: number[] = [];
      for (const [passedUs, topics] of given) {
        nowUs += passedUs;
        const isGranted = bucket.take(topics, nowUs);
        if (limits.takeTopics(topics, nowUs) === isGranted) continue;
        // What is there to the last part of a token may be granted by one of them alone.
        if (Math.abs(bucket.waitMs(topics)) > 0.002) differing.push(nowUs);
        break;
      }
      expect(differing).toEqual([]);
    }),
  );
});
