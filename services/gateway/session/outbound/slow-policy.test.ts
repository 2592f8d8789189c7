import { describe, expect, test } from "vitest";
import { SlowPolicy } from "./slow-policy.ts";

const LIMIT = { outboundBytesMax: 1_000, lagNoticeMs: 5_000, lagMsMax: 30_000 };

/** A flush after which so much is owed, all of it news that was queued before. */
function flush(policy: SlowPolicy, owedBytes: number) {
  policy.beginFlush(owedBytes);
  return policy.judge(owedBytes, 0);
}

describe("a reader that is behind", () => {
  test.each([
    [4_999, "keeps-up"],
    [5_000, "keeps-up"],
    [5_001, "lags"],
    [30_000, "lags"],
    [30_001, "too-slow"],
  ])("by %i ms: %s, however few bytes wait", (lagMs, verdict) => {
    expect(new SlowPolicy(LIMIT).judge(1, lagMs)).toBe(verdict);
  });

  test("is told again only after it was less than half as much behind", () => {
    const policy = new SlowPolicy(LIMIT);
    const lags = [6_000, 2_500, 6_000, 2_499, 6_000].map((lagMs) => policy.judge(1, lagMs));
    expect(lags).toEqual(["lags", "keeps-up", "keeps-up", "recovers", "lags"]);
  });

  test("is not fine as long as it is so in one of both", () => {
    const policy = new SlowPolicy(LIMIT);
    expect([policy.judge(600, 0), policy.judge(0, 4_000), policy.judge(600, 0)]).toEqual([
      "lags",
      "keeps-up",
      "keeps-up",
    ]);
  });
});

describe("a reader", () => {
  test.each([
    [499, "keeps-up"],
    [500, "keeps-up"],
    [501, "lags"],
    [1_000, "lags"],
    [1_001, "too-slow"],
  ])("to whom %i of 1000 bytes are owed: %s", (owedBytes, verdict) => {
    const policy = new SlowPolicy(LIMIT);
    policy.onNews(owedBytes);
    expect(flush(policy, owedBytes)).toBe(verdict);
  });

  test("is told once, however often it is judged", () => {
    const policy = new SlowPolicy(LIMIT);
    policy.onNews(600);
    expect([600, 700, 600, 260].map((owed) => flush(policy, owed))).toEqual([
      "lags",
      "keeps-up",
      "keeps-up",
      "keeps-up",
    ]);
  });

  test.each([
    [250, "keeps-up"],
    [249, "lags"],
  ])("that caught up to %i of 1000 and falls behind again: %s", (lowest, verdict) => {
    const policy = new SlowPolicy(LIMIT);
    policy.onNews(600);
    flush(policy, 600);
    flush(policy, lowest);
    policy.onNews(600);
    expect(flush(policy, 600)).toBe(verdict);
  });

  test("that lags is still closed above the limit", () => {
    const policy = new SlowPolicy(LIMIT);
    policy.onNews(600);
    flush(policy, 600);
    policy.onNews(500);
    expect(flush(policy, 1_100)).toBe("too-slow");
  });
});

describe("the starts of subscriptions", () => {
  test("are not late, however large", () => {
    const policy = new SlowPolicy(LIMIT);
    policy.onStart(1_000_000);
    expect(flush(policy, 1_000_000)).toBe("keeps-up");
  });

  test("do not hide that news are late", () => {
    const policy = new SlowPolicy(LIMIT);
    policy.onStart(5_000);
    policy.onNews(501);
    expect(flush(policy, 5_501)).toBe("lags");
  });

  test("count only as far as they have not left", () => {
    const policy = new SlowPolicy(LIMIT);
    policy.onStart(5_000);
    flush(policy, 5_000);
    // All but 100 bytes left; then 700 bytes of news came.
    flush(policy, 100);
    policy.onNews(700);
    expect(flush(policy, 800)).toBe("lags");
  });
});
