import { expect, test } from "vitest";
import { BodyWatch } from "./body-watch.ts";

/** What a body of so many bytes, started at 0, is refused for when it is looked at. */
function refusal(receivedBytes: number, nowMs: number): string | undefined {
  const watch = new BodyWatch({ bodyTimeoutMs: 20_000, bodyBytesPerSecondMin: 100 });
  let refused: string | undefined;
  const body = {
    startedAtMs: 0,
    receivedBytes,
    refuseSlow: (limit: string) => {
      refused = limit;
    },
  };
  watch.add(body);
  watch.check(nowMs);
  return refused;
}

test.each([
  ["a body has time to start", 0, 4_999, undefined],
  ["below the rate it is refused", 499, 5_000, "bodyBytesPerSecondMin"],
  ["at the rate it goes on", 500, 5_000, undefined],
  ["later it must have more", 999, 10_000, "bodyBytesPerSecondMin"],
  ["just before the deadline it goes on", 1e6, 19_999, undefined],
  ["at the deadline it is refused, however fast it came", 1e6, 20_000, "bodyTimeoutMs"],
])("%s", (_, receivedBytes, nowMs, limit) => {
  expect(refusal(receivedBytes, nowMs)).toBe(limit);
});

test("a body that has arrived is not looked at", () => {
  const watch = new BodyWatch({ bodyTimeoutMs: 1, bodyBytesPerSecondMin: 1 });
  let refused = 0;
  const body = { startedAtMs: 0, receivedBytes: 0, refuseSlow: () => void (refused += 1) };
  watch.add(body);
  watch.check(1);
  watch.delete(body);
  watch.check(1e9);
  expect(refused).toBe(1);
});

test("time in which the gateway stood still is not the body's", () => {
  const watch = new BodyWatch({ bodyTimeoutMs: 20_000, bodyBytesPerSecondMin: 100 });
  const refused: string[] = [];
  const bodyFrom = (startedAtMs: number) => ({
    startedAtMs,
    receivedBytes: 1_000,
    refuseSlow: (limit: string) => void refused.push(`${startedAtMs} ${limit}`),
  });
  watch.add(bodyFrom(0));
  for (let nowMs = 1_000; nowMs <= 4_000; nowMs += 1_000) watch.check(nowMs);
  // It was stopped for 30 s, and has not read yet what came meanwhile.
  watch.check(34_000);
  watch.add(bodyFrom(34_000));
  for (let nowMs = 35_000; nowMs <= 39_000; nowMs += 1_000) watch.check(nowMs);
  expect(refused).toEqual([]);
  for (let nowMs = 40_000; nowMs <= 41_000; nowMs += 1_000) watch.check(nowMs);
  expect(refused).toEqual(["0 bodyBytesPerSecondMin"]);
});

test.each([
  [2_000, true],
  [2_001, false],
])("looks that are %d ms apart show no stop: %s", (apartMs, isRefused) => {
  const watch = new BodyWatch({ bodyTimeoutMs: 6_000, bodyBytesPerSecondMin: 1 });
  let refused = false;
  const body = { startedAtMs: 0, receivedBytes: 1e6, refuseSlow: () => void (refused = true) };
  watch.add(body);
  watch.check(4_000);
  watch.check(4_000 + apartMs);
  expect(refused).toBe(isRefused);
});
