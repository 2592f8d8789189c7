import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { LatencyBoard } from "#core/latency-histogram.ts";
import { registerLatencyMetric } from "./latency-metric.ts";

test("the metrics show each venue and channel, cumulated and in seconds", async () => {
  const board = new LatencyBoard(["venueToReceived"]);
  const registry = new Registry();
  registerLatencyMetric({
    registry,
    board,
    part: "venueToReceived",
    name: "wait_seconds",
    help: "Wait.",
  });
  const trades = board.of({ venue: "v", channel: "trades" });
  expect(board.of({ venue: "v", channel: "trades" })).toBe(trades);
  for (const latencyUs of [-5_000_000, 700, 20_000_000]) trades.venueToReceived.observe(latencyUs);
  const text = await registry.metrics();
  expect(text).toContain("# TYPE wait_seconds histogram");
  expect(text).toContain('wait_seconds_bucket{le="-1",venue="v",channel="trades"} 1');
  expect(text).toContain('wait_seconds_bucket{le="0.001",venue="v",channel="trades"} 2');
  expect(text).toContain('wait_seconds_bucket{le="+Inf",venue="v",channel="trades"} 3');
  expect(text).toContain('wait_seconds_sum{venue="v",channel="trades"} 15.0007');
  expect(text).toContain('wait_seconds_count{venue="v",channel="trades"} 3');
});
