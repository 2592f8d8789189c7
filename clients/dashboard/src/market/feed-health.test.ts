import { expect, test } from "vitest";
import { healthByVenue, VenueMeter } from "./feed-health.ts";

test("a venue is as well as its worst topic, and says since when", () => {
  type Status = Parameters<typeof healthByVenue>[0] extends Iterable<infer Each> ? Each : never;
  const status = (state: string, sinceTimeUs: number) =>
    ({ venue: "v", state, sinceTimeUs, reason: state }) as unknown as Status;
  const [health] = healthByVenue([status("live", 1), status("stale", 9), status("stale", 5)]);
  expect(health).toMatchObject({ worst: "stale", live: 1, total: 3, sinceTimeUs: 5 });
});

test("delays are those of the last events, and the rate that of the last second", () => {
  const meter = new VenueMeter();
  meter.mark(0);
  for (let delay = 1; delay <= 100; delay += 1) meter.observe(delay);
  meter.observe(undefined);
  meter.mark(500);
  expect([meter.delayMs(0.5), meter.delayMs(0.99), meter.eventsPerSecond]).toEqual([51, 100, 202]);
});
