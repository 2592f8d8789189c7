import { expect, test } from "vitest";
import { createFakeAdapter, fakeCatalog, FakeRest } from "#test/support/fake-feed.ts";
import type { FakeAdapterOptions } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { FEED_POLICY_DEFAULTS } from "../feed/feed-policy.ts";
import type { FeedPolicy } from "../feed/feed-policy.ts";
import { SnapshotFetcher } from "../feed/rest/snapshot-fetcher.ts";
import { VenueRest } from "../feed/rest/venue-rest.ts";
import type { VenueContext } from "../feed/venue-context.ts";
import { InstrumentLists } from "./instrument-lists.ts";
import { createVenueCounters } from "./venue-counters.ts";

function start(options: FakeAdapterOptions, policy: Partial<FeedPolicy> = {}) {
  const clock = new ManualClock();
  const restClient = new FakeRest();
  const adapter = createFakeAdapter(options);
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const context: VenueContext = {
    adapter,
    endpoints: adapter.endpoints,
    catalog: fakeCatalog([]),
    bookDepth: 10,
    clock,
    random: () => 0.5,
    policy: { ...FEED_POLICY_DEFAULTS, reconnectBackoffBaseMs: 100, ...policy },
    logger: { debug() {}, info() {}, warn: log, error: log },
  };
  const snapshots = new SnapshotFetcher({
    ...context,
    restClient,
    counters: createVenueCounters(),
  });
  const told: string[] = [];
  const lists = new InstrumentLists({
    ...context,
    rest: new VenueRest({ endpoints: adapter.endpoints, restClient, snapshots }),
    onPage: ({ instruments }) => told.push(instruments.map(({ symbol }) => symbol).join(",")),
    onReady: ({ complete }) => told.push(complete ? "complete" : "ready"),
  });
  lists.start();
  const asked = () => restClient.urls.map((url) => url.replace("fake://rest/instruments", ""));
  return { lists, clock, restClient, told, asked, logged };
}

test("lists are asked for one after the other, and ready when the last one is there", () => {
  const { restClient, told, asked } = start({ lists: ["/a", "/b"] });
  expect(asked()).toEqual(["/a"]);
  restClient.answer(200, '["A1","A2"]');
  expect(asked()).toEqual(["/a", "/b"]);
  expect(told).toEqual(["A1,A2"]);
  restClient.answer(200, '["B"]');
  expect(told).toEqual(["A1,A2", "B", "complete"]);
});

test("a list that comes in pages is read to its end before the next one is asked for", () => {
  const { restClient, told, asked } = start({ lists: ["/a", "/b"], paged: true });
  restClient.answer(200, '["A1"] next');
  restClient.answer(200, '["A2"]');
  expect(asked()).toEqual(["/a", "/a+", "/b"]);
  restClient.answer(200, '["B"]');
  expect(told).toEqual(["A1", "A2", "B", "complete"]);
});

test("what fails, or is no list, is asked for again after waits that grow", () => {
  const { restClient, clock, asked } = start({ lists: ["/a"] });
  const waitsMs: number[] = [];
  for (let failures = 0; failures < 4; failures += 1) {
    if (failures % 2 === 0) restClient.answer(503);
    else restClient.answer(200, "no list");
    const startUs = clock.nowUs();
    while (asked().length === failures + 1) clock.advance(1);
    waitsMs.push((clock.nowUs() - startUs) / 1000);
  }
  expect(waitsMs).toEqual([50, 100, 200, 400]);
});

test("a list that fails too often does not hold up the others, and follows them", () => {
  const policy = { instrumentsAttemptsMax: 2 };
  const { restClient, clock, told, asked } = start({ lists: ["/a", "/b"] }, policy);
  restClient.answer(503);
  clock.advance(50);
  restClient.answer(503);
  expect(asked()).toEqual(["/a", "/a", "/b"]);
  restClient.answer(200, '["B"]');
  expect(told).toEqual(["B", "ready"]);
  clock.advance(600_000);
  expect(asked().slice(3)).toEqual(["/a"]);
  restClient.answer(200, '["A"]');
  expect(told).toEqual(["B", "ready", "A", "complete"]);
  expect(clock.pending).toBe(0);
});

test("closed, it neither asks nor tells", () => {
  const { lists, restClient, clock, told, asked } = start({ lists: ["/a", "/b"] });
  lists.close();
  lists.close();
  restClient.answer(200, '["A"]');
  clock.advance(600_000);
  expect(asked()).toEqual(["/a"]);
  expect(told).toEqual([]);
});
