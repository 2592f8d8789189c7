import { connect, type Client } from "@tickwire/client";
import { afterEach, describe, expect, test } from "vitest";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import type { NatsServer } from "#test/support/nats-server.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, startCli } from "./cli-process.ts";
import type { CliProcess } from "./cli-process.ts";

/**
 * Real processes over a real nats-server: an ingestor and a gateway that are killed, stopped and
 * given wrong clocks while a client keeps the books. What is waited for is an event, never a time;
 * the times are upper bounds of a slow machine.
 */

const WAIT_MS_MAX = 60_000;
const MARKET = [
  {
    id: "simulated",
    simulated: { seed: 5, instruments: 6, perpetuals: 3, eventsPerSecond: 200, pace: "even" },
  },
];
/** Every channel that there is. */
const TOPICS = ["simulated:*/*", "simulated:*/listings"];
const CHANNELS =
  "book candles funding liquidations listings mark-price open-interest quotes status ticker trades";
/** The same in less: the best levels, ten times a second. */
const VIEW = { depth: 10, conflationIntervalMs: 100 };

/** Moves the clock of a process by so many milliseconds. */
function clockOff(offsetMs: number): Record<string, string> {
  const code = `const now = Date.now; Date.now = () => now() + ${offsetMs};`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
}

class Stand {
  readonly nats: NatsServer;
  readonly ledger = new StreamLedger();
  /** Of a second client, which sees everything in views. */
  readonly viewed = new StreamLedger({ isConflated: true });
  viewer!: Client;
  gateway!: CliProcess;
  client!: Client;
  port = 0;

  constructor(nats: NatsServer) {
    this.nats = nats;
  }

  async ingest(environment: Record<string, string> = {}): Promise<CliProcess> {
    const ingest = startCli(["ingest", "--admin-port", "0"], {
      environment: {
        TICKWIRE_BUS__NATS__SERVERS: this.nats.url,
        TICKWIRE_INGEST__VENUES: JSON.stringify(MARKET),
        TICKWIRE_INGEST__ANNOUNCE_INTERVAL_MS: "500",
        ...environment,
      },
    });
    await ingest.waitFor("stderr", /ingesting/);
    return ingest;
  }

  async serve(): Promise<void> {
    await this.listen(await findFreePort());
    this.client = await connect(`ws://127.0.0.1:${this.port}`);
    this.client.subscribe(TOPICS, (event) => this.ledger.take(event));
    this.viewer = await connect(`ws://127.0.0.1:${this.port}`);
    this.viewer.subscribe(TOPICS, (event) => this.viewed.take(event), VIEW);
    await this.until(() => this.ledger.totals().delivered > 500, "the market");
    await this.until(() => this.viewed.totals().delivered > 100, "the market in views");
  }

  /** Starts a gateway on this port. */
  async listen(port: number): Promise<void> {
    this.port = port;
    this.gateway = startCli(["gateway", "--port", String(port), "--admin-port", "0"], {
      environment: { TICKWIRE_BUS__NATS__SERVERS: this.nats.url },
    });
    await this.gateway.waitFor("stderr", /gateway listens/);
  }

  /** Waits for events that were published from now on, so that all from before have come. */
  async catchesUp(): Promise<void> {
    const nowUs = Date.now() * 1_000;
    await this.until(() => this.ledger.publishedTimeUs > nowUs, "what is published now");
    await this.until(() => this.viewed.publishedTimeUs > nowUs, "what is published now, in views");
  }

  /** Waits until both have had something of every channel: some channels are quiet for seconds. */
  async hearsEveryChannel(): Promise<void> {
    const heard = (): string[] => [this.ledger.channels, this.viewed.channels];
    await this.until(() => heard().every((channels) => channels === CHANNELS), "every channel");
  }

  /** Waits until so many more events have come. */
  async flows(more = 500): Promise<void> {
    const before = this.ledger.totals().delivered;
    await this.until(() => this.ledger.totals().delivered > before + more, "more events");
  }

