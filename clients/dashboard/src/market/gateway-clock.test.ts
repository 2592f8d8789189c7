import { expect, test } from "vitest";
import { GatewayClock } from "./gateway-clock.ts";

const HOUR_MS = 3_600_000;

/** A browser whose clock is an hour ahead; the gateway says 50,000 when its steady clock is 0. */
function setUp() {
  const host = { steady: 0, browser: 50_000 + HOUR_MS };
  const clock = new GatewayClock({
    steadyMs: () => host.steady,
    browserMs: () => host.browser,
  });
  /** An answer that took so long in all, the gateway's part of it in the middle. */
  const ask = (tripMs: number, gatewayMs = 50_000 + host.steady + tripMs / 2): void => {
    const askedMs = host.steady;
    host.steady += tripMs;
    clock.observe({ askedMs, gatewayMs });
  };
  return { host, clock, ask };
}

test("the time is the browser's until the gateway has told its own", () => {
  const { clock, ask } = setUp();
  expect(clock.isKnown).toBe(false);
  expect(clock.nowMs()).toBe(50_000 + HOUR_MS);
  ask(10);
  expect(clock.isKnown).toBe(true);
  expect(clock.nowMs()).toBe(50_010);
});

test("a browser's clock that is set changes nothing, and time goes on steadily", () => {
  const { host, clock, ask } = setUp();
  ask(0);
  host.browser -= 2 * HOUR_MS;
  host.steady = 1_500;
  expect(clock.nowMs()).toBe(51_500);
});

test("of the last eight answers the quickest counts", () => {
  const { host, clock, ask } = setUp();
  ask(4);
  // Late on the way back: 30 ms too early if it counted.
  ask(100, 50_000 + host.steady + 20);
  expect(clock.nowMs()).toBe(50_000 + host.steady);
  for (let turn = 0; turn < 6; turn += 1) ask(60, 50_000 + host.steady + 20);
  expect(clock.nowMs()).toBe(50_000 + host.steady);
  // With one more the quick one is not among the last eight any more.
  ask(60, 50_000 + host.steady + 20);
  expect(clock.nowMs()).toBe(50_000 + host.steady - 10);
});

test("an answer that contradicts those before takes their place", () => {
  const { host, clock, ask } = setUp();
  ask(2);
  ask(40, 50_000 + host.steady + 20 + HOUR_MS);
  expect(clock.nowMs()).toBe(50_000 + host.steady + HOUR_MS);
  // As far apart as both may err and drift is no contradiction yet: the quicker one counts.
  ask(20, 50_000 + host.steady + 10 + HOUR_MS + 80);
  const known = clock.nowMs();
  expect(known).toBe(50_000 + host.steady + HOUR_MS + 80);
  ask(20, 50_000 + host.steady + 10 + HOUR_MS + 151);
  expect(clock.nowMs()).toBe(50_000 + host.steady + HOUR_MS + 151);
});
