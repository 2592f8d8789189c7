import { rowsOf, readBusBatch, readBusEvents } from "@tickwire/proto/codec";
import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import type { Trade } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createPublishLatencies } from "./publish-latency.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "./publish-limits.ts";
import { createPublisherCounters, Publisher, RETIRED_TOPICS_MAX } from "./publisher.ts";

const A = fakeInstrument("A-USD");
const B = fakeInstrument("B-USD");

function trade(tradeId: string, instrument = A): Trade {
  return {
    kind: "trade",
    instrument,
    venueTimeUs: 5,
    receivedTimeUs: 7,
    tradeId,
    historical: false,
    priceMantissa: 100,
    priceScale: 1,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
  };
}

function create(options: { payloadBytesMax?: number; batchEventsMax?: number } = {}) {
  const published: { readonly subject: string; readonly payload: Uint8Array }[] = [];
  const scheduled: (() => void)[] = [];
  let failure: BusError | undefined;
  const bus = {
    payloadBytesMax: options.payloadBytesMax ?? 1_000_000,
    publish: (subject: string, payload: Uint8Array) => {
      if (failure !== undefined) throw failure;
      published.push({ subject, payload });
    },
  } as Bus;
  const counters = createPublisherCounters();
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const latencies = createPublishLatencies();
  const publisher = new Publisher({
    bus,
    latencies,
    clock: new ManualClock(1e3),
    epoch: 42,
    counters,
    limits: {
      ...PUBLISH_LIMITS_DEFAULTS,
      batchEventsMax: options.batchEventsMax ?? 64,
      recentTradesMax: 10,
      recentCandlesMax: 10,
    },
    schedule: (flush) => scheduled.push(flush),
    logger: {
      debug: log,
      info: log,
      warn: log,
      error: log,
    },
  });
  const batches = () =>
    published.map(({ subject, payload }) => {
      const batch = readBusEvents(readBusBatch(payload));
      const rows = rowsOf(batch).rows as readonly { readonly tradeId?: string }[];
      const ids = rows.map((row) => row.tradeId).join(",");
      return `${subject} ${batch.epoch}:${batch.firstSequence} ${ids}`;
    });
  const fail = (error: BusError | undefined): void => {
    failure = error;
  };
  return { publisher, published, scheduled, batches, counters, logged, fail, latencies };
}

test("what the bus does not take is counted by its events", () => {
  const { publisher, counters, fail } = create();
  fail(new BusError("publish-buffer-full", "full"));
  for (const id of ["a", "b", "c"]) publisher.publish(trade(id));
  publisher.publish(trade("x", B));
  publisher.flush();
  const failures = [{ venue: A.venue, channel: "trades", events: 4 }];
  expect(counters).toMatchObject({ events: 4, batches: 0, failures });
});

test("topics that moved say where they stand three times, by what was given to the bus", () => {
  const { publisher, fail } = create();
  const progress = () =>
    publisher.takeProgress().map(({ symbol, channel, sequence }) => {
      return `${symbol}/${channel} ${sequence}`;
    });
  publisher.publish(trade("a"));
  // It waits for the end of the turn: nobody could have it yet.
  expect(progress()).toEqual([]);
  publisher.flush();
  publisher.publish(trade("x", B));
  publisher.flush();
  expect(progress()).toEqual(["A-USD/trades 1", "B-USD/trades 1"]);
  // One that the bus does not take is lost to whoever follows the topic, and is to be found.
  fail(new BusError("publish-buffer-full", "full"));
  publisher.publish(trade("b"));
  publisher.flush();
  expect(progress()).toEqual(["A-USD/trades 2", "B-USD/trades 1"]);
  expect(progress()).toEqual(["A-USD/trades 2", "B-USD/trades 1"]);
  expect(progress()).toEqual(["A-USD/trades 2"]);
  expect(progress()).toEqual([]);
});

test("the events of a turn leave as one batch per topic, numbered from 1", () => {
  const { publisher, scheduled, batches } = create();
  publisher.publish(trade("a"));
  publisher.publish(trade("x", B));
  publisher.publish(trade("b"));
  expect(batches()).toEqual([]);
  expect(scheduled).toHaveLength(1);
  scheduled[0]?.();
  publisher.publish(trade("c"));
  expect(scheduled).toHaveLength(2);
  scheduled[1]?.();
  expect(batches()).toEqual([
    "md.v2.fake.trades.A-USD 42:1 a,b",
    "md.v2.fake.trades.B-USD 42:1 x",
    "md.v2.fake.trades.A-USD 42:3 c",
  ]);
});

