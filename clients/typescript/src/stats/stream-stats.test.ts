import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import type { SessionLink } from "../session/session-part.ts";
import { ClockOffsets } from "./clock-offset.ts";
import { LagHistogram } from "./lag-histogram.ts";
import { LagMeter } from "./lag-meter.ts";
import { StreamStats } from "./stream-stats.ts";

describe("lags", () => {
  test("come back as percentiles that are at most an eighth too large, and never above the largest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 300 }),
        (lags) => {
          const histogram = new LagHistogram();
          for (const lag of lags) histogram.observe(lag);
          const sorted = lags.toSorted((left, right) => left - right);
          const exact = (share: number) => sorted[Math.ceil(sorted.length * share) - 1]! / 1_000;
          const taken = histogram.take()!;
          for (const [given, share] of [
            [taken.p50Ms, 0.5],
            [taken.p99Ms, 0.99],
          ] as const) {
            expect(given).toBeGreaterThanOrEqual(exact(share));
            expect(given).toBeLessThanOrEqual(exact(share) * 1.125 + 0.001);
          }
          expect(taken.maxMs).toBe(sorted.at(-1)! / 1_000);
          expect(taken.samples).toBe(lags.length);
          expect(histogram.take()).toBeUndefined();
        },
      ),
    );
  });

  test("below nothing and beyond half an hour are counted at the ends", () => {
    const histogram = new LagHistogram();
    histogram.observe(-5_000);
    expect(histogram.take()).toMatchObject({ p50Ms: -5, maxMs: -5 });
    histogram.observe(2 ** 40);
    expect(histogram.take()).toMatchObject({ p50Ms: (2 ** 31 - 1) / 1_000, samples: 1 });
  });
});

describe("the gateway's clock", () => {
  test("is that of the quickest of the last eight pings", () => {
    const offsets = new ClockOffsets();
    expect(offsets.best).toBeUndefined();
    offsets.observe(0, 100, 1_000_050);
    offsets.observe(1_000, 1_010, 1_001_004);
    offsets.observe(2_000, 2_400, 1_002_399);
    expect(offsets.best).toEqual({ roundTripUs: 10, offsetUs: 999_999 });
    for (let ping = 0; ping < 7; ping += 1) offsets.observe(3_000, 3_200, 1_003_100);
    expect(offsets.best?.roundTripUs).toBe(200);
  });

  test("is not told by a pong without a time, or from before its ping", () => {
    const offsets = new ClockOffsets();
    offsets.observe(0, 10, 0);
    offsets.observe(10, 0, 1_000);
    expect(offsets.best).toBeUndefined();
  });
});

