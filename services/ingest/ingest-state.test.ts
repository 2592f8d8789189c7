import { expect, test } from "vitest";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { createPublisherCounters } from "#publish/publisher.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createIngestState } from "./ingest-state.ts";
import type { MeasuredVenue, SubscriptionHealth } from "./metrics.ts";
import { createVenueCounters } from "./venue/venue-counters.ts";

function health(symbol: string, trouble = ""): SubscriptionHealth {
  return { symbol, channel: "trades", state: trouble === "" ? "live" : "stale", trouble };
}

function measured(venue: string, subscriptions: readonly SubscriptionHealth[]): MeasuredVenue {
  return {
    venue,
    counters: createVenueCounters(),
    connections: 2,
    connectionsOpen: 1,
    instruments: subscriptions.length,
    snapshotsPending: 0,
    subscriptions,
    eachSubscription: () => subscriptions,
    clockOffsetSeconds: undefined,
  };
}

function create(venues: readonly MeasuredVenue[]) {
  const clock = new ManualClock();
  let turns = 0;
  const schedule = (callback: () => void): void => {
    turns += 1;
    queueMicrotask(callback);
  };
  const state = createIngestState({
    publisherId: "p",
    venues,
    publications: [],
    counters: createPublisherCounters(),
    latencies: createPublishLatencies(),
    clock,
    schedule,
  });
  const read = async (list: string, limit: number, after: string, given: object = {}) => {
    const parameters = new Map(Object.entries(given) as [string, string][]);
    const answer = await state.pages.get(list)?.answer({ limit, after, parameters });
    return { rows: (answer?.rows ?? []) as Record<string, unknown>[], next: answer?.next ?? "?" };
  };
  return { state, clock, read, turns: () => turns };
}

test("feeds come page by page over all venues, each once", async () => {
  const { read } = create([
    measured("a", [health("1"), health("2"), health("3")]),
    measured("b", []),
    measured("c", [health("4"), health("5", "silent for 9 s")]),
  ]);
  const seen: unknown[] = [];
  let after = "";
  do {
    const { rows, next } = await read("feeds", 2, after);
    expect(rows.length).toBeLessThanOrEqual(2);
    seen.push(...rows.map(({ venue, symbol }) => `${String(venue)} ${String(symbol)}`));
    after = next;
  } while (after !== "");
  expect(seen).toEqual(["a 1", "a 2", "a 3", "c 4", "c 5"]);
  const troubled = await read("feeds", 9, "", { trouble: "yes" });
  expect(troubled.rows.map(({ symbol }) => symbol)).toEqual(["5"]);
  expect((await read("feeds", 9, "", { venue: "a", symbol: "2" })).rows).toHaveLength(1);
});

test("many feeds are looked at in several turns", async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => health(String(index)));
  const { read, turns } = create([measured("a", many)]);
  expect((await read("feeds", 10, "", { symbol: "4999" })).rows).toHaveLength(1);
  expect(turns()).toBe(2);
});

test("publishers come by name, with a rate once it was asked for twice", async () => {
  const venues = [measured("c", []), measured("a", []), measured("b", [])];
  const { read, clock } = create(venues);
  const first = await read("publishers", 2, "");
  expect(first.rows.map(({ venue, eventsPerSecond }) => [venue, eventsPerSecond])).toEqual([
    ["a", null],
    ["b", null],
  ]);
  expect((await read("publishers", 2, first.next)).rows.map(({ venue }) => venue)).toEqual(["c"]);
  (venues[1] as MeasuredVenue).counters.events.trade += 30;
  clock.advance(2_000);
  const [row] = (await read("publishers", 2, "", { venue: "a" })).rows;
  expect(row).toMatchObject({ events: 30, eventsPerSecond: 15, connectionsOpen: 1 });
});
