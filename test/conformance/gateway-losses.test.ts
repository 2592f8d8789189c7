import { setTimeout as pause } from "node:timers/promises";
import { connect, type Client } from "@tickwire/client";
import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { eventSubject } from "#bus/subject.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import type { RunningGateway } from "#gateway/main.ts";
import { ingestConfig } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { LossyBus } from "#test/support/lossy-bus.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import type { NatsServer } from "#test/support/nats-server.ts";
import { createPrng } from "#test/support/prng.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";

/**
 * The accounting of a whole Tickwire over a bus that loses messages: of what was published while a
 * client was subscribed, each event is delivered, or stood for by a state that was announced as
 * such, or told missing; and what is told is what was lost.
 */

const WAIT_MS_MAX = 40_000;
const ANNOUNCE_MS = 200;
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

type Buses = { readonly ingest: Bus; readonly gateway: LossyBus; close(): Promise<void> };

async function memoryBuses(): Promise<Buses> {
  const bus = new MemoryBus({ clock: new SystemClock() });
  return { ingest: bus, gateway: new LossyBus(bus), close: () => bus.close() };
}

async function natsBuses(server: NatsServer): Promise<Buses> {
  const [ingest, gateway] = await Promise.all(
    ["ingest", "gateway"].map((name) => connectNatsBus({ servers: server.url, name })),
  );
  const close = async (): Promise<void> => {
    await Promise.all([ingest?.close(), gateway?.close()]);
    await server.stop();
  };
  return { ingest: ingest!, gateway: new LossyBus(gateway!), close };
}

class Stand {
  readonly ledger = new StreamLedger();
  registry = new Registry();
  readonly buses: Buses;
  /** What the ingestor keeps for gateways that missed some; 0 is nothing. */
  readonly historyBytesMax: number;
  gateway!: RunningGateway;
  ingest!: RunningIngest;
  client!: Client;

  constructor(buses: Buses, historyBytesMax: number) {
    this.buses = buses;
    this.historyBytesMax = historyBytesMax;
  }

  async start(): Promise<void> {
    await this.startIngest();
    await this.startGateway();
    this.client = await connect(`ws://127.0.0.1:${this.gateway.port}`);
    this.client.subscribe(["simulated:*/*"], (event) => this.ledger.take(event));
    await this.flows();
  }

  async startGateway(port = 0): Promise<void> {
    this.registry = new Registry();
    this.gateway = await startGateway({
      config: gatewayConfig({ port, transport: "node", lameDuckMs: 0 }),
      bus: this.buses.gateway,
      clock: new SystemClock(),
      logger: SILENT,
      registry: this.registry,
    });
    await this.until(() => this.gateway.notReadyReasons().length === 0);
  }

  async startIngest(): Promise<void> {
    const simulated = { seed: 11, instruments: 3, perpetuals: 1, eventsPerSecond: 150 };
    this.ingest = await startIngest({
      config: ingestConfig({
        venues: [{ id: "simulated", simulated }],
        announceIntervalMs: ANNOUNCE_MS,
        drainTimeoutMs: 100,
        historyBytesMax: this.historyBytesMax,
      }),
      bus: this.buses.ingest,
      clock: new SystemClock(),
      logger: SILENT,
      registry: new Registry(),
    });
    await this.ingest.whenStarted;
  }

  async flows(more = 300): Promise<void> {
    const before = this.ledger.totals().delivered;
    await this.until(() => this.ledger.totals().delivered > before + more);
  }

  /** Waits for what is published from now on. */
  async catchesUp(): Promise<void> {
    const nowUs = Date.now() * 1_000;
    await this.until(() => this.ledger.publishedTimeUs > nowUs);
    await pause(3 * ANNOUNCE_MS);
  }

  async until(isSo: () => boolean): Promise<void> {
    const deadlineMs = Date.now() + WAIT_MS_MAX;
    while (!isSo()) {
      if (Date.now() > deadlineMs) throw new Error(JSON.stringify(this.ledger.faults));
      await pause(5);
    }
  }

