import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BookRow } from "@tickwire/proto/codec";
import { OrderBook } from "@tickwire/proto/model";
import { MarketData } from "@tickwire/proto/service";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import {
  ANNOUNCE_PATTERN,
  DISCOVER_SUBJECT,
  parseEventSubject,
  querySubject,
} from "#bus/subject.ts";
import type { Query } from "#bus/subject.ts";
import type { Channel } from "#core/instrument.ts";
import { FakeDialer, FakeRest } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import {
  decodeAnnouncement,
  decodeCatalogReply,
  decodeQueryReply,
  decodeSnapshotReply,
} from "#wire/bus-codec.ts";
import { ingestConfig } from "./config.ts";
import { startIngest } from "./main.ts";
import type { IngestOptions, RunningIngest } from "./main.ts";

const running: { readonly ingest: RunningIngest; readonly bus: MemoryBus }[] = [];

afterEach(async () => {
  for (const { ingest, bus } of running.splice(0)) {
    await ingest.close();
    await bus.close();
  }
});

type WithoutPublisher<One> = One extends Query ? Omit<One, "publisherId"> : never;
type Question = WithoutPublisher<Query>;

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };

async function start(options: Partial<IngestOptions> = {}) {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  const registry = new Registry();
  const market = { seed: 7, instruments: 2, perpetuals: 1, eventsPerSecond: 200 };
  const config = ingestConfig({
    venues: [{ id: "simulated", simulated: market }],
    drainTimeoutMs: 0,
  });
  const ingest = await startIngest({
    config,
    bus,
    clock,
    logger: LOGGER,
    registry,
    random: () => 0.5,
    ...options,
  });
  running.push({ ingest, bus });
  /** Lets the market run, and everything that follows from it arrive. */
  const run = async (steps: number, stepMs = 20): Promise<void> => {
    for (let step = 0; step < steps; step += 1) {
      clock.advance(stepMs);
      await new Promise((resolve) => setImmediate(resolve));
      await bus.flush();
    }
  };
  const { publisherId } = ingest.stats();
  const ask = async (query: Question, payload: Uint8Array = new Uint8Array()) => {
    const subject = querySubject({ ...query, publisherId });
    return decodeQueryReply(await bus.request(subject, payload, { timeoutMs: 1_000 }));
  };
  return { clock, bus, registry, ingest, run, ask };
}

function apply(book: OrderBook, row: BookRow): void {
  if (row.snapshot) book.applySnapshot(row);
  else book.applyDelta(row);
}

function levels(book: OrderBook): object {
  return { bids: book.bids(), asks: book.asks() };
}

test("every topic is numbered 1, 2, 3 and so on, under one epoch", async () => {
  const { bus, run, ingest } = await start();
  const next = new Map<string, number>();
  const broken: string[] = [];
  bus.subscribe("md.v2.>", ({ subject, payload }) => {
    const batch = readBusEvents(readBusBatch(payload));
    if (batch.epoch !== ingest.stats().publications[0]?.publisher.epoch)
      broken.push(`${subject} epoch`);
    if (batch.firstSequence !== (next.get(subject) ?? 1)) broken.push(subject);
    next.set(subject, batch.firstSequence + batch.count);
  });
  await run(100);
  expect(broken).toEqual([]);
  const channels = new Set([...next.keys()].map((subject) => parseEventSubject(subject)?.channel));
  expect(channels).toContain("trades");
  expect(channels).toContain("status");
  const published = [...next.values()].reduce((sum, sequence) => sum + sequence - 1, 0);
  expect(published).toBe(ingest.stats().publisher.events);
});

test("a book snapshot is exactly the state after the events up to its position", async () => {
  const { bus, run, ask, clock } = await start();
  const streamed = new OrderBook();
  const states = new Map<number, object>();
  bus.subscribe("md.v2.simulated.book.BTC-USD", ({ payload }) => {
    const batch = readBusEvents(readBusBatch(payload));
    for (const [index, row] of (rowsOf(batch).rows as readonly BookRow[]).entries()) {
      apply(streamed, row);
      states.set(batch.firstSequence + index, levels(streamed));
    }
  });
  await run(20);
  for (let round = 0; round < 20; round += 1) {
    // Events of this turn still wait for the end of it when the question comes.
    clock.advance(20);
    const query = { venue: "simulated", query: "snapshot", channel: "book" } as const;
    const reply = await ask({ ...query, symbol: "BTC-USD" });
    await run(1, 0);
    const [state] = decodeSnapshotReply(reply.payload).batches;
    const batch = readBusEvents(state);
    expect(batch).toMatchObject({ snapshot: true, count: 1 });
    const book = new OrderBook();
    for (const row of rowsOf(batch).rows as readonly BookRow[]) apply(book, row);
    expect(levels(book)).toEqual(states.get(batch.firstSequence));
  }
  expect(states.size).toBeGreaterThan(20);
});

