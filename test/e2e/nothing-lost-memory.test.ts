import { connect as dial, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { Registry } from "prom-client";
import { connect, type Client } from "@tickwire/client";
import { afterEach, describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import type { RunningGateway } from "#gateway/main.ts";
import { ingestConfigSchema } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { LossyBus } from "#test/support/lossy-bus.ts";
import { createPrng } from "#test/support/prng.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, startCli } from "./cli-process.ts";

/**
 * What can be lost over the memory bus: a connection, a client that is stopped, the gateway without
 * its ingestor, batches between the two, and the one process of `tickwire dev`. A client keeps the
 * books. What is waited for is an event, never a time; times are upper bounds of a slow machine.
 */

const WAIT_MS_MAX = 60_000;
const MARKET = { seed: 5, instruments: 6, perpetuals: 3, eventsPerSecond: 200, pace: "even" };
const TOPICS = ["trades", "quotes", "book", "status"].map((channel) => `simulated:*/${channel}`);
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A network between client and gateway, which can stand still and be cut. */
class Network {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isStill = false;
  gatewayPort = 0;

  private constructor() {
    this.#server = createServer((near) => {
      const far = dial(this.gatewayPort, "127.0.0.1");
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      for (const [from, to] of [pair, [far, near] as const]) {
        from.on("data", (chunk: Buffer) => to.write(chunk));
        from.on("error", () => to.destroy());
        from.on("close", () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
        if (this.#isStill) from.pause();
      }
    });
  }

  static async open(): Promise<Network> {
    const network = new Network();
    await new Promise<void>((resolve) => network.#server.listen(0, "127.0.0.1", resolve));
    return network;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** Nothing passes, and nobody is told. */
  stand(): void {
    this.#isStill = true;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.pause();
  }

  go(): void {
    this.#isStill = false;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.resume();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A client that keeps the books. */
class Reader {
  readonly ledger = new StreamLedger();
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
    client.subscribe(TOPICS, (event) => this.ledger.take(event));
  }

  static async at(port: number): Promise<Reader> {
    const reader = new Reader(
      // Soon again, because it is cut often.
      await connect(`ws://127.0.0.1:${port}`, { reconnect: { maxMs: 500 } }),
    );
    await reader.until(() => reader.ledger.totals().delivered > 500, "the market");
    return reader;
  }

  async until(isSo: () => boolean, what: string): Promise<void> {
    const deadlineMs = Date.now() + WAIT_MS_MAX;
    while (!isSo()) {
      if (Date.now() > deadlineMs) {
        throw new Error(`${what} did not come; ${JSON.stringify(this.ledger.faults)}`);
      }
      await pause(20);
    }
  }

  /** Waits for events that were published from now on, so that all from before have come. */
  async catchesUp(): Promise<void> {
    const nowUs = Date.now() * 1_000;
    await this.until(() => this.ledger.publishedTimeUs > nowUs, "what is published now");
  }

  /** What became of everything: nothing is unaccounted for, and no publisher was replaced. */
  get books() {
    const { faults, epochChanges, unknownGaps } = this.ledger;
    return { faults, epochChanges, unknownGaps };
  }
}

const BALANCED = { faults: [], epochChanges: 0, unknownGaps: 0 };

describe.each(TRANSPORTS)("on one memory bus, over %s", (transport) => {
  let bus: LossyBus;
  let ingest: RunningIngest;
  let gateway: RunningGateway;
  let network: Network;
  let reader: Reader;
  const clock = new SystemClock();

  async function serve(port: number): Promise<void> {
    // Whoever is told that it lags gets states as they are later: here nobody is told.
    const lag = { lagNoticeMs: 60_000, lagMsMax: 120_000 };
    const config = gatewayConfig({ port, transport, lameDuckMs: 0, ...lag });
    const common = { bus, clock, logger: silent };
    gateway = await startGateway({ ...common, config, registry: new Registry() });
    network.gatewayPort = gateway.port;
  }

  async function start(): Promise<void> {
    bus = new LossyBus(new MemoryBus({ clock }));
    network = await Network.open();
    const venues = [{ id: "simulated", simulated: MARKET }];
    const config = ingestConfigSchema.parse({ venues, announceIntervalMs: 500 });
    ingest = await startIngest({ bus, clock, logger: silent, config, registry: new Registry() });
    await ingest.whenStarted;
    await serve(0);
    reader = await Reader.at(network.port);
  }

  afterEach(async () => {
    reader?.client.close();
    network?.close();
    await gateway?.close({ graceMs: 0 });
    await ingest?.close();
    await bus?.close();
  });

  test("a connection that is cut again and again loses nothing, and doubles nothing", async () => {
    await start();
    for (let cut = 0; cut < 6; cut += 1) {
      await reader.until(() => network.connections > 0, "a connection");
      await pause(cut * 40);
      network.cut();
      await reader.catchesUp();
    }
    expect(reader.books).toEqual(BALANCED);
    expect(reader.ledger.totals().missing).toBe(0);
  }, 120_000);

  test("a client that stands still for 6 s has everything afterwards", async () => {
    await start();
    network.stand();
    await pause(6_000);
    network.go();
    await reader.catchesUp();
    expect(reader.books).toEqual(BALANCED);
    expect(reader.ledger.totals().missing).toBe(0);
  });

  test("a gateway that dies and another in its place: what was missed comes, or is said", async () => {
    await start();
    const { port } = gateway;
    network.cut();
    await gateway.close({ graceMs: 0 });
    await pause(1_000);
    await serve(port);
    await reader.catchesUp();
    expect(reader.books).toEqual(BALANCED);
    // The publisher has the last 30 s of every topic.
    expect(reader.ledger.totals().missing).toBe(0);
  });

  test("batches lost on the bus while connections are cut come again, or are told", async () => {
    await start();
    const random = createPrng(7);
    bus.loses = (subject) => subject.startsWith("md.") && random.chance(0.02);
    for (let cut = 0; cut < 4; cut += 1) {
      await reader.catchesUp();
      network.cut();
    }
    await reader.catchesUp();
    bus.loses = () => false;
    await reader.catchesUp();
    await reader.catchesUp();
    expect(reader.books).toEqual(BALANCED);
    const lost = [...bus.lostEvents.values()].reduce((sum, events) => sum + events, 0);
    expect(lost).toBeGreaterThan(0);
    expect(reader.ledger.totals().missing).toBeLessThanOrEqual(lost);
  }, 120_000);
});

describe("the one process of `tickwire dev`", () => {
  let reader: Reader | undefined;

  afterEach(async () => {
    reader?.client.close();
    await killAll();
  });

  async function dev(port: number) {
    const venues = JSON.stringify([{ id: "simulated", simulated: MARKET }]);
    const environment = { TICKWIRE_INGEST__VENUES: venues };
    const args = ["dev", "--port", String(port), "--admin-port", "0"];
    const program = startCli(args, { environment });
    await program.waitFor("stdout", /Ctrl-C ends it/);
    return program;
  }

  test("loses nothing when it is stopped for 8 s and continued", async () => {
    const port = await findFreePort();
    const program = await dev(port);
    reader = await Reader.at(port);
    program.child.kill("SIGSTOP");
    await pause(8_000);
    program.child.kill("SIGCONT");
    await reader.catchesUp();
    expect(reader.books).toEqual(BALANCED);
    expect(reader.ledger.totals().missing).toBe(0);
  });

  test("that is killed and started anew says of every topic that something is lost", async () => {
    const port = await findFreePort();
    const program = await dev(port);
    reader = await Reader.at(port);
    await program.stop("SIGKILL");
    await dev(port);
    await reader.catchesUp();
    const { faults, epochChanges, unknownGaps } = reader.books;
    expect(faults).toEqual([]);
    expect(epochChanges).toBeGreaterThan(0);
    expect(unknownGaps).toBe(epochChanges);
  }, 120_000);
});