test("a batch counts how long its first event waited and how old its last one was", () => {
  const { publisher, latencies } = create();
  publisher.publish({ ...trade("a"), receivedTimeUs: 400 });
  publisher.publish({ ...trade("b"), receivedTimeUs: 900, venueTimeUs: 1_000 });
  publisher.flush();
  publisher.publish({ ...trade("old"), receivedTimeUs: 900, historical: true });
  publisher.publish({ ...trade("timeless", B), receivedTimeUs: 900, venueTimeUs: undefined });
  publisher.flush();
  const { receivedToPublished, venueToReceived } = latencies.of({
    venue: "fake",
    channel: "trades",
  });
  expect(receivedToPublished.sumUs).toBe(600 + 100 + 100);
  expect(venueToReceived.sumUs).toBe(-100);
  expect(venueToReceived.counts.reduce((sum, count) => sum + count)).toBe(1);
});

test("a full batch does not wait for the end of the turn", () => {
  const { publisher, batches, published } = create({ batchEventsMax: 3 });
  publisher.publish(trade("a"));
  publisher.publish(trade("b"));
  expect(published).toHaveLength(0);
  publisher.publish(trade("c"));
  publisher.publish(trade("d"));
  expect(batches()).toEqual(["md.v2.fake.trades.A-USD 42:1 a,b,c"]);
  publisher.flush();
  expect(batches()[1]).toBe("md.v2.fake.trades.A-USD 42:4 d");
});

test("a batch that the bus cannot carry is split, without a hole", () => {
  const { publisher, batches, published } = create({ payloadBytesMax: 60 });
  const ids = Array.from({ length: 20 }, (_, index) => `trade-${index}`);
  for (const id of ids) publisher.publish(trade(id));
  publisher.flush();
  expect(published.length).toBeGreaterThan(1);
  expect(published.every(({ payload }) => payload.length <= 60)).toBe(true);
  let next = 1;
  for (const text of batches()) {
    const [, position = "", rows = ""] = text.split(" ");
    expect(position).toBe(`42:${next}`);
    next += rows.split(",").length;
  }
  expect(next).toBe(21);
  // What comes after them goes on from the last of them.
  publisher.publish(trade("last"));
  publisher.flush();
  expect(batches().at(-1)).toBe("md.v2.fake.trades.A-USD 42:21 last");
});

test("a bus that refuses leaves a hole in the sequence, is counted, and logged once", () => {
  const { publisher, batches, counters, logged, fail } = create();
  fail(new BusError("publish-buffer-full", "full"));
  publisher.publish(trade("a"));
  publisher.flush();
  publisher.publish(trade("b"));
  publisher.flush();
  expect(logged).toHaveLength(1);
  expect(counters).toMatchObject({
    failures: [{ venue: A.venue, channel: "trades", events: 2 }],
    batches: 0,
  });
  fail(undefined);
  publisher.publish(trade("c"));
  publisher.flush();
  expect(batches()).toEqual(["md.v2.fake.trades.A-USD 42:3 c"]);
});

test("a topic that is asked about has nothing waiting", () => {
  const { publisher, batches } = create();
  publisher.publish(trade("a"));
  const topic = publisher.settledTopic(A, "trades");
  expect(topic?.sequence).toBe(1);
  expect(batches()).toHaveLength(1);
  expect(publisher.settledTopic(A, "book")).toBeUndefined();
});

test("keeps the last trades and no more", () => {
  const { publisher } = create();
  for (let index = 1; index <= 11; index += 1) publisher.publish(trade(String(index)));
  const topic = publisher.settledTopic(A, "trades");
  expect(topic?.trades.length).toBe(10);
  expect(topic?.trades.at(0)).toMatchObject({ sequence: 2, trade: { tradeId: "2" } });
  expect(topic?.trades.at(9)).toMatchObject({ sequence: 11, trade: { tradeId: "11" } });
});

test("an instrument that comes back goes on where its topics were, and keeps nothing else", () => {
  const { publisher, batches } = create();
  publisher.publish(trade("1"));
  publisher.publish(trade("2"));
  publisher.retire(A);
  expect(batches()).toHaveLength(1);
  expect(publisher.settledTopic(A, "trades")).toBeUndefined();
  const again = fakeInstrument("A-USD");
  publisher.publish(trade("3", again));
  const topic = publisher.settledTopic(again, "trades");
  expect([topic?.sequence, topic?.trades.length]).toEqual([3, 1]);
  expect(batches()).toHaveLength(2);
});

test("the oldest of the topics that are gone begin anew if they come back", () => {
  const { publisher } = create();
  const instruments = Array.from({ length: RETIRED_TOPICS_MAX + 1 }, (_, index) =>
    fakeInstrument(`S${index}-USD`),
  );
  for (const instrument of instruments) {
    publisher.publish(trade("1", instrument));
    publisher.retire(instrument);
  }
  for (const [index, sequence] of [
    [0, 1],
    [1, 2],
  ] as const) {
    const again = fakeInstrument(`S${index}-USD`);
    publisher.publish(trade("2", again));
    expect(publisher.settledTopic(again, "trades")?.sequence).toBe(sequence);
  }
});
