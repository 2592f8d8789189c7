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
