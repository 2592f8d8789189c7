import { expect, test } from "vitest";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { derivedHealthMeter } from "./derived-health.ts";

test("health is what was published, with the pace since it was asked for before", () => {
  const clock = new ManualClock();
  const latencies = createPublishLatencies();
  const counts = { instruments: 3, events: 100 };
  const parts = { venue: "kraken-candles", publisherId: "d", counts, latencies, clock };
  const health = derivedHealthMeter(parts);
  latencies.of({ venue: "kraken-candles", channel: "candles" }).receivedToPublished.observe(40);
  latencies.of({ venue: "okx-candles", channel: "candles" }).receivedToPublished.observe(90_000);
  const first = health();
  expect(first).toMatchObject({
    venue: "kraken-candles",
    publisherId: "d",
    instruments: 3,
    events: 100,
    eventsPerMinute: undefined,
    gaps: 0,
    state: "TOPIC_STATE_LIVE",
  });
  counts.events = 130;
  clock.advance(2_000);
  const second = health();
  expect(second).toMatchObject({ events: 130, eventsPerMinute: 900 });
  expect(second.receivedToPublished?.p99Us).toBeLessThan(1_000);
});
