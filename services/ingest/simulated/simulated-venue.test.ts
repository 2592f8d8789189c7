import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { BusConsumer } from "#test/support/scripted-venue-consumer.ts";
import { ingestConfig } from "../config.ts";
import { startIngest } from "../main.ts";
import { createSimulatedVenue, type SimulatedVenue } from "./simulated-dialer.ts";
import { SIMULATED_MARKET_DEFAULTS, type SimulatedSettings } from "./simulated-settings.ts";

// What the venue does besides trading, as it is seen through the ingestor and by whoever asks.

const START_US = 1_700_000_040_000_000;
const IGNORE = (): void => {};
const SILENT = { debug: IGNORE, info: IGNORE, warn: IGNORE, error: IGNORE };
const SMALL = {
  instruments: 3,
  perpetuals: 1,
  eventsPerSecond: 10,
  haltIntervalMs: 0,
  listingIntervalMs: 0,
} as const;

type Followed = {
  readonly clock: ManualClock;
  readonly venue: SimulatedVenue;
  readonly ingest: Awaited<ReturnType<typeof startIngest>>;
  readonly consumer: BusConsumer;
  run(seconds: number): Promise<void>;
};

/** An ingestor that follows a market with these settings. */
async function follow(settings: Partial<SimulatedSettings>): Promise<Followed> {
  const clock = new ManualClock(START_US);
  const market = { ...SIMULATED_MARKET_DEFAULTS, ...SMALL, ...settings };
  const venue = createSimulatedVenue({ clock, ...market });
  const bus = new MemoryBus({ clock });
  const consumer = new BusConsumer(bus);
  const ingest = await startIngest({
    config: ingestConfig({ venues: [{ id: "simulated", simulated: market }] }),
    bus,
    clock,
    logger: SILENT,
    registry: new Registry(),
    random: () => 0.5,
    dialer: venue.dialer,
    restClient: venue.rest,
  });
  const run = async (seconds: number): Promise<void> => {
    for (let tick = 0; tick < seconds * 4; tick += 1) {
      clock.advance(250);
      // Batches leave at the end of a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, venue, ingest, consumer, run };
}

function countersOf({ ingest }: Followed) {
  const [venue] = ingest.stats().venues;
  assert(venue !== undefined);
  return venue.counters;
}

function chaosOf(chaos: Partial<SimulatedSettings["chaos"]>): Partial<SimulatedSettings> {
  return { chaos: { ...SIMULATED_MARKET_DEFAULTS.chaos, ...chaos } };
}

test("messages that are lost are seen by what the venue numbers, and books come back", async () => {
  const it = await follow(chaosOf({ dropShare: 0.004 }));
  await it.run(120);
  const { resyncs, rejected } = countersOf(it);
  const { faults } = it.venue;
  expect(faults.count("dropped", "book")).toBeGreaterThan(5);
  expect(faults.count("dropped", "trades")).toBeGreaterThan(0);
  // Each is found when the next one comes, unless the book was being made anew already.
  expect(resyncs).toBeLessThanOrEqual(faults.count("dropped", "book"));
  expect(resyncs).toBeGreaterThanOrEqual(faults.count("dropped", "book") - 2);
  expect(rejected["missing-data"]).toBe(faults.count("dropped", "trades"));
  await it.ingest.close();
});

test("each cut of the connection is one that the ingestor comes back from", async () => {
  const it = await follow(chaosOf({ disconnectIntervalMs: 20_000 }));
  await it.run(120);
  const cuts = it.venue.faults.count("disconnected");
  const { connects, disconnects } = countersOf(it);
  expect(cuts).toBeGreaterThan(2);
  expect(disconnects).toBe(cuts);
  // After the last one it may not have come back yet.
  expect(connects).toBeGreaterThanOrEqual(cuts);
  expect(connects).toBeLessThanOrEqual(cuts + 1);
  await it.ingest.close();
});

test("each crossed quote is published and said, and the next one is right again", async () => {
  const it = await follow(chaosOf({ crossedShare: 0.03 }));
  await it.run(60);
  const crossed = it.venue.faults.count("crossed", "quotes");
  expect(crossed).toBeGreaterThan(3);
  expect(countersOf(it)).toMatchObject({ crossedQuotes: crossed, rejected: {} });
  await it.ingest.close();
});

test("a book change that comes late costs one resync, and a trade that does no trade", async () => {
  const it = await follow(chaosOf({ reorderShare: 0.01 }));
  await it.run(60);
  const { faults } = it.venue;
  const { resyncs } = countersOf(it);
  expect(faults.count("reordered", "book")).toBeGreaterThan(3);
  expect(resyncs).toBeLessThanOrEqual(faults.count("reordered", "book"));
  // One that comes while the book is being made anew costs nothing more.
  expect(resyncs).toBeGreaterThan(faults.count("reordered", "book") / 2);
  await it.ingest.close();
});

test("an instrument that falls silent is stale where it always speaks, and live again", async () => {
  const it = await follow({
    ...chaosOf({ silenceIntervalMs: 10_000, silenceMs: 25_000 }),
    instruments: 1,
  });
  const seen = new Set<string>();
  for (let second = 0; second < 120; second += 1) {
    await it.run(1);
    for (const each of it.ingest.stats().venues[0]?.subscriptions ?? []) {
      if (each.channel === "mark-price") seen.add(each.state);
    }
  }
  expect(it.venue.faults.count("silenced")).toBeGreaterThan(2);
  expect([...seen].toSorted()).toContain("stale");
  expect([...seen].toSorted()).toContain("live");
  await it.ingest.close();
});

test("halts stop an instrument's market for a while and are told as states", async () => {
  const it = await follow({ instruments: 4, perpetuals: 0, haltIntervalMs: 20_000 });
  const symbols = it.venue.instruments.map(({ symbol }) => symbol);
  let tradesWhileHalted = 0;
  for (let second = 0; second < 240; second += 1) {
    const halted = symbols.filter((symbol) => stateOf(it, symbol) === "halted");
    const count = () => halted.reduce((sum, each) => sum + it.consumer.trades(each).length, 0);
    const before = count();
    await it.run(1);
    // The last one of a halt may trade again within this second.
    if (halted.every((symbol) => stateOf(it, symbol) === "halted")) {
      tradesWhileHalted += count() - before;
    }
  }
  expect(tradesWhileHalted).toBe(0);
  const told = symbols.map((symbol) =>
    it.consumer.statuses(symbol, "status").map((status) => status.instrumentState),
  );
  expect(told[0]).not.toContain("halted");
  const halts = told.slice(1).map((states) => states.filter((state) => state === "halted").length);
  expect(halts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2);
  await it.ingest.close();
});

test("what is listed while it runs is followed, and what is delisted is let go", async () => {
  const it = await follow({ instruments: 30, perpetuals: 0, listingIntervalMs: 15_000 });
  await it.run(300);
  const { listings } = it.consumer;
  expect(listings).toContain("added SIM030-USD listed");
  expect(listings).toContain("removed SIM030-USD delisted");
  expect(it.consumer.bookEvents("SIM030-USD")).toBeGreaterThan(1);
  expect(it.consumer.missing).toEqual([]);
  expect(countersOf(it)).toMatchObject({ refusals: 0, rejected: {} });
  await it.ingest.close();
});

function stateOf({ consumer }: Followed, symbol: string): string | undefined {
  return consumer.statuses(symbol, "status").at(-1)?.instrumentState;
}

test("with faults the market itself is the same as without", () => {
  const tradesOf = (chaos: Partial<SimulatedSettings>): string[] => {
    const clock = new ManualClock(START_US);
    const venue = createSimulatedVenue({ clock, ...SIMULATED_MARKET_DEFAULTS, ...SMALL, ...chaos });
    const frames: string[] = [];
    const socket = venue.dialer.dial(
      "",
      {
        onOpen: () => socket.send('{"op":"subscribe","channels":[["BTC-USD","trades"]]}'),
        onFrame: (frame) => void frames.push(String(frame)),
        onClose: IGNORE,
      },
      { frameBytesMax: 1024 },
    );
    clock.advance(60_000);
    return frames.filter((frame) => frame.includes('"trade"'));
  };
  const whole = tradesOf({});
  const some = tradesOf(chaosOf({ dropShare: 0.2 }));
  expect(some.length).toBeLessThan(whole.length);
  expect(new Set(whole).size).toBe(whole.length);
  for (const frame of some) expect(whole).toContain(frame);
});
