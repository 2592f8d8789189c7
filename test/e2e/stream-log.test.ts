import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type Client, type ReplayEvent, type StreamEvent } from "@tickwire/client";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { JetStreamLog } from "#bus/jetstream-log.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway, type RunningGateway } from "#gateway/main.ts";
import { ingestConfigSchema } from "#ingest/config.ts";
import { startIngest, type RunningIngest } from "#ingest/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const SETTINGS = { storage: "file", replicas: 1, bytesMax: 1e9, ageMsMax: 3_600_000 } as const;
const TOPICS = [
  "simulated:BTC-USD/trades",
  "simulated:BTC-USD/quotes",
  "simulated:BTC-USD/book",
  "simulated:ETH-USD/trades",
];

/** What happened to a topic besides its events, and each event by where it stands. */
const keyOf = (event: ReplayEvent | StreamEvent): string => {
  if (!("topic" in event)) return event.type;
  if (event.type === "gap") return `${event.topic} gap ${event.missingFirst}-${event.missingLast}`;
  if (event.type === "continuity") return `${event.topic} ${event.continuity}`;
  return "sequence" in event ? `${event.topic} ${event.epoch}/${event.sequence}` : event.type;
};

/** The port of a gateway that has just closed may be taken for a moment yet. */
async function listening(start: () => Promise<RunningGateway>): Promise<RunningGateway> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    try {
      return await start();
    } catch {
      await new Promise((resolve) => void setTimeout(resolve, 100));
    }
  }
  return start();
}

const epochOf = (ingest: RunningIngest) => ingest.stats().publications[0]?.publisher.epoch ?? 0;

