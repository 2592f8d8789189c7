import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { Drain, Pace } from "./drain.ts";
import type { DrainableSession, DrainResult } from "./drain.ts";
import { Turns } from "./turns/turns.ts";
import type { TurnLine } from "./turns/turns.ts";

let clock: ManualClock;
let startUs: number;
let sessions: Set<FakeSession>;
let log: string[];
let drain: Drain;
let requests: number;
let result: DrainResult | undefined;

beforeEach(() => {
  clock = new ManualClock();
  startUs = clock.nowUs();
  sessions = new Set();
  log = [];
  requests = 0;
  result = undefined;
});

const atMs = (): number => (clock.nowUs() - startUs) / 1_000;

type Goes = "when dismissed" | "when cut" | "after it was cut";

/** A session that goes when it is dismissed, or only when it is cut, or some time after that. */
class FakeSession implements DrainableSession {
  readonly name = sessions.size;
  readonly goes: Goes;
  callsInFlight = 0;

  constructor(goes: Goes) {
    this.goes = goes;
  }

  announceGoingAway(windowMs: number): void {
    log.push(`${atMs()}: ${this.name} told ${windowMs}`);
  }

  refuseCalls(): void {
    log.push(`${atMs()}: ${this.name} refuses calls`);
  }

  dismiss(): void {
    if (!sessions.has(this)) return;
    log.push(`${atMs()}: ${this.name} dismissed`);
    if (this.goes === "when dismissed") this.leave();
  }

  terminate(): void {
    if (!sessions.has(this)) return;
    log.push(`${atMs()}: ${this.name} cut`);
    if (this.goes !== "after it was cut") this.leave();
  }

  leave(): void {
    if (sessions.delete(this)) drain.onGone();
  }
}

function connect(count: number, goes: FakeSession["goes"] = "when dismissed"): FakeSession[] {
  return Array.from({ length: count }, () => {
    const session = new FakeSession(goes);
    sessions.add(session);
    return session;
  });
}

function start(
  limits: { windowMs?: number; graceMs?: number; perSecond?: number },
  line?: TurnLine,
): Promise<void> {
  const { windowMs = 1_000, graceMs = 5_000, perSecond: closesPerSecondMax = 20 } = limits;
  const requestsInFlight = (): number => requests;
  const parts = { clock, sessions, requestsInFlight, windowMs, graceMs, closesPerSecondMax };
  drain = new Drain(line === undefined ? parts : { ...parts, line });
  return drain.run().then((given) => {
    result = given;
    log.push(`${atMs()}: done`);
  });
}

/** When each of these happened, in milliseconds. */
const timesOf = (what: string): number[] =>
  log.filter((line) => line.includes(what)).map((line) => Number.parseFloat(line));

/** The most in any second, wherever it begins. */
function busiestSecond(times: readonly number[]): number {
  const counts = times.map(
    (first) => times.filter((at) => at >= first && at < first + 1_000).length,
  );
  return Math.max(0, ...counts);
}

