import { expect, test } from "vitest";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { MeasuredVenue } from "../metrics.ts";
import { createVenueCounters } from "./venue-counters.ts";
import { venueHealthMeter } from "./venue-health.ts";

function create(more: Partial<MeasuredVenue> = {}) {
  const clock = new ManualClock();
  const latencies = createPublishLatencies();
  const counters = createVenueCounters();
  const venue: MeasuredVenue = {
    venue: "kraken",
    counters,
    connections: 3,
    connectionsOpen: 2,
    instruments: 40,
    snapshotsPending: 0,
    subscriptions: [],
    eachSubscription: () => [],
    clockOffsetSeconds: undefined,
    ...more,
  };
  const health = venueHealthMeter({ venue, publisherId: "p", latencies, clock });
  return { clock, latencies, counters, health };
}

test("health is what was counted, with the pace since it was asked for before", () => {
  const { clock, counters, health } = create();
  counters.events.trade = 100;
  counters.gaps = 4;
  counters.resyncs = 2;
  counters.rejected["bad-decimal"] = 3;
  counters.rejected["bad-json"] = 4;
  expect(health()).toMatchObject({
    venue: "kraken",
    publisherId: "p",
    connections: 3,
    connectionsOpen: 2,
    instruments: 40,
    events: 100,
    eventsPerMinute: undefined,
    gaps: 4,
    resyncs: 2,
    rejected: 7,
    venueToReceived: undefined,
  });
  counters.events.trade = 160;
  counters.events.quote = 40;
  clock.advance(2_000);
  expect(health()).toMatchObject({ events: 200, eventsPerMinute: 3_000 });
});

test("latencies are of all channels of the venue, and of no other", () => {
  const { latencies, health } = create();
  const trades = latencies.of({ venue: "kraken", channel: "trades" });
  for (let event = 0; event < 99; event += 1) trades.venueToReceived.observe(-5_000);
  latencies.of({ venue: "kraken", channel: "book" }).venueToReceived.observe(900_000);
  latencies.of({ venue: "okx", channel: "book" }).receivedToPublished.observe(9);
  const { venueToReceived, receivedToPublished } = health();
  expect(venueToReceived?.count).toBe(100);
  expect(venueToReceived?.p50Us).toBeLessThan(0);
  expect(receivedToPublished).toBeUndefined();
});

const subscriptions = (served: number, unserved: number) =>
  [...Array<string>(served).fill(""), ...Array<string>(unserved).fill("silent")].map((trouble) => {
    return { symbol: "A-USD", channel: "trades", state: "live", trouble } as const;
  });

test.each<[Partial<MeasuredVenue>, string, string]>([
  [{ connections: 0, connectionsOpen: 0, instruments: 0 }, "SYNCING", "starting"],
  [{ connections: 3, connectionsOpen: 0 }, "DOWN", "disconnected"],
  [{ connections: 3, connectionsOpen: 2 }, "RESYNCING", "reconnecting"],
  [
    { connections: 3, connectionsOpen: 3, subscriptions: subscriptions(4, 5) },
    "STALE",
    "subscriptions-unserved",
  ],
  [{ connections: 3, connectionsOpen: 3, subscriptions: subscriptions(5, 5) }, "LIVE", ""],
  [{ connections: 3, connectionsOpen: 3 }, "LIVE", ""],
  // A venue that has no WebSocket.
  [{ connections: 0, connectionsOpen: 0 }, "LIVE", ""],
])("a venue with %j is %s: %s", (more, state, reason) => {
  expect(create(more).health()).toMatchObject({ state: `TOPIC_STATE_${state}`, reason });
});
