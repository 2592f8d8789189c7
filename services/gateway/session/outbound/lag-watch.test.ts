import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createGatewayMetrics } from "../../metrics.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { LagWatch } from "./lag-watch.ts";
import type { Watched } from "./lag-watch.ts";

function stand() {
  const clock = new ManualClock();
  const registry = new Registry();
  const turns: (() => void)[] = [];
  const scheduler = { endOfTurn: (callback: () => void) => void turns.push(callback) };
  const watch = new LagWatch({ clock, scheduler, metrics: createGatewayMetrics(registry) });
  const acts: string[] = [];
  const session = (name: string, lagUs: number): Watched => ({
    judge: () => {
      acts.push(name);
      return lagUs;
    },
    forgive: (lostUs) => acts.push(`${name} forgiven ${lostUs / 1_000}`),
  });
  const largest = async () => {
    const metric = await registry.getSingleMetric("tickwire_gateway_lag_seconds_max")?.get();
    return metric?.values[0]?.value;
  };
  return { clock, watch, acts, turns, session, largest };
}

test("everybody who has something under way is looked at once a second, and nobody else", async () => {
  const { clock, watch, acts, session, largest } = stand();
  const [one, two] = [session("one", 2_000_000), session("two", 1_000_000)];
  watch.watch(one);
  watch.watch(two);
  watch.watch(two);
  clock.advance(1_000);
  expect(acts).toEqual(["one", "two"]);
  expect(await largest()).toBe(2);
  watch.leave(one);
  clock.advance(1_000);
  expect(acts).toEqual(["one", "two", "two"]);
  watch.leave(two);
  watch.leave(two);
  expect([clock.pending, await largest()]).toEqual([0, 0]);
});

test("who leaves while it is looked at is looked at no more", () => {
  const { clock, watch } = stand();
  const leaving: Watched = {
    judge: () => {
      watch.leave(leaving);
      return 0;
    },
    forgive: () => {},
  };
  watch.watch(leaving);
  clock.advance(1_000);
  expect(clock.pending).toBe(0);
});

test.each([
  [1_023, [1_023]],
  [1_024, [1_024]],
  [1_025, [1_024, 1]],
  [5_000, [1_024, 1_024, 1_024, 1_024, 904]],
])("of %d sessions so many are looked at a turn: %j", async (count, expected) => {
  const { clock, watch, acts, turns, session, largest } = stand();
  for (let index = 0; index < count; index += 1) watch.watch(session(`${index}`, index * 1_000));
  const looks: number[] = [];
  clock.advance(1_000);
  looks.push(acts.length);
  while (turns.length > 0) {
    const before = acts.length;
    turns.shift()?.();
    looks.push(acts.length - before);
  }
  expect(looks).toEqual(expected);
  expect(new Set(acts).size).toBe(count);
  expect(await largest()).toBeCloseTo((count - 1) / 1_000);
  clock.advance(1_000);
  expect(acts.length).toBeGreaterThan(count);
});

test("who has left between two turns of a round is looked at no more, and who came waits", () => {
  const { clock, watch, acts, turns, session } = stand();
  const all = Array.from({ length: 1_026 }, (_, index) => session(`${index}`, 0));
  for (const each of all) watch.watch(each);
  clock.advance(1_000);
  const leaving = all[1_024];
  if (leaving !== undefined) watch.leave(leaving);
  watch.watch(session("new", 0));
  turns.shift()?.();
  expect(acts.slice(1_024)).toEqual(["1025"]);
  expect(clock.pending).toBe(1);
});

test("time in which the process stood still is forgiven", () => {
  let nowUs = 0;
  let look = (): void => {};
  const clock = {
    nowUs: () => nowUs,
    monotonicUs: () => nowUs,
    after: (_delayMs: number, callback: () => void) => {
      look = callback;
      return () => {};
    },
  };
  const { acts, session } = stand();
  const scheduler = { endOfTurn: (callback: () => void) => callback() };
  const watch = new LagWatch({ clock, scheduler, metrics: createGatewayMetrics(new Registry()) });
  watch.watch(session("one", 0));
  nowUs += 2_000_000;
  look();
  nowUs += 9_000_000;
  look();
  expect(acts).toEqual(["one", "one forgiven 8000", "one"]);
});
