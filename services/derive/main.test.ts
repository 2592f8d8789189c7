import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BatchRows } from "@tickwire/proto/codec";
import { MarketData } from "@tickwire/proto/service";
import type { GetCandlesRequest, MessageInit } from "@tickwire/proto/service";
import { MemoryBus } from "#bus/memory-bus.ts";
import { eventPattern, parseEventSubject, querySubject } from "#bus/subject.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ingestConfig } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import { decodeCatalogReply, decodeQueryReply, encodeCatalogRequest } from "#wire/bus-codec.ts";
import { deriveConfig } from "./config.ts";
import { startDerive } from "./main.ts";
import type { RunningDerive } from "./main.ts";

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };
/** 2026-01-05 09:30:20 UTC. */
const START_US = 1_767_605_420_000_000;
const MINUTE_US = 60_000_000;
const { getCandles } = MarketData.methods;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function create() {
  const clock = new ManualClock(START_US);
  const bus = new MemoryBus({ clock });
  closing.push(() => bus.close());
  const rows: { readonly topic: string; readonly rows: BatchRows }[] = [];
  for (const venue of ["simulated", "simulated-derived", "consolidated"]) {
    bus.subscribe(eventPattern(venue), ({ subject, payload }) => {
      const topic = parseEventSubject(subject);
      const name = `${topic?.venue}:${topic?.symbol}/${topic?.channel}`;
      rows.push({ topic: name, rows: rowsOf(readBusEvents(readBusBatch(payload)!)) });
    });
  }
  const turn = async (): Promise<void> => {
    for (let task = 0; task < 3; task += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await bus.flush();
    }
  };
  const run = async (milliseconds: number, stepMs = 50): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += stepMs) {
      clock.advance(stepMs);
      await turn();
    }
  };
  const ingest = async () => {
    const market = { seed: 7, instruments: 1, perpetuals: 1, eventsPerSecond: 40 };
    const config = ingestConfig({
      venues: [{ id: "simulated", simulated: market }],
      drainTimeoutMs: 0,
    });
    const started = await startIngest({
      config,
      bus,
      clock,
      logger: LOGGER,
      registry: new Registry(),
      random: () => 0.5,
    });
    closing.push(() => started.close());
    return started;
  };
  const derive = async (given: Parameters<typeof deriveConfig>[0] = {}) => {
    const config = deriveConfig({ consolidated: [{ symbol: "BTC-USD" }], ...given });
    const registry = new Registry();
    const started = await startDerive({
      config,
      bus,
      clock,
      logger: LOGGER,
      registry,
      random: () => 0.5,
    });
    closing.push(() => started.close());
    return { started, registry };
  };
  const rowsAbout = <Kind extends BatchRows["kind"]>(topic: string, kind: Kind) =>
    rows.flatMap((each) =>
      each.topic === topic && each.rows.kind === kind ? (each.rows.rows as readonly unknown[]) : [],
    ) as Extract<BatchRows, { kind: Kind }>["rows"][number][];
  const ask = async (
    publisherId: string,
    asked: MessageInit<GetCandlesRequest>,
    venue = "simulated-derived",
  ) => {
    const symbol = "BTC-USD";
    const named = { ...asked, venue, symbol };
    const subject = querySubject({ venue, publisherId, query: "candles", symbol });
    const asking = bus.request(subject, getCandles.request.encode(named), { timeoutMs: 60_000 });
    await run(200, 10);
    const reply = decodeQueryReply(await asking);
    expect(reply.error).toBeUndefined();
    return getCandles.response.decode(reply.payload);
  };
  return { clock, bus, run, ingest, derive, rowsAbout, ask };
}

test("candles of a minute of trades equal those that the venue makes itself", async () => {
  const { run, ingest, derive, rowsAbout } = await create();
  await derive({ candles: { intervalsMs: [1_000, 30_000, 60_000, 300_000] } });
  await ingest();
  await run(110_000, 250);
  const candles = rowsAbout("simulated-derived:BTC-USD/candles", "candles");
  const minute = START_US - (START_US % MINUTE_US) + MINUTE_US;
  const own = candles.findLast((each) => {
    return each.built === false && each.openTimeUs === minute && each.closed;
  });
  const halves = [0, 1].map((half) =>
    candles.findLast(({ intervalMs, openTimeUs, closed }) => {
      return intervalMs === 30_000 && openTimeUs === minute + half * 30_000_000 && closed;
    }),
  );
  expect(halves).toMatchObject([
    { built: true, incomplete: false },
    { built: true, incomplete: false },
  ]);
  const sum = (values: readonly (string | undefined)[]): number =>
    values.reduce((all, value) => all + Math.round(Number(value) * 1e5), 0);
  expect(own).toMatchObject({ open: halves[0]?.open, close: halves[1]?.close });
  expect(sum([own?.volume])).toBe(sum(halves.map((each) => each?.volume)));
  expect(own?.tradeCount).toBe(halves.reduce((all, half) => all + (half?.tradeCount ?? 0), 0));
  // Five minutes that began before anybody counted are whole by now all the same.
  const five = candles.findLast(({ intervalMs }) => intervalMs === 300_000);
  expect(five).toMatchObject({ built: true, incomplete: false });
});