describe("a drain", () => {
  test("tells clients at the rate, and closes each when its window is over", async () => {
    connect(4);
    const done = start({});
    clock.advance(1_300);
    await done;
    // At seven tenths of 20 a second; timers are whole milliseconds.
    expect(timesOf("told")).toEqual([0, 72, 144, 216]);
    expect(timesOf("dismissed")).toEqual([1_000, 1_072, 1_144, 1_216]);
    expect(result).toEqual({ left: 0, closed: 4, cut: 0 });
    expect(clock.pending).toBe(0);
  });

  test("tells a client before it closes it, in another turn, also without a window", async () => {
    connect(1);
    const done = start({ windowMs: 0 });
    expect(log).toEqual(["0: 0 told 0"]);
    clock.advance(1);
    await done;
    expect(log).toEqual(["0: 0 told 0", "1: 0 dismissed", "1: done"]);
  });

  test.each([1, 7, 19, 20, 33, 45, 100, 500])(
    "never closes more than %i in any second",
    async (perSecond) => {
      connect(perSecond * 3);
      const done = start({ windowMs: 100, graceMs: 60_000, perSecond });
      clock.advance(10_000);
      await done;
      const times = timesOf("dismissed");
      expect(times).toHaveLength(perSecond * 3);
      expect(busiestSecond(times)).toBeLessThanOrEqual(perSecond);
      // And not much fewer, as clients are told at seven tenths of the rate.
      expect(times.at(-1)).toBeLessThan(5_200);
    },
  );

  test("ends as soon as the last client has gone, with no timer left", async () => {
    const all = connect(3);
    const done = start({});
    clock.advance(100);
    for (const session of all) session.leave();
    await done;
    expect(atMs()).toBe(100);
    expect(result).toEqual({ left: 3, closed: 0, cut: 0 });
    expect(clock.pending).toBe(0);
  });

  test("passes over a client that left by itself, which costs the others no time", async () => {
    const all = connect(4);
    const done = start({});
    all[2]!.leave();
    clock.advance(1_400);
    await done;
    expect(timesOf("told")).toHaveLength(3);
    expect(result).toEqual({ left: 1, closed: 3, cut: 0 });
  });

  test("is over when the last one that was cut has gone, and not before", async () => {
    const all = connect(2, "after it was cut");
    all[0]!.callsInFlight = 1;
    const done = start({ graceMs: 2_000 });
    clock.advance(2_000);
    await nextTurn();
    expect(log.filter((line) => line.includes("cut"))).toHaveLength(2);
    all[0]!.leave();
    await nextTurn();
    expect(result).toBeUndefined();
    all[1]!.leave();
    await done;
    expect(result).toEqual({ left: 0, closed: 1, cut: 1 });
  });

  test("waits for calls that are under way, and lets no others begin", async () => {
    const [busy] = connect(2);
    busy!.callsInFlight = 1;
    const done = start({});
    clock.advance(1_500);
    expect(log.slice(-2)).toEqual(["1000: 0 refuses calls", "1072: 1 dismissed"]);
    busy!.callsInFlight = 0;
    clock.advance(20);
    await done;
    expect(log.slice(-2)).toEqual(["1502: 0 dismissed", "1520: done"]);
  });

  test("waits for HTTP requests that are under way", async () => {
    connect(1);
    requests = 1;
    const done = start({});
    clock.advance(1_000);
    await nextTurn();
    expect(result).toBeUndefined();
    requests = 0;
    drain.onGone();
    await done;
    expect(result).toEqual({ left: 0, closed: 1, cut: 0 });
  });

  test.each([
    ["a client that does not go", "when cut", 0, 0],
    ["a call that does not end", "when dismissed", 1, 0],
    ["a request that does not end", "when dismissed", 0, 1],
  ] as const)("ends %s at the deadline, and not a moment before", async (_, goes, calls, http) => {
    const [last] = connect(1, goes);
    last!.callsInFlight = calls;
    requests = http;
    const done = start({ graceMs: 2_000 });
    clock.advance(1_999);
    await nextTurn();
    expect(log.filter((line) => /cut|done/.test(line))).toEqual([]);
    clock.advance(1);
    await done;
    expect(log.at(-1)).toBe("2000: done");
    expect(sessions.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test.each([
    [5_000, 1_000, 1_000],
    [1_000, 5_000, 1_000],
    [1_000, 0, 0],
  ])(
    "with a window of %i and a grace of %i ms gives clients %i ms",
    async (windowMs, graceMs, used) => {
      connect(1);
      const done = start({ windowMs, graceMs });
      expect(log[0]).toBe(`0: 0 told ${used}`);
      clock.advance(graceMs);
      await done;
      expect(sessions.size).toBe(0);
    },
  );

  // 4 s are left beside the window: 56 are told at seven tenths of 20 a second.
  test.each([
    [55, 0, 4_929],
    [56, 0, 5_000],
    [57, 1, 5_072],
  ])(
    "of %i clients foresees that %i are left at the deadline",
    (count, overdueSessions, neededMs) => {
      connect(count);
      void start({});
      expect(drain.plan).toEqual({ overdueSessions, neededMs });
    },
  );

  test("whose rate is too low tells everybody in time all the same, and cuts who is left", async () => {
    connect(400);
    const done = start({});
    clock.advance(4_100);
    expect(timesOf("told")).toHaveLength(400);
    clock.advance(1_000);
    await done;
    expect(busiestSecond(timesOf("dismissed"))).toBeLessThanOrEqual(20);
    const closed = timesOf("dismissed").length;
    expect(result).toEqual({ left: 0, closed, cut: 400 - closed });
    expect(closed).toBeGreaterThan(70);
  });

  test.each([127, 128, 129, 500])(
    "of %i clients tells and closes at most 128 a turn, whatever the rate",
    async (count) => {
      connect(count);
      const done = start({ windowMs: 0, perSecond: 1_000_000 });
      const most = { told: 0, dismissed: 0 };
      for (let turn = 0; turn < 20; turn += 1) {
        for (const what of ["told", "dismissed"] as const) {
          most[what] = Math.max(most[what], timesOf(what).filter((at) => at === atMs()).length);
        }
        clock.advance(1);
      }
      await done;
      expect(most).toEqual({ told: Math.min(count, 128), dismissed: Math.min(count, 128) });
    },
  );

  test("cuts clients that are left in turns, and not who leaves between two of them", async () => {
    let nowUs = 0;
    const ends: (() => void)[] = [];
    const ticking = { nowUs: () => nowUs, monotonicUs: () => nowUs, after: () => () => {} };
    const scheduler = { endOfTurn: (callback: () => void) => void ends.push(callback) };
    const line = new Turns({ clock: ticking, scheduler }).open();
    const all = connect(1_000, "when cut");
    for (const session of all) {
      const cut = session.terminate.bind(session);
      session.terminate = () => {
        nowUs += 10;
        cut();
      };
    }
    const done = start({ windowMs: 100, graceMs: 500, perSecond: 1 }, line);
    clock.advance(500);
    await nextTurn();
    expect(timesOf("cut")).toHaveLength(25);
    all[999]?.leave();
    let turns = 0;
    while (ends.length > 0) {
      const before = timesOf("cut").length;
      for (const callback of ends.splice(0)) callback();
      expect(timesOf("cut").length - before).toBeLessThanOrEqual(100);
      turns += 1;
    }
    await done;
    expect(turns).toBeGreaterThanOrEqual(10);
    expect(timesOf("cut")).toHaveLength(999);
    expect(sessions.size).toBe(0);
    expect((result?.cut ?? 0) + (result?.closed ?? 0)).toBe(999);
    expect(result?.left).toBe(1);
  });

  test("without clients is done at once", async () => {
    await start({});
    expect(result).toEqual({ left: 0, closed: 0, cut: 0 });
    expect(clock.pending).toBe(0);
  });
});

describe("a pace", () => {
  test("holds in every second, however late its owner comes", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 50, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), gaps, (perSecond, waits) => {
        const pace = new Pace(perSecond);
        const taken: { readonly atUs: number; readonly count: number }[] = [];
        let nowUs = 0;
        for (const waitUs of waits) {
          nowUs += waitUs;
          taken.push({ atUs: nowUs, count: pace.take(nowUs) });
        }
        for (const { atUs } of taken) {
          const within = taken.filter(
            (other) => other.atUs >= atUs && other.atUs < atUs + 1_000_000,
          );
          expect(within.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(perSecond);
        }
      }),
    );
  });
});
