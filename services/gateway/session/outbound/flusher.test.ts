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

  test("a negative time, because the clock was set back, the next does not wait", () => {
    let nowUs = 1_000_000;
    const backwards = new Flusher({
      clock: { nowUs: () => (nowUs -= 500_000), after: () => () => {} },
      scheduler: { endOfTurn: (callback) => void turns.push(callback) },
      flushIntervalMsMax: 10,
      metrics: createGatewayMetrics(new Registry()),
    });
    for (const name of ["one", "two"]) {
      backwards.schedule(session(name));
      endTurn();
    }
    expect(flushed).toEqual(["one", "two"]);
  });
});
