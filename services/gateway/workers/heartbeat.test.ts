import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { beat, createHeartbeat, HeartbeatWatch } from "./heartbeat.ts";

let clock: ManualClock;
let heartbeat: Int32Array;
let watch: HeartbeatWatch;
let heard: number;

beforeEach(() => {
  clock = new ManualClock();
  heartbeat = createHeartbeat();
  heard = 0;
  const onSilent = (): void => void (heard += 1);
  watch = new HeartbeatWatch({ heartbeat, clock, silentMsMax: 1_000, onSilent });
});

test.each([
  [999, 0],
  [1_000, 1],
  [60_000, 1],
])("of a worker that is silent for %d ms it is told %d times", (silentMs, times) => {
  clock.advance(silentMs);
  expect(heard).toBe(times);
});

test("a worker that says once in a while that it turns is left alone", () => {
  for (let turn = 0; turn < 20; turn += 1) {
    clock.advance(900);
    beat(heartbeat);
  }
  expect(heard).toBe(0);
  clock.advance(1_250);
  expect(heard).toBe(1);
});

test("while the whole process stood still, no worker was silent", () => {
  const still = { nowUs: 0, look: (): void => undefined };
  const standing = {
    nowUs: () => still.nowUs,
    monotonicUs: () => still.nowUs,
    after: (_ms: number, callback: () => void) => {
      still.look = callback;
      return () => undefined;
    },
  };
  const onSilent = (): void => void (heard += 1);
  const late = new HeartbeatWatch({ heartbeat, clock: standing, silentMsMax: 1_000, onSilent });
  // The next look comes a minute late, and then in time.
  still.nowUs += 60_000_000;
  still.look();
  expect(heard).toBe(0);
  beat(heartbeat);
  still.nowUs += 250_000;
  still.look();
  expect(heard).toBe(0);
  late.close();
});

test("what is watched no more leaves no timer", () => {
  watch.close();
  watch.close();
  expect(clock.pending).toBe(0);
  clock.advance(60_000);
  expect(heard).toBe(0);
});
