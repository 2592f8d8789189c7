import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createGatewayMetrics } from "../../metrics.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { LagWatch } from "./lag-watch.ts";
import type { Watched } from "./lag-watch.ts";

function stand() {
  const clock = new ManualClock();
  const registry = new Registry();
  const watch = new LagWatch({ clock, metrics: createGatewayMetrics(registry) });
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
  return { clock, watch, acts, session, largest };
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

test("time in which the process stood still is forgiven", () => {
  let nowUs = 0;
  let look = (): void => {};
  const clock = {
    nowUs: () => nowUs,
    after: (_delayMs: number, callback: () => void) => {
      look = callback;
      return () => {};
    },
  };
  const { acts, session } = stand();
  const watch = new LagWatch({ clock, metrics: createGatewayMetrics(new Registry()) });
  watch.watch(session("one", 0));
  nowUs += 2_000_000;
  look();
  nowUs += 9_000_000;
  look();
  expect(acts).toEqual(["one", "one forgiven 8000", "one"]);
});
