import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { Drain } from "./drain.ts";
import type { DrainableSession } from "./drain.ts";

let clock: ManualClock;
let startUs: number;
let sessions: Set<DrainableSession>;
let log: string[];
let drain: Drain;

beforeEach(() => {
  clock = new ManualClock();
  startUs = clock.nowUs();
  sessions = new Set();
  log = [];
});

const atMs = (): number => (clock.nowUs() - startUs) / 1_000;

/** Sessions that go when they are dismissed, or only when they are cut. */
function connect(count: number, goes: "when dismissed" | "when cut" = "when dismissed"): void {
  for (let index = 0; index < count; index += 1) {
    const name = sessions.size;
    const session: DrainableSession = {
      announceGoingAway: (windowMs) => void log.push(`${atMs()}: ${name} told ${windowMs}`),
      dismiss: () => {
        if (!sessions.has(session)) return;
        log.push(`${atMs()}: ${name} dismissed`);
        if (goes === "when dismissed") leave(session);
      },
      terminate: () => {
        if (!sessions.has(session)) return;
        log.push(`${atMs()}: ${name} cut`);
        leave(session);
      },
    };
    sessions.add(session);
  }
}

function leave(session: DrainableSession | undefined): void {
  if (session !== undefined && sessions.delete(session)) drain.onSessionGone();
}

function start(windowMs: number, graceMs: number): Promise<void> {
  drain = new Drain({ clock, sessions, windowMs, graceMs });
  return drain.run().then(() => void log.push(`${atMs()}: done`));
}

const dismissals = (): string[] => log.filter((line) => line.includes("dismissed"));

describe("a drain", () => {
  test("tells every client before the first is closed, in another turn", async () => {
    connect(2);
    const done = start(1_000, 5_000);
    expect(log).toEqual(["0: 0 told 1000", "0: 1 told 1000"]);
    clock.advance(500);
    await done;
  });

  test("spreads the closes over the window", async () => {
    connect(4);
    const done = start(1_000, 5_000);
    log.length = 0;
    clock.advance(1_000);
    await done;
    expect(log.filter((line) => !line.includes("done"))).toEqual(
      [0, 250, 500, 750].map((at, index) => `${at}: ${index} dismissed`),
    );
  });

  test("never closes more in any tenth of the window than a tenth of the clients", async () => {
    connect(1_000);
    const done = start(10_000, 30_000);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const before = dismissals().length;
      clock.advanceTo(startUs + (tenth + 1) * 1_000_000 - 1);
      expect(dismissals().length - before).toBe(100);
    }
    await done;
  });

  test.each([
    [127, [127]],
    [128, [128]],
    [129, [128, 1]],
    [500, [128, 128, 128, 116]],
  ])(
    "of %d clients without a window tells and closes so many a turn: %j",
    async (count, expected) => {
      connect(count);
      const done = start(0, 5_000);
      const counts = { told: [0], dismissed: [0] };
      const note = (what: "told" | "dismissed"): void => {
        const all = log.filter((line) => line.includes(what)).length;
        counts[what].push(all - counts[what].reduce((sum, each) => sum + each));
      };
      note("told");
      for (let turn = 0; sessions.size > 0; turn += 1) {
        clock.advance(turn === 0 ? 0 : 1);
        note("told");
        note("dismissed");
      }
      expect(counts.told.filter((each) => each > 0)).toEqual(expected);
      expect(counts.dismissed.filter((each) => each > 0)).toEqual(expected);
      await done;
    },
  );

  test("ends as soon as the last client has gone, with no timer left", async () => {
    connect(3);
    const done = start(1_000, 5_000);
    clock.advance(0);
    expect(dismissals()).toHaveLength(1);
    for (const session of sessions) leave(session);
    await done;
    expect(atMs()).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("passes over a client that left by itself", async () => {
    connect(4);
    const done = start(1_000, 5_000);
    leave([...sessions][2]);
    clock.advance(1_000);
    await done;
    expect(dismissals().map((line) => line.split(" ")[1])).toEqual(["0", "1", "3"]);
  });

  test("cuts whoever has not gone when the grace is over, and not a moment before", async () => {
    connect(1, "when cut");
    connect(1);
    const done = start(1_000, 2_000);
    clock.advance(1_999);
    await nextTurn();
    expect(log.filter((line) => line.includes("cut"))).toEqual([]);
    clock.advance(1);
    await done;
    expect(log.slice(-2)).toEqual(["2000: 0 cut", "2000: done"]);
    expect(clock.pending).toBe(0);
  });

  test.each([
    [5_000, 1_000, 1_000],
    [1_000, 5_000, 1_000],
    [1_000, 0, 0],
  ])("with a window of %i and a grace of %i ms uses %i ms", async (windowMs, graceMs, used) => {
    connect(2);
    const done = start(windowMs, graceMs);
    expect(log[0]).toBe(`0: 0 told ${used}`);
    clock.advance(graceMs);
    await done;
    expect(dismissals()).toHaveLength(2);
  });

  test("without clients is done at once", async () => {
    await start(1_000, 5_000);
    expect(clock.pending).toBe(0);
  });
});
