import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createGatewayMetrics } from "../../metrics.ts";
import { Flusher } from "./flusher.ts";
import type { Flushable } from "./flusher.ts";

let clock: ManualClock;
let registry: Registry;
let turns: (() => void)[];
let flusher: Flusher;
let flushed: string[];

beforeEach(() => {
  clock = new ManualClock();
  registry = new Registry();
  turns = [];
  flushed = [];
  flusher = new Flusher({
    clock,
    scheduler: { endOfTurn: (callback) => void turns.push(callback) },
    flushIntervalMsMax: 10,
    metrics: createGatewayMetrics(registry),
  });
});

function session(name: string, onFlush: () => void = () => {}): Flushable {
  return {
    scheduled: false,
    flush() {
      flushed.push(name);
      onFlush();
    },
  };
}

function endTurn(): void {
  for (const callback of turns.splice(0)) callback();
}

async function metric(name: string): Promise<number> {
  const read = await registry.getSingleMetric(name)?.get();
  return (read?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

describe("a round", () => {
  test("comes at the end of the turn and flushes each session once, in order", () => {
    const first = session("first");
    const second = session("second");
    for (const due of [first, second, first]) flusher.schedule(due);
    expect(flushed).toEqual([]);
    expect(turns).toHaveLength(1);
    endTurn();
    expect(flushed).toEqual(["first", "second"]);
    endTurn();
    expect(flushed).toHaveLength(2);
  });

  test("leaves what is queued while it runs to the next", () => {
    const again = session("again", () => {
      if (flushed.length === 1) flusher.schedule(again);
    });
    flusher.schedule(again);
    endTurn();
    expect(flushed).toEqual(["again"]);
    endTurn();
    expect(flushed).toEqual(["again", "again"]);
  });

  test("can be had at once, and then does not come again by itself", () => {
    flusher.schedule(session("only"));
    flusher.flush();
    endTurn();
    expect(flushed).toEqual(["only"]);
  });

  test("counts what the sessions sent", async () => {
    const sends = session("sends", () => {
      flusher.sent(100, false);
      flusher.sent(30, true);
    });
    flusher.schedule(sends);
    endTurn();
    flusher.schedule(sends);
    endTurn();
    expect(await metric("tickwire_gateway_frames_sent_total")).toBe(4);
    expect(await metric("tickwire_gateway_sent_bytes_total")).toBe(260);
    expect(await metric("tickwire_gateway_frames_compressed_total")).toBe(2);
  });
});

describe("a long round", () => {
  const crowd = (count: number, onFlush?: () => void): void => {
    for (let index = 0; index < count; index += 1) flusher.schedule(session(`${index}`, onFlush));
  };
  /** How many sessions each turn flushes, until nothing is left. */
  const slices = (): number[] => {
    const counts: number[] = [];
    while (turns.length > 0) {
      const before = flushed.length;
      endTurn();
      counts.push(flushed.length - before);
    }
    return counts;
  };

  test.each([
    [255, [255]],
    [256, [256]],
    [257, [256, 1]],
    [5_000, [...Array.from({ length: 19 }, () => 256), 136]],
  ])("of %d sessions is done in slices of 256, a turn each", (count, expected) => {
    crowd(count);
    expect(slices()).toEqual(expected);
    expect(new Set(flushed).size).toBe(count);
  });

  test.each([
    [0.99, [3, 3, 1]],
    [1, [2, 2, 2, 1]],
    [2.5, [1, 1, 1, 1, 1, 1, 1]],
  ])("whose sends take %d ms each yields after 2 ms", (eachMs, expected) => {
    crowd(7, () => clock.advance(eachMs));
    expect(slices()).toEqual(expected);
  });

  /** How many sessions each turn flushes, if all else takes so long in between. */
  const slicesBetween = (othersUs: number): number[] => {
    const counts: number[] = [];
    while (turns.length > 0) {
      const before = flushed.length;
      endTurn();
      counts.push(flushed.length - before);
      clock.advance(othersUs / 1_000);
    }
    return counts;
  };

  test("takes 5 ms at first, however long all else took", () => {
    clock.advance(60);
    crowd(7, () => clock.advance(1));
    endTurn();
    expect(flushed).toHaveLength(5);
  });

  test.each([
    [900, [2, 2, 3, 4, 5, 6, 7, 8, 3]],
    [1_000, [2, 2, 3, 4, 5, 6, 7, 8, 8], 45],
    [3_500, [2, 7, 8, 8, 8, 7]],
    [5_000, [2, 8, 8, 8, 8, 6]],
    [5_500, [2, 11, 17, 10]],
    [12_000, [2, 24, 14]],
    [24_500, [2, 38]],
    [24_500, [2, 49, 9], 60],
    [26_000, [2, 50, 8], 60],
  ])("takes more and more of the time, %d us between its slices", (us, expected, of = 40) => {
    crowd(of, () => clock.advance(1));
    expect(slicesBetween(us)).toEqual(expected);
  });

  test("asks more than 256 sessions where turns are long", () => {
    crowd(2_000, () => clock.advance(0.01));
    expect(slicesBetween(6_000)).toEqual([200, 1_200, 600]);
  });

  test("leaves what is queued between its slices to the next, and loses nothing of it", () => {
    const early = session("early");
    flusher.schedule(early);
    crowd(600);
    endTurn();
    flusher.schedule(early);
    flusher.schedule(session("late"));
    expect(slices()).toEqual([256, 89, 2]);
    expect(flushed.slice(-2)).toEqual(["early", "late"]);
  });

  test("counts whole for how long the next waits", () => {
    crowd(8, () => clock.advance(1));
    expect(slices()).toEqual([2, 2, 2, 2]);
    flusher.schedule(session("next"));
    clock.advance(7);
    expect(flushed).toHaveLength(8);
    clock.advance(1);
    expect(flushed.at(-1)).toBe("next");
  });

  test("is finished by whoever wants everything flushed now", async () => {
    crowd(600);
    endTurn();
    flusher.schedule(session("late"));
    flusher.flush();
    expect(flushed).toHaveLength(601);
    expect(slices().every((count) => count === 0)).toBe(true);
    expect(await metric("tickwire_gateway_flush_seconds")).toBeGreaterThan(0);
  });
});

describe("after a round that took", () => {
  test.each([
    [1, 1],
    [4.7, 4],
    [10, 10],
    [250, 10],
  ])("%d ms, the next waits %d ms", (tookMs, waitMs) => {
    flusher.schedule(session("long", () => clock.advance(tookMs)));
    endTurn();
    flusher.schedule(session("next"));
    expect(turns).toHaveLength(0);
    clock.advance(waitMs - 1);
    expect(flushed).toEqual(["long"]);
    clock.advance(1);
    expect(flushed).toEqual(["long", "next"]);
  });

  test("less than a millisecond, the next comes with the turn", () => {
    flusher.schedule(session("short", () => clock.advance(0.9)));
    endTurn();
    flusher.schedule(session("next"));
    endTurn();
    expect(flushed).toEqual(["short", "next"]);
  });

  test("the wall clock being set, back or on, delays nobody", () => {
    flusher.schedule(session("one", () => clock.set(-10_000)));
    endTurn();
    flusher.schedule(session("two", () => clock.set(20_000)));
    endTurn();
    flusher.schedule(session("three"));
    endTurn();
    expect(flushed).toEqual(["one", "two", "three"]);
  });
});
