import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { announceSubject } from "#bus/subject.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import type { Instrument } from "#core/instrument.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters } from "#publish/publisher.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { DerivedVenue } from "./derived-venue.ts";

const INSTRUMENT: Instrument = {
  venue: "consolidated",
  symbol: "BTC-USD",
  venueSymbol: "BTC-USD",
  kind: "spot",
  base: "BTC",
  quote: "USD",
  settle: "USD",
  inverse: false,
};

test("a derived venue is announced from its first instrument on", () => {
  const clock = new ManualClock(1_000_000);
  const deliveries: (() => void)[] = [];
  const bus = new MemoryBus({ clock, schedule: (deliver) => void deliveries.push(deliver) });
  let announcements = 0;
  bus.subscribe(announceSubject("consolidated"), () => (announcements += 1));
  const deliver = (): void => {
    for (const next of deliveries.splice(0)) next();
  };
  const venue = new DerivedVenue({
    bus,
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    publisherId: "derive-1",
    newUuid: () => "00000000-0000-4000-8000-000000000000",
    counters: createPublisherCounters(),
    latencies: createPublishLatencies(),
    historyBudget: new ByteBudget({ bytesMax: 1_000_000 }),
    limits: PUBLISH_LIMITS_DEFAULTS,
    announceIntervalMs: 1_000,
    heartbeatMs: 100,
    schedule: (callback) => callback(),
    claimsOf: undefined,
    shard: undefined,
    venue: "consolidated",
  });
  clock.advance(5_000);
  deliver();
  expect(announcements).toBe(0);
  venue.add(INSTRUMENT, ["quotes"]);
  deliver();
  expect(announcements).toBeGreaterThan(0);
  venue.close();
});