  async metric(name: string): Promise<number> {
    const values = (await this.registry.getSingleMetric(name)?.get())?.values ?? [];
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  async stop(): Promise<void> {
    this.client?.close();
    await this.gateway?.close({ graceMs: 0 });
    await this.ingest?.close();
    await this.buses.close();
  }
}

const KINDS = requireNatsServer() === undefined ? ["memory"] : ["memory", "nats"];

describe.each(KINDS)("over a %s bus", (kind) => {
  let stand: Stand;

  afterEach(async () => {
    await stand.stop();
  });

  async function start(historyBytesMax = 0): Promise<Stand> {
    const buses =
      kind === "memory" ? await memoryBuses() : await natsBuses(await startNatsServer());
    stand = new Stand(buses, historyBytesMax);
    await stand.start();
    return stand;
  }

  test("what a lossy bus takes is told to the event, for every channel", async () => {
    const { ledger, buses } = await start();
    const random = createPrng(21);
    buses.gateway.loses = (subject) => subject.startsWith("md.") && random.chance(0.1);
    await stand.flows(3_000);
    buses.gateway.loses = () => false;
    await stand.catchesUp();
    expect(ledger.faults).toEqual([]);
    expect([ledger.epochChanges, ledger.unknownGaps]).toEqual([0, 0]);
    const lostOf = (channel: string): number => {
      let events = 0;
      for (const [subject, count] of buses.gateway.lostEvents) {
        if (subject.includes(`.${channel}.`)) events += count;
      }
      return events;
    };
    expect(lostOf("trades")).toBeGreaterThan(0);
    // Where each event stands for itself, what is told is exactly what was lost.
    for (const channel of ["trades", "quotes", "ticker"]) {
      expect([channel, ledger.totals(`/${channel}`).missing]).toEqual([channel, lostOf(channel)]);
    }
    // A book is made anew behind a hole: events that came after it are in its new state.
    expect(ledger.totals("/book").missing).toBeGreaterThanOrEqual(lostOf("book"));
    expect(await stand.metric("tickwire_gateway_bus_missing_events_total")).toBeGreaterThan(0);
  });

  test("what is lost while too much comes is told, and fetched when that is over", async () => {
    const { ledger, buses } = await start(16 * 1_048_576);
    const random = createPrng(22);
    const fetched = (): Promise<number> => stand.metric("tickwire_gateway_history_events_total");
    const missing = (): number => ledger.totals("/trades").missing;
    buses.gateway.overloaded = true;
    const loses = (subject: string): boolean => {
      return subject.startsWith("md.v2.simulated.trades.") && random.chance(0.2);
    };
    buses.gateway.loses = loses;
    await stand.flows(3_000);
    expect(await fetched()).toBe(0);
    expect(missing()).toBeGreaterThan(0);
    buses.gateway.overloaded = false;
    buses.gateway.loses = () => false;
    await stand.catchesUp();
    const told = missing();
    buses.gateway.loses = loses;
    await stand.flows(3_000);
    buses.gateway.loses = () => false;
    await stand.catchesUp();
    expect(await fetched()).toBeGreaterThan(0);
    expect(missing()).toBe(told);
    expect([ledger.faults, ledger.epochChanges, ledger.unknownGaps]).toEqual([[], 0, 0]);
  });

  test("a topic of which nothing comes any more is noticed and told, then healed", async () => {
    const { ledger, buses } = await start();
    const name = { venue: "simulated", symbol: "BTC-USD", channel: "trades" } as const;
    buses.gateway.loses = (subject) => subject === eventSubject(name);
    const before = ledger.totals("BTC-USD/trades").missing;
    await stand.until(() => ledger.totals("BTC-USD/trades").missing > before);
    expect(await stand.metric("tickwire_gateway_stalls_total")).toBeGreaterThan(0);
    const { delivered } = ledger.totals("BTC-USD/trades");
    buses.gateway.loses = () => false;
    await stand.until(() => ledger.totals("BTC-USD/trades").delivered > delivered + 5);
    await stand.catchesUp();
    expect(ledger.faults).toEqual([]);
    expect(ledger.totals("BTC-USD/trades").missing).toBe(
      buses.gateway.lostEvents.get(eventSubject(name)),
    );
  });

  test("the last events of an ingestor that leaves are counted though nobody can ask it", async () => {
    const { ledger, buses } = await start();
    buses.gateway.loses = (subject) => subject.startsWith("md.v2.simulated.trades.");
    await pause(ANNOUNCE_MS / 2);
    const closing = stand.ingest.close();
    await closing;
    buses.gateway.loses = () => false;
    await stand.startIngest();
    await stand.flows();
    await stand.catchesUp();
    expect(ledger.faults).toEqual([]);
    expect(ledger.unknownGaps).toBe(0);
    expect(ledger.epochChanges).toBeGreaterThan(0);
    const lost = [...buses.gateway.lostEvents.values()].reduce((sum, count) => sum + count, 0);
    expect(lost).toBeGreaterThan(0);
    expect(ledger.totals("/trades").missing).toBe(lost);
  });

  test("what a lossy bus takes is fetched from the publisher that keeps it, and nothing is missing", async () => {
    const { ledger, buses } = await start(4 * 1_024 * 1_024);
    const random = createPrng(22);
    buses.gateway.loses = (subject) => subject.startsWith("md.") && random.chance(0.1);
    await stand.flows(3_000);
    buses.gateway.loses = () => false;
    await stand.catchesUp();
    expect(ledger.faults).toEqual([]);
    expect(ledger.totals().missing).toBe(0);
    expect(buses.gateway.lostEvents.size).toBeGreaterThan(0);
    expect(await stand.metric("tickwire_gateway_history_events_total")).toBeGreaterThan(0);
  });

  test("a client goes on at a gateway that was started after what it missed", async () => {
    const { ledger, gateway } = await start(4 * 1_024 * 1_024);
    const { port } = gateway;
    await gateway.close({ graceMs: 0 });
    // The ingestor goes on meanwhile; nobody but itself has what it publishes now.
    await pause(1_000);
    await stand.startGateway(port);
    await stand.flows();
    await stand.catchesUp();
    expect(ledger.faults).toEqual([]);
    expect([ledger.epochChanges, ledger.unknownGaps]).toEqual([0, 0]);
    expect(ledger.totals().missing).toBe(0);
    expect(await stand.metric("tickwire_gateway_history_events_total")).toBeGreaterThan(0);
  });
});