test("candles of the past are the same before and after a restart of everything", async () => {
  const { run, ingest, derive, ask } = await create();
  const firstIngest = await ingest();
  const first = await derive();
  await run(3_000);
  const toTimeUs = START_US - 3_600_000_000;
  const asked = { intervalMs: 300_000, toTimeUs, pageSize: 40 };
  const before = await ask(first.started.publisherId, asked);
  expect(before.candles).toHaveLength(40);
  expect(before.candles.every(({ built }) => built === false)).toBe(true);
  await first.started.close();
  await firstIngest.close();
  await run(2_000);
  await ingest();
  const second = await derive();
  await run(3_000);
  const after = await ask(second.started.publisherId, asked);
  expect(after).toEqual(before);
  const next = { ...asked, pageToken: before.nextPageToken };
  expect((await ask(second.started.publisherId, next)).candles.at(-1)?.openTimeUs).toBe(
    before.candles[0]!.openTimeUs - 300_000_000,
  );
});

test("the last candle is there at once after a start, the venue's own and the derived", async () => {
  const { clock, run, ingest, derive, ask } = await create();
  const minuteUs = START_US - (START_US % MINUTE_US);
  // The venue is there since the minute before last; two seconds ago another one ended.
  clock.advance((minuteUs + MINUTE_US + 1_000_000 - START_US) / 1_000);
  const ingestor = await ingest();
  const deriver = await derive();
  await run(3_000);
  const asked = { intervalMs: 60_000, pageSize: 3 };
  for (const [publisherId, venue] of [
    [ingestor.stats().publisherId, "simulated"],
    [deriver.started.publisherId, "simulated-derived"],
  ] as const) {
    const { candles } = await ask(publisherId, asked, venue);
    const opens = candles.map(({ openTimeUs }) => (openTimeUs - minuteUs) / MINUTE_US);
    expect({ venue, opens }).toEqual({ venue, opens: [-1, 0, 1] });
    expect(candles.map(({ closed }) => closed)).toEqual([true, false, false]);
  }
});

test("a venue whose ingestor is lost is set aside, and used again when it is back", async () => {
  const { run, ingest, derive, rowsAbout } = await create();
  await derive({ candles: { enabled: false } });
  const first = await ingest();
  await run(2_000);
  await first.close();
  await run(1_000);
  const quotes = () => rowsAbout("consolidated:BTC-USD/quotes", "quotes");
  const standings = () =>
    rowsAbout("consolidated:BTC-USD/status", "statuses")
      .filter(({ channel }) => channel === "quotes")
      .map(({ state, reason }) => `${state} ${reason}`);
  expect(quotes().at(-1)).toMatchObject({ bidSizeMantissa: 0, askSizeMantissa: 0 });
  expect(standings().at(-1)).toBe("stale no-source");
  await ingest();
  await run(4_000);
  expect(quotes().at(-1)?.bidSizeMantissa).not.toBe(0);
  expect(standings().at(-1)).toBe("live data");
});

test("what a deriver lists is divided by its shard", async () => {
  const { bus, run, ingest, derive } = await create();
  await ingest();
  const listed: string[][] = [];
  for (const shard of ["1/2", "2/2"]) {
    const made: { started: RunningDerive } = await derive({ shard, consolidated: [] });
    await run(3_000);
    const { publisherId } = made.started;
    const subject = querySubject({ venue: "simulated-derived", publisherId, query: "catalog" });
    const payload = encodeCatalogRequest({ afterSymbol: "", sinceVersion: 0 });
    const reply = decodeQueryReply(await bus.request(subject, payload, { timeoutMs: 1_000 }));
    listed.push(decodeCatalogReply(reply.payload).instruments.map(({ symbol }) => symbol));
  }
  expect(listed.flat().toSorted()).toEqual(["BTC-USD", "BTC-USD-PERP"]);
});

test("says what it does in its metrics and in its state", async () => {
  const { run, ingest, derive } = await create();
  await ingest();
  const { started, registry } = await derive();
  await run(5_000);
  const text = await registry.metrics();
  const value = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? NaN);
  expect(value("tickwire_derive_candle_instruments")).toBe(2);
  expect(value("tickwire_derive_consolidated_instruments")).toBe(1);
  expect(value("tickwire_derive_sources_set_aside")).toBe(0);
  expect(value("tickwire_derive_trades_total")).toBeGreaterThan(10);
  expect(started.hasSources).toBe(true);
  expect(await started.state.summary()).toMatchObject({ candleInstruments: 2 });
  const page = started.state.pages.get("derived");
  const answer = await page?.answer({ limit: 10, after: "", parameters: new Map() });
  expect(answer?.rows).toMatchObject([
    { venue: "consolidated", instruments: 2, role: "leading" },
    { venue: "simulated-derived", instruments: 2, role: "leading" },
  ]);
});