  /** Waits until somebody who follows the statuses has been told. */
  async says(reason: string): Promise<void> {
    const said = this.ledger.statuses.length;
    await this.until(
      () => this.ledger.statuses.slice(said).some((status) => status.reason === reason),
      `the status ${reason}`,
    );
  }

  async until(isSo: () => boolean, what: string): Promise<void> {
    const deadlineMs = Date.now() + WAIT_MS_MAX;
    while (!isSo()) {
      if (Date.now() > deadlineMs) {
        const log = this.gateway.stderr().slice(-2_000);
        throw new Error(`${what} did not come; ${JSON.stringify(this.ledger.faults)} ${log}`);
      }
      await pause(20);
    }
  }
}

/** Three servers that know each other. */
class NatsCluster {
  readonly #servers: NatsServer[] = [];

  static async start(): Promise<NatsCluster> {
    const cluster = new NatsCluster();
    const ports = [await findFreePort(), await findFreePort(), await findFreePort()];
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join();
    for (const port of ports) {
      const own = `nats://127.0.0.1:${port}`;
      const args = ["--cluster_name", "test", "--cluster", own, "--routes", routes];
      cluster.#servers.push(await startNatsServer({ args }));
    }
    return cluster;
  }

  /** As one, for who connects to any of them. */
  get asServer(): NatsServer {
    const stop = async (): Promise<void> => {
      for (const server of this.#servers) await server.stop();
    };
    return { ...this.#servers[0]!, url: this.#servers.map(({ url }) => url).join(), stop };
  }

  kill(node: number): Promise<void> {
    return this.#servers[node]!.stop();
  }

  bringBack(node: number): Promise<void> {
    return this.#servers[node]!.restart();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe.skipIf(requireNatsServer() === undefined)("over a real nats-server", () => {
  let stand: Stand | undefined;

  afterEach(async () => {
    stand?.client?.close();
    stand?.viewer?.close();
    await killAll();
    await stand?.nats.stop();
    stand = undefined;
  });

  async function start(environment?: Record<string, string>) {
    const started = new Stand(await startNatsServer());
    stand = started;
    const ingest = await started.ingest(environment);
    await started.serve();
    return { stand: started, ledger: started.ledger, ingest };
  }

  test("a gateway that is stopped for 8 s and continued loses nothing", async () => {
    const busy = { seed: 5, instruments: 10, perpetuals: 3, eventsPerSecond: 300, pace: "even" };
    const venues = JSON.stringify([{ id: "simulated", simulated: busy }]);
    const { stand: it, ledger } = await start({ TICKWIRE_INGEST__VENUES: venues });
    it.gateway.child.kill("SIGSTOP");
    await pause(8_000);
    it.gateway.child.kill("SIGCONT");
    await it.hearsEveryChannel();
    await it.catchesUp();
    expect([ledger.faults, it.viewed.faults]).toEqual([[], []]);
    expect([ledger.totals().missing, it.viewed.totals().missing]).toEqual([0, 0]);
    expect([ledger.epochChanges, ledger.unknownGaps]).toEqual([0, 0]);
    expect(it.viewed.totals().conflated).toBe(it.viewer.counters.conflatedEvents);
    // It was the gateway that was away, and it knows.
    expect(it.gateway.stderr()).not.toContain("the ingestor is lost");
  });

  test.each([-120_000, 120_000])(
    "an ingestor that is killed and comes back with its clock %i ms off is followed at once",
    async (offsetMs) => {
      const { stand: it, ledger, ingest } = await start();
      await ingest.stop("SIGKILL");
      await it.ingest(clockOff(offsetMs));
      const startedMs = Date.now();
      const replaced = it.says("ingestor-replaced");
      await it.flows();
      await replaced;
      // Three intervals of silence would be 1.5 s; nobody waits for them.
      expect(Date.now() - startedMs).toBeLessThan(30_000);
      expect(ledger.faults).toEqual([]);
      expect(ledger.epochChanges).toBeGreaterThan(0);
      expect(ledger.unknownGaps).toBe(0);
    },
  );

  test("gateway and ingestor are killed, the gateway is back first: every loss is said", async () => {
    const { stand: it, ledger, ingest } = await start();
    // By name first, and by a pattern too: neither may start anew what the other has.
    const alone = new StreamLedger();
    const starts: string[] = [];
    it.client.subscribe(["simulated:BTC-USD/trades"], (event) => {
      alone.take(event);
      if (event.type === "continuity") starts.push(event.continuity);
      if (event.type === "gap") starts.push(`gap after ${event.missingFirst - 1}`);
    });
    await it.until(() => alone.totals().delivered > 20, "trades by name");
    await it.gateway.stop("SIGKILL");
    await ingest.stop("SIGKILL");
    const told = starts.length;
    await it.listen(it.port);
    await it.until(() => starts.includes("unavailable"), "word of the gateway without a venue");
    const { delivered } = alone.totals();
    await it.ingest();
    await it.flows();
    await it.until(() => alone.totals().delivered > delivered, "trades by name");
    const [first, ...rest] = starts.slice(told).filter((start) => start !== "unavailable");
    expect(first).toMatch(/^gap after \d+$/);
    expect(rest).toEqual(["replaced"]);
    expect([...alone.faults, ...ledger.faults]).toEqual([]);
    // Each topic that had come to something lost the rest of it.
    expect(ledger.unknownGaps).toBe(ledger.epochChanges);
  }, 120_000);

  test("of two ingestors with markets of their own the second waits until the first is killed", async () => {
    const { stand: it, ledger, ingest } = await start();
    await it.ingest(clockOff(5_000));
    await it.flows(2_000);
    expect([ledger.faults, ledger.epochChanges]).toEqual([[], 0]);
    await ingest.stop("SIGKILL");
    await it.says("ingestor-replaced");
    await it.flows();
    expect(ledger.faults).toEqual([]);
    // Nothing that the two publish is the same: what comes is another epoch, and is said to be.
    expect([ledger.unknownGaps, ledger.continuations]).toEqual([0, 0]);
    expect(ledger.epochChanges).toBeGreaterThan(0);
  });

  test("a nats-server that is away is not taken for an ingestor that is", async () => {
    const { stand: it, ledger } = await start();
    const down = it.says("bus-down");
    await it.nats.restart();
    await down;
    await it.flows();
    await it.hearsEveryChannel();
    await it.catchesUp();
    expect([ledger.faults, it.viewed.faults]).toEqual([[], []]);
    // What each of the two missed is told, and told to both alike.
    expect(it.viewed.totals().missing).toBe(ledger.totals().missing);
    expect([ledger.epochChanges, ledger.unknownGaps]).toEqual([0, 0]);
    expect(ledger.statuses.filter(({ reason }) => reason === "ingestor-lost")).toEqual([]);
  });

  test("of three nats-servers one is killed: what is missed is told, for every channel", async () => {
    const cluster = await NatsCluster.start();
    const started = new Stand(cluster.asServer);
    stand = started;
    await started.ingest();
    await started.serve();
    const { ledger, viewed } = started;
    // Ingestor and gateway may be at any of them, so each is killed in turn.
    for (let node = 0; node < 3; node += 1) {
      await cluster.kill(node);
      await started.flows();
      await started.catchesUp();
      await cluster.bringBack(node);
    }
    await started.hearsEveryChannel();
    await started.catchesUp();
    expect([ledger.faults, viewed.faults]).toEqual([[], []]);
    expect([ledger.epochChanges, ledger.unknownGaps]).toEqual([0, 0]);
    expect(viewed.totals().missing).toBe(ledger.totals().missing);
  }, 180_000);

  test("an ingestor that is stopped for longer than three intervals is lost, and nothing of it", async () => {
    const { stand: it, ledger, ingest } = await start();
    const lost = it.says("ingestor-lost");
    ingest.child.kill("SIGSTOP");
    await lost;
    ingest.child.kill("SIGCONT");
    await it.flows();
    expect(ledger.faults).toEqual([]);
    expect([ledger.epochChanges, ledger.totals().missing]).toEqual([0, 0]);
  });
});
