import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import { connectPatiently } from "./connect-patiently.ts";

const absent = () => new BusError("connect-failed", "nobody there");

/** A clock whose timers fire at once, each after its delay has passed. */
function createFixture(options: { readonly timeoutMs: number; readonly failures: number }) {
  let nowMs = 0;
  let attempts = 0;
  const reports: number[] = [];
  const delays: number[] = [];
  const clock = {
    nowUs: () => nowMs * 1000,
    monotonicUs: () => nowMs * 1000,
    after(delayMs: number, fire: () => void) {
      delays.push(delayMs);
      nowMs += delayMs;
      queueMicrotask(fire);
      return () => undefined;
    },
  };
  const connected = connectPatiently({
    connect: () => {
      attempts += 1;
      return attempts > options.failures ? Promise.resolve("bus") : Promise.reject(absent());
    },
    timeoutMs: options.timeoutMs,
    clock,
    random: () => 0.999_999,
    onWaiting: ({ leftMs }) => reports.push(leftMs),
  });
  return { connected, reports, delays, attempts: () => attempts, nowMs: () => nowMs };
}

test("a server that starts a little later is waited for, with growing pauses", async () => {
  const { connected, reports, delays } = createFixture({ timeoutMs: 60_000, failures: 6 });
  expect(await connected).toBe("bus");
  expect(delays.map((delay) => Math.round(delay))).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  expect(reports).toEqual([60_000, 47_501]);
});

test("at the timeout it gives up with the last failure, after one more attempt", async () => {
  const { connected, nowMs, attempts } = createFixture({ timeoutMs: 1_000, failures: Infinity });
  await expect(connected).rejects.toMatchObject({ code: "connect-failed" });
  expect(nowMs()).toBe(1_000);
  expect(attempts()).toBe(3);
});

test("with no time it tries once", async () => {
  const { connected, attempts, reports } = createFixture({ timeoutMs: 0, failures: Infinity });
  await expect(connected).rejects.toMatchObject({ code: "connect-failed" });
  expect(attempts()).toBe(1);
  expect(reports).toEqual([]);
});

test("what waiting does not mend is not waited for", async () => {
  let attempts = 0;
  const connected = connectPatiently({
    connect: () => {
      attempts += 1;
      return Promise.reject(new BusError("connect-refused", "wrong password"));
    },
    timeoutMs: 60_000,
    clock: { nowUs: () => 0, monotonicUs: () => 0, after: () => () => undefined },
    random: () => 0,
    onWaiting: () => undefined,
  });
  await expect(connected).rejects.toMatchObject({ code: "connect-refused" });
  expect(attempts).toBe(1);
});