describe("statistics", () => {
  let clock: ManualClock;
  let pings: number[];
  let loads: number;
  let failures: number;
  let stats: StreamStats;

  beforeEach(() => {
    clock = new ManualClock();
    pings = [];
    loads = 0;
    failures = 0;
    const link = {
      clock,
      random: () => 0.5,
      backoff: { baseMs: 10, maxMs: 10 },
      pacer: { charge: () => undefined },
      send: ([message]: readonly { kind: string; value: { nonce: number } }[]) => {
        if (message?.kind === "ping") pings.push(message.value.nonce);
      },
    } as unknown as SessionLink;
    stats = new StreamStats(link, async () => {
      loads += 1;
      if (loads <= failures) throw new TypeError("not fetched");
      return LagMeter;
    });
  });

  /** The first call, and what it loads. */
  async function begin(): Promise<void> {
    stats.take();
    await nextTurn();
  }

  const BATCH = { snapshot: false, publishedTimeUs: 0, venueTimesUs: [], count: 1 };
  const pong = (aheadUs: number) => {
    const nonce = pings.at(-1)!;
    const value = { nonce, serverTimeUs: clock.nowUs() + aheadUs };
    stats.handleMessage({ kind: "pong", value });
  };

  test("are rates of the time since they were asked for before", () => {
    const meter = stats.meterOf("a:B/trades");
    clock.advance(1_000);
    meter.batch(BATCH, 10, 300);
    expect(stats.take()).toMatchObject({
      overMs: 1_000,
      events: { total: 10, perSecond: 10 },
      batches: { total: 1, perSecond: 1 },
      bytes: { total: 300, perSecond: 300 },
      topics: [{ topic: "a:B/trades", events: { total: 10, perSecond: 10 } }],
    });
    clock.advance(500);
    stats.meterOf("a:B/trades").batch(BATCH, 1, 100);
    expect(stats.take()).toMatchObject({
      events: { total: 11, perSecond: 2 },
      bytes: { total: 400, perSecond: 200 },
      topics: [{ bytes: { perSecond: 200 } }],
    });
    expect(stats.take().events.perSecond).toBe(0);
  });

  test("know what was lost and how topics went on", () => {
    const meter = stats.meterOf("a:B/trades");
    const topic = { topic: "a:B/trades", venue: "a", symbol: "B" };
    const gap = { ...topic, type: "gap", epoch: 1, reason: "sequence-gap" } as const;
    meter.notice({ ...gap, missingFirst: 3, missingLast: 7 });
    meter.notice({ ...gap, missingFirst: 9, missingLast: undefined });
    const went = { ...topic, type: "continuity", epoch: 1, sequence: 1, reason: "" } as const;
    for (const continuity of ["new", "resumed", "resumed", "replaced"] as const) {
      meter.notice({ ...went, continuity });
    }
    const expected = { missingEvents: 5, unknownGaps: 1, resumes: 2, replacements: 1 };
    expect(stats.take()).toMatchObject({ ...expected, topics: [{ missingEvents: 5 }] });
  });

  test("tell connections that were lost from those that were left", () => {
    stats.handleConnected();
    stats.handleDisconnected();
    stats.handleConnected();
    stats.handleMoved();
    stats.handleConnected();
    expect(stats.take()).toMatchObject({ reconnects: 1, moves: 1 });
  });

  test("measure lags on the gateway's clock, from the first call on", async () => {
    const meter = stats.meterOf("a:B/trades");
    stats.handleConnected();
    expect([stats.take().publishedLag, pings.length]).toEqual([undefined, 0]);
    await nextTurn();
    expect(pings).toHaveLength(1);
    clock.advance(2);
    pong(5_000_000 - 1_000);
    const gatewayUs = clock.nowUs() + 5_000_000;
    const publishedTimeUs = gatewayUs - 20_000;
    meter.batch({ ...BATCH, publishedTimeUs, venueTimesUs: [gatewayUs - 50_000] }, 1, 1);
    meter.batch({ ...BATCH, publishedTimeUs, snapshot: true }, 1, 1);
    expect(stats.take()).toMatchObject({
      roundTripMs: 2,
      clockOffsetUs: 5_000_000,
      publishedLag: { samples: 1, maxMs: 20 },
      venueLag: { samples: 1, maxMs: 50 },
    });
  });

  test("ping four times at first, then twice a minute, and not without a connection", async () => {
    await begin();
    clock.advance(60_000);
    expect(pings).toHaveLength(0);
    stats.handleConnected();
    clock.advance(750);
    expect(pings).toHaveLength(4);
    clock.advance(60_000);
    expect(pings).toHaveLength(6);
    stats.handleDisconnected();
    expect(clock.pending).toBe(0);
    stats.handleConnected();
    stats.close();
    expect(clock.pending).toBe(0);
  });

  test("measure nothing for a client that has ended while the code was on its way", async () => {
    stats.handleConnected();
    stats.take();
    stats.close();
    await nextTurn();
    expect([pings.length, clock.pending]).toEqual([0, 0]);
  });

  test("count on when what measures lags cannot be loaded, and try again with the next call", async () => {
    failures = 3;
    stats.handleConnected();
    stats.take();
    for (let wait = 0; wait < 2; wait++) {
      await nextTurn();
      clock.advance(10);
    }
    await nextTurn();
    expect([loads, pings.length]).toEqual([3, 0]);
    stats.meterOf("a:B/trades").batch(BATCH, 2, 1);
    expect(stats.take()).toMatchObject({ events: { total: 2 }, roundTripMs: undefined });
    await nextTurn();
    expect([loads, pings.length]).toEqual([4, 1]);
    await begin();
    expect(loads).toBe(4);
  });

  test.each([
    [9_999, 9_999],
    [10_000, 10_000],
    [10_001, 10_000],
  ])("of %i topics tell %i by themselves, and count all", (topics, told) => {
    for (let topic = 0; topic < topics; topic += 1) stats.meterOf(`a:${topic}`).batch(BATCH, 1, 1);
    const taken = stats.take();
    expect([taken.topics.length, taken.events.total]).toEqual([told, topics]);
  });
});