describe.skipIf(requireNatsServer() === undefined)("a log kept by a real nats-server", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tickwire-log-"));
  const clock = new SystemClock();
  const closing: (() => Promise<void> | void)[] = [];
  let server: NatsServer;

  beforeAll(async () => {
    server = await startNatsServer({ args: ["-js", "-sd", folder] });
  });

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const openLog = (timeoutMs = 2_000) => {
    const log = new JetStreamLog({ servers: server.url, timeoutMs });
    closing.push(() => log.close());
    return log;
  };

  async function ingest(): Promise<RunningIngest> {
    const bus = await connectNatsBus({ servers: server.url });
    const simulated = { seed: 3, instruments: 2, perpetuals: 0, eventsPerSecond: 200 };
    const venues = [{ id: "simulated", simulated }];
    // The publisher keeps nothing: what comes back comes from the log.
    const config = ingestConfigSchema.parse({ venues, historyBytesMax: 0, recentTradesMax: 5 });
    const registry = new Registry();
    const running = await startIngest({ bus, clock, logger: silent, config, registry });
    await running.whenStarted;
    // It publishes when it has the lease.
    await expect.poll(() => epochOf(running), { timeout: 15_000 }).toBeGreaterThan(0);
    closing.push(async () => {
      await running.close();
      await bus.close();
    });
    return running;
  }

  async function gateway(port = 0, log = openLog()): Promise<RunningGateway> {
    const bus = await connectNatsBus({ servers: server.url });
    const config = gatewayConfig({ port, transport: "node", lameDuckMs: 0, drainWindowMs: 0 });
    const parts = { bus, clock, logger: silent, config, log };
    const running = await listening(() => startGateway({ ...parts, registry: new Registry() }));
    closing.push(async () => {
      await running.close({ graceMs: 0 });
      await bus.close();
    });
    await expect.poll(() => running.notReadyReasons(), { timeout: 15_000 }).toEqual([]);
    return running;
  }

  async function client(port: number): Promise<Client> {
    const opened = await connect(`ws://127.0.0.1:${port}`, {
      reconnect: { baseMs: 20, maxMs: 200 },
    });
    closing.push(() => opened.close());
    return opened;
  }

  async function replayed(from: Client, topics = TOPICS): Promise<ReplayEvent[]> {
    const events: ReplayEvent[] = [];
    for await (const event of from.replay(topics)) events.push(event);
    return events;
  }

  test("a cold gateway gives back to a client exactly what it missed", async () => {
    await openLog().ensure("simulated", SETTINGS);
    await ingest();
    const first = await gateway();
    const { port } = first;
    const opened = await client(port);
    const ledger = new StreamLedger();
    const starts: string[] = [];
    opened.subscribe(TOPICS, (event) => {
      ledger.take(event);
      if (event.type === "continuity") starts.push(event.outcome ?? event.continuity);
    });
    await expect.poll(() => ledger.totals().delivered).toBeGreaterThan(100);
    await first.close({ graceMs: 0 });
    const before = ledger.totals().delivered;
    // Everything that is published now reaches no gateway at all.
    await new Promise((resolve) => void setTimeout(resolve, 500));
    await gateway(port);
    await expect
      .poll(() => ledger.totals().delivered, { timeout: 10_000 })
      .toBeGreaterThan(before + 150);
    const { counters } = opened;
    await expect.poll(() => counters.recovered + counters.replaced).toBe(TOPICS.length);
    expect(starts.slice(0, TOPICS.length)).toEqual(TOPICS.map(() => "new"));
    expect(new Set(starts.slice(TOPICS.length))).toEqual(new Set(["recovered"]));
    expect(counters).toMatchObject({ recovered: TOPICS.length, replaced: 0, preserved: 0 });
    expect(counters.recoveredEvents).toBeGreaterThan(50);
    expect(ledger.faults).toEqual([]);
    expect(ledger.totals().missing).toBe(0);
  });

  test("cut and merged topics resume as exactly as others, on a cold gateway", async () => {
    await openLog().ensure("simulated", SETTINGS);
    await ingest();
    const first = await gateway();
    const { port } = first;
    const opened = await client(port);
    const ledger = new StreamLedger({ isConflated: true });
    const outcomes: string[] = [];
    const options = { depth: 5, conflationIntervalMs: 100 };
    const take = (event: StreamEvent) => {
      ledger.take(event);
      if (event.type === "continuity") outcomes.push(event.outcome ?? event.continuity);
    };
    opened.subscribe(TOPICS, take, options);
    await expect.poll(() => ledger.totals().delivered).toBeGreaterThan(40);
    await first.close({ graceMs: 0 });
    const before = ledger.totals().delivered;
    await new Promise((resolve) => void setTimeout(resolve, 500));
    await gateway(port);
    await expect
      .poll(() => ledger.totals().delivered, { timeout: 10_000 })
      .toBeGreaterThan(before + 60);
    expect(new Set(outcomes.slice(TOPICS.length))).toEqual(new Set(["recovered"]));
    expect(ledger.faults).toEqual([]);
    expect(ledger.totals().missing).toBe(0);
    // Of trades none is left out, at whatever interval.
    expect(ledger.totals("/trades").conflated).toBe(0);
    expect(ledger.totals("/trades").delivered).toBeGreaterThan(20);
  });

  test("the end of what a publisher said is there after it is gone, and then the next", async () => {
    await openLog().ensure("simulated", SETTINGS);
    const one = await ingest();
    const first = await gateway();
    const { port } = first;
    const opened = await client(port);
    const seen: string[] = [];
    opened.subscribe("simulated:BTC-USD/trades", (event) => seen.push(keyOf(event)));
    await expect.poll(() => seen.length).toBeGreaterThan(20);
    await first.close({ graceMs: 0 });
    await new Promise((resolve) => void setTimeout(resolve, 300));
    const firstEpoch = epochOf(one);
    await one.close();
    const epoch = epochOf(await ingest());
    await new Promise((resolve) => void setTimeout(resolve, 300));
    await gateway(port);
    const ofEpoch = (number: number) => {
      const head = `simulated:BTC-USD/trades ${number}/`;
      return seen
        .filter((key) => key.startsWith(head))
        .map((key) => Number(key.slice(head.length)));
    };
    await expect.poll(() => ofEpoch(epoch).length, { timeout: 10_000 }).toBeGreaterThan(20);
    const [old, fresh] = [ofEpoch(firstEpoch), ofEpoch(epoch)];
    expect(old).toEqual(old.map((_, index) => old[0]! + index));
    expect(fresh).toEqual(fresh.map((_, index) => index + 1));
    const logged = await replayed(opened, ["simulated:BTC-USD/trades"]);
    const last = logged.findLast((event) => "sequence" in event && event.epoch === firstEpoch);
    expect(old.at(-1)).toBe(last !== undefined && "sequence" in last ? last.sequence : undefined);
    expect(seen.filter((key) => key.includes(" gap "))).toEqual([]);
  });

  test("a replay is what a subscriber got, of several topics in order of publishing", async () => {
    await openLog().ensure("simulated", SETTINGS);
    const epoch = epochOf(await ingest());
    const running = await gateway();
    const opened = await client(running.port);
    const live: string[] = [];
    opened.subscribe(TOPICS, (event) => live.push(keyOf(event)));
    await expect.poll(() => live.length, { timeout: 10_000 }).toBeGreaterThan(300);
    await new Promise((resolve) => void setTimeout(resolve, 200));
    const events = await replayed(opened);
    const keys = new Set(events.map(keyOf));
    const wanted = live.slice(0, 250).filter((key) => key.includes(` ${epoch}/`));
    expect(wanted.length).toBeGreaterThan(150);
    // The first of a topic may be a state that was made for the subscriber.
    expect(wanted.filter((key) => !keys.has(key)).length).toBeLessThanOrEqual(2);
    const times = events.flatMap((event) =>
      "publishedTimeUs" in event && event.epoch === epoch ? [event.publishedTimeUs] : [],
    );
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("JetStream that stands still costs live data nothing, and the past an answer", async () => {
    await openLog().ensure("simulated", SETTINGS);
    await ingest();
    const other = await startNatsServer({ args: ["-js", "-sd", path.join(folder, "other")] });
    closing.push(() => other.stop());
    const log = new JetStreamLog({ servers: other.url, timeoutMs: 300 });
    closing.push(() => log.close());
    const running = await gateway(0, log);
    const opened = await client(running.port);
    other.pause();
    closing.push(() => other.resume());
    let events = 0;
    opened.subscribe(TOPICS, () => (events += 1));
    await expect.poll(() => events).toBeGreaterThan(100);
    await expect(replayed(opened)).rejects.toMatchObject({ code: "unavailable" });
    const before = events;
    await expect.poll(() => events).toBeGreaterThan(before + 50);
  });

  test("a server that was killed and started again has what was stored", async () => {
    const log = openLog();
    await log.ensure("simulated", SETTINGS);
    await ingest();
    const running = await gateway();
    const opened = await client(running.port);
    let events = 0;
    opened.subscribe(TOPICS, () => (events += 1));
    await expect.poll(() => events).toBeGreaterThan(100);
    const stored = (await replayed(opened, ["simulated:BTC-USD/trades"])).map(keyOf);
    await server.restart();
    await expect
      .poll(
        async () => {
          const again = await replayed(opened, ["simulated:BTC-USD/trades"]).catch(() => []);
          return again.slice(0, stored.length).map(keyOf);
        },
        { timeout: 20_000, interval: 500 },
      )
      .toEqual(stored);
  });
});
