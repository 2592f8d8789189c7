import { setTimeout as pause } from "node:timers/promises";
import { connect, type Client } from "@tickwire/client";
import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import type { RunningGateway } from "#gateway/main.ts";
import { ingestConfig } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";
import { SseClient } from "#test/support/text-stream-client.ts";
import type { TextEvent } from "#test/support/text-stream-client.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

/** The client of the package over HTTP: the same streams and calls, and nothing lost or doubled. */

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

requireNatsServer();

class Stand {
  readonly ledger = new StreamLedger();
  readonly #cleanups: (() => Promise<void> | void)[] = [];
  buses: Bus[] = [];

  async startBuses(kind: "memory" | "nats"): Promise<void> {
    if (kind === "memory") {
      const bus = new MemoryBus({ clock: new SystemClock() });
      this.buses = [bus, bus, bus];
      this.onStop(() => bus.close());
      return;
    }
    const server = await startNatsServer();
    this.onStop(() => server.stop());
    for (const name of ["ingest", "one", "other"]) {
      const bus = await connectNatsBus({ servers: server.url, name });
      this.buses.push(bus);
      this.onStop(() => bus.close());
    }
  }

  async startIngest(): Promise<void> {
    const ingest = await startIngest({
      config: ingestConfig({
        venues: [
          {
            id: "simulated",
            simulated: { seed: 7, instruments: 3, perpetuals: 1, eventsPerSecond: 150 },
          },
        ],
        announceIntervalMs: 200,
        drainTimeoutMs: 100,
      }),
      bus: this.buses[0]!,
      clock: new SystemClock(),
      logger: SILENT,
      registry: new Registry(),
    });
    this.onStop(() => ingest.close());
    await ingest.whenStarted;
  }

  async startGateway(transport: "uws" | "node", bus = 1): Promise<RunningGateway> {
    const gateway = await startGateway({
      config: gatewayConfig({ port: 0, transport, lameDuckMs: 0, drainWindowMs: 0 }),
      bus: this.buses[bus]!,
      clock: new SystemClock(),
      logger: SILENT,
      registry: new Registry(),
    });
    this.onStop(() => gateway.close({ graceMs: 0 }));
    return gateway;
  }

  subscribe(client: Client, topics: readonly string[]): void {
    client.subscribe(topics, (event) => this.ledger.take(event));
  }

  onStop(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  async flows(more = 200): Promise<void> {
    const enough = this.ledger.totals().delivered + more;
    const deadlineMs = Date.now() + 20_000;
    while (this.ledger.totals().delivered < enough) {
      if (Date.now() > deadlineMs) throw new Error(`stuck: ${JSON.stringify(this.ledger)}`);
      await pause(20);
    }
  }

  async stop(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).toReversed()) await cleanup();
  }
}

const CASES = (["sse", "poll"] as const).flatMap((kind) =>
  TRANSPORTS.flatMap((transport) =>
    (["memory", "nats"] as const).map((bus) => [kind, transport, bus] as const),
  ),
);

describe.each(CASES)("the client by %s from %s over %s", (kind, transport, bus) => {
  let stand: Stand;
  afterEach(() => stand.stop());

  test("gets each event once over the loss of its gateway, and calls are answered", async () => {
    stand = new Stand();
    await stand.startBuses(bus);
    await stand.startIngest();
    const gateway = await stand.startGateway(transport);
    const other = await stand.startGateway(transport, 2);
    const urls = [gateway, other].map(({ port }) => `http://127.0.0.1:${port}`);
    const reconnect = { baseMs: 20, maxMs: 100 };
    const client = await connect({ urls }, { transport: kind, reconnect });
    stand.onStop(() => client.close());
    expect(client.transport).toBe(kind);
    stand.subscribe(client, ["simulated:*/*"]);
    await stand.flows();
    const { serverTimeUs } = await client.rpc.getServerTime({});
    expect(serverTimeUs).toBeGreaterThan(0);
    // Without time to leave, so that the client has to go on from its positions.
    await gateway.close({ graceMs: 0 });
    await stand.flows(1_000);
    expect(client.url).toContain(String(other.port));
    expect(stand.ledger.faults).toEqual([]);
    expect(stand.ledger.totals().missing).toBe(0);
  });
});

describe.each(
  TRANSPORTS.flatMap((transport) =>
    (["memory", "nats"] as const).map((bus) => [transport, bus] as const),
  ),
)("text streams from two gateways on %s over %s", (transport, bus) => {
  let stand: Stand;
  afterEach(() => stand.stop());

  test("each event comes once, however often the stream is cut and goes on elsewhere", async () => {
    stand = new Stand();
    await stand.startBuses(bus);
    await stand.startIngest();
    const gateways = [
      await stand.startGateway(transport, 1),
      await stand.startGateway(transport, 2),
    ];
    const sequences = new Map<string, number[]>();
    const notices: TextEvent[] = [];
    let cursor = "";
    for (let turn = 0; turn < 8; turn += 1) {
      const { port } = gateways[turn % 2]!;
      const topics = "simulated:*/trades,simulated:*/quotes,simulated:*/book";
      const headers: Record<string, string> = cursor === "" ? {} : { "last-event-id": cursor };
      const client = await SseClient.open(
        `http://127.0.0.1:${port}/v1/sse?topics=${topics}`,
        headers,
      );
      // Cut wherever it is by then, most often within an event.
      const events = 20 + turn * 7;
      await client.until(() => client.events.length >= events);
      client.close();
      for (const event of client.events) {
        // A gateway that has just started asks again by itself.
        const isRefused = event.name === "refused" && event.data["retries"] !== true;
        if (event.name === "gap" || isRefused) notices.push(event);
        if (event.name === "snapshot") continue;
        const topic = event.data["topic"] as string | undefined;
        const rows = (event.data["events"] ?? []) as readonly { readonly sequence: number }[];
        if (topic === undefined || rows.length === 0) continue;
        const own = sequences.get(topic) ?? [];
        own.push(...rows.map(({ sequence }) => sequence));
        sequences.set(topic, own);
      }
      cursor = client.reader.lastEventId;
    }
    expect(notices).toEqual([]);
    expect(sequences.size).toBeGreaterThan(5);
    for (const [topic, own] of sequences) {
      const [first = 0] = own;
      expect(own, `${topic} has every event once`).toEqual(own.map((_, index) => first + index));
    }
  });
});