test("each channel says where it stands, whatever a newcomer needs with it", async () => {
  const { run, ask } = await start();
  await run(100);
  const kinds = new Map<string, number>();
  for (const channel of ["trades", "quotes", "book", "ticker", "candles", "status"] as Channel[]) {
    const query = { venue: "simulated", query: "snapshot", channel, symbol: "BTC-USD" } as const;
    const [batch] = decodeSnapshotReply((await ask(query)).payload).batches;
    expect(batch.snapshot).toBe(batch.count > 0);
    expect(batch.baseSequence).toBeGreaterThan(0);
    kinds.set(channel, batch.count);
  }
  expect(kinds.get("trades")).toBe(0);
  expect(kinds.get("quotes")).toBe(1);
  expect(kinds.get("status")).toBeGreaterThan(1);
});

test("what is not streamed is not found, an unreadable question is an error", async () => {
  const { ask, run, bus, ingest } = await start();
  await run(1);
  const snapshot = { venue: "simulated", query: "snapshot", channel: "book" } as const;
  expect((await ask({ ...snapshot, symbol: "NO-SUCH" })).error?.code).toBe("CODE_NOT_FOUND");
  const funding = { ...snapshot, channel: "funding", symbol: "BTC-USD" } as const;
  expect((await ask(funding)).error?.code).toBe("CODE_NOT_FOUND");
  const trades = { venue: "simulated", query: "trades", symbol: "BTC-USD" } as const;
  expect((await ask(trades, new Uint8Array([255]))).error?.code).toBe("CODE_INVALID_ARGUMENT");
  const nonsense = `rq.v2.simulated.${ingest.stats().publisherId}.nonsense`;
  const reply = await bus.request(nonsense, new Uint8Array(), { timeoutMs: 1_000 });
  expect(decodeQueryReply(reply).error?.code).toBe("CODE_INVALID_ARGUMENT");
});

test("answers for the last trades, the candles and the states", async () => {
  const { run, ask } = await start();
  await run(200);
  const { getTrades, getCandles, getStatus } = MarketData.methods;
  const symbol = "BTC-USD";
  const venue = "simulated";
  const trades = getTrades.response.decode(
    (await ask({ venue, query: "trades", symbol }, getTrades.request.encode({ pageSize: 5 })))
      .payload,
  ).trades;
  expect(trades).toHaveLength(5);
  const sequences = trades.map(({ sequence }) => sequence);
  expect(sequences.map((sequence) => sequence - (sequences[0] ?? 0))).toEqual([0, 1, 2, 3, 4]);
  const asked = getCandles.request.encode({ intervalMs: 60_000 });
  const asking = ask({ venue, query: "candles", symbol }, asked);
  // The venue is asked for those that were before the stream, and takes its time.
  await run(5);
  const { candles, nextPageToken } = getCandles.response.decode((await asking).payload);
  expect(candles).toHaveLength(100);
  expect(nextPageToken).not.toBe("");
  const { statuses } = getStatus.response.decode((await ask({ venue, query: "statuses" })).payload);
  const book = statuses.find(
    (each) => each.symbol === symbol && each.status?.channel === "CHANNEL_BOOK",
  );
  expect(book?.status?.state).toBe("TOPIC_STATE_LIVE");
  const wanted = getStatus.request.encode({ symbol, health: true });
  const whole = getStatus.response.decode(
    (await ask({ venue, query: "statuses" }, wanted)).payload,
  );
  const [health] = whole.health;
  expect(health).toMatchObject({ venue, connections: 1, connectionsOpen: 1, gaps: 0 });
  expect(health?.events).toBeGreaterThan(100);
  expect(health?.venueToReceived?.count).toBeGreaterThan(0);
});

test("announces itself regularly and when asked, with a catalog of what is streamed", async () => {
  const { bus, run, ask } = await start();
  let announced = 0;
  let version = 0;
  bus.subscribe(ANNOUNCE_PATTERN, ({ payload }) => {
    announced += 1;
    version = decodeAnnouncement(payload).catalogVersion;
  });
  await run(50, 100);
  expect(announced).toBeGreaterThanOrEqual(2);
  const before = announced;
  bus.publish(DISCOVER_SUBJECT, new Uint8Array());
  await run(1, 0);
  expect(announced).toBe(before + 1);
  const catalog = decodeCatalogReply((await ask({ venue: "simulated", query: "catalog" })).payload);
  expect(catalog.catalogVersion).toBe(version);
  expect(catalog.instruments.map(({ symbol }) => symbol).toSorted()).toEqual([
    "BTC-USD",
    "BTC-USD-PERP",
    "ETH-USD",
  ]);
  const spot = catalog.instruments.find(({ symbol }) => symbol === "BTC-USD");
  expect(spot?.channels).toContain("CHANNEL_BOOK");
  expect(spot?.channels).not.toContain("CHANNEL_FUNDING");
});

