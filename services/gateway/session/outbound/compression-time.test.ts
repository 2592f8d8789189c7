import { Registry } from "prom-client";
import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createGatewayMetrics } from "../../metrics.ts";
import { SendResult } from "../../transport/transport.ts";
import { CompressionTime } from "./compression-time.ts";

const FRAME_MS = 0.5;
let clock: ManualClock;
let time: CompressionTime;
let compressed: number;

const connection = {
  send(_frame: Uint8Array, compress: boolean): SendResult {
    clock.hold(FRAME_MS);
    if (compress) compressed += 1;
    return SendResult.Sent;
  },
};

beforeEach(() => {
  clock = new ManualClock();
  compressed = 0;
  time = new CompressionTime({ clock, metrics: createGatewayMetrics(new Registry()) });
});

/** Compresses frames while it may; says how many. */
function spend(): number {
  const before = compressed;
  while (time.allows()) expect(time.send(connection, new Uint8Array(1))).toBe(SendResult.Sent);
  return compressed - before;
}

test("is there for a burst at the start, and then only as there is idle time", () => {
  expect(spend()).toBe(100);
  clock.hold(10_000);
  time.gain();
  expect(time.allows()).toBe(false);
  clock.advance(0.001);
  time.gain();
  expect(spend()).toBe(1);
});

test.each([
  [1_000, 8],
  [12_499, 100],
  [12_500, 100],
  [60_000_000, 100],
])("grows by four times what was idle, %d us, up to 50 ms", (us, frames) => {
  spend();
  clock.advance(us / 1_000);
  time.gain();
  expect(spend()).toBe(frames);
});

test("leaves what else there is its time, and some", () => {
  spend();
  compressed = 0;
  const turns = 1_000;
  const startedUs = clock.monotonicUs();
  for (let turn = 0; turn < turns; turn += 1) {
    const restUs = startedUs + turn * 10_000 - clock.monotonicUs();
    if (restUs > 0) clock.advance(restUs / 1_000);
    // Half of the time is taken by others, and there is more to compress than anybody could.
    clock.hold(5);
    time.gain();
    spend();
  }
  const elapsedMs = (clock.monotonicUs() - startedUs) / 1_000;
  expect(elapsedMs).toBeLessThan(turns * 10 + 50);
  const part = (compressed * FRAME_MS) / elapsedMs;
  expect(part).toBeGreaterThan(0.38);
  expect(part).toBeLessThan(0.42);
});