test("says who it is, how often it will, and under which epoch", async () => {
  const config = ingestConfig({ announceIntervalMs: 700, drainTimeoutMs: 0 });
  const said = new Set<string>();
  const epochs = new Set<number>();
  for (let round = 0; round < 2; round += 1) {
    const { bus, run, ingest, clock } = await start({ config });
    bus.subscribe(ANNOUNCE_PATTERN, ({ payload }) => {
      const { ingestorId, announceIntervalMs, epoch } = decodeAnnouncement(payload);
      said.add(ingestorId);
      epochs.add(epoch);
      expect(announceIntervalMs).toBe(700);
      expect(epoch).toBe(ingest.stats().publications[0]?.publisher.epoch);
      expect(ingestorId).not.toContain(String(clock.nowUs()));
    });
    await run(1, 700);
  }
  // Both started at the same microsecond.
  expect([said.size, epochs.size]).toEqual([2, 2]);
});

test("says where its topics stand while they move, and at the end that it leaves", async () => {
  const config = ingestConfig({
    venues: [{ id: "simulated", simulated: { seed: 7, instruments: 1, eventsPerSecond: 200 } }],
    announceIntervalMs: 500,
    drainTimeoutMs: 0,
  });
  const { bus, run, ingest } = await start({ config });
  const announced = new Map<string, number>();
  const arrived = new Map<string, number>();
  const ends: boolean[] = [];
  const ahead: string[] = [];
  bus.subscribe("md.v2.>", ({ subject, payload }) => {
    const topic = parseEventSubject(subject);
    const batch = readBusBatch(payload);
    arrived.set(`${topic?.symbol}/${topic?.channel}`, batch.baseSequence + batch.count);
  });
  bus.subscribe(ANNOUNCE_PATTERN, ({ payload }) => {
    const { progress, leaving } = decodeAnnouncement(payload);
    ends.push(leaving);
    for (const { symbol, channel, sequence } of progress) {
      const topic = `${symbol}/${channel.replace("CHANNEL_", "").replaceAll("_", "-").toLowerCase()}`;
      announced.set(topic, sequence);
      if (sequence > (arrived.get(topic) ?? 0)) ahead.push(topic);
    }
  });
  await run(60);
  expect(announced.size).toBeGreaterThan(3);
  await ingest.close();
  await bus.flush();
  // Whoever hears of a sequence has had everything up to it; the last word is where it all ended.
  expect(ahead).toEqual([]);
  expect(announced).toEqual(arrived);
  expect(ends.indexOf(true)).toBe(ends.length - 1);
});

test("metrics count per venue what happened", async () => {
  const { run, registry, ingest } = await start();
  await run(50);
  const text = await registry.metrics();
  const trades = ingest.stats().venues[0]?.counters.events.trade;
  expect(text).toContain(
    `tickwire_ingest_events_total{venue="simulated",channel="trades"} ${trades}`,
  );
  expect(text).toContain('tickwire_ingest_connections_open{venue="simulated"} 1');
});

test("a venue whose instruments cannot be listed is asked again after a wait", async () => {
  const dialer = new FakeDialer();
  const restClient = new FakeRest();
  const config = ingestConfig({
    venues: [{ id: "coinbase", instruments: ["BTC-USD"] }],
    drainTimeoutMs: 0,
  });
  const { clock } = await start({ config, dialer, restClient });
  restClient.answer(500);
  expect(restClient.waiting).toHaveLength(0);
  clock.advance(250);
  restClient.waiting.shift()?.fail("timeout");
  clock.advance(500);
  expect(restClient.urls).toHaveLength(3);
  expect(dialer.sockets).toHaveLength(0);
});

test("closing twice is closing once, and leaves no timer", async () => {
  const { ingest, clock, run } = await start();
  await run(5);
  const events = ingest.stats().publisher.events;
  const closing = ingest.close();
  clock.advance(1);
  await closing;
  await ingest.close();
  await run(5);
  expect(ingest.stats().publisher.events).toBe(events);
  expect(clock.pending).toBe(0);
});
