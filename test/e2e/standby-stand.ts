import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Client } from "@tickwire/client";
import { OVERLAP_MS_MIN } from "#publish/standby/event-matcher.ts";
import { startMarketServer } from "#test/support/market-server.ts";
import type { MarketServer } from "#test/support/market-server.ts";
import { startNatsServer } from "#test/support/nats-server.ts";
import type { NatsServer } from "#test/support/nats-server.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";
import { TradeLedger } from "#test/support/trade-ledger.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, startCli } from "./cli-process.ts";
import type { CliProcess } from "./cli-process.ts";

/** What is waited for is an event, never a time; this is the upper bound of a slow machine. */
const WAIT_MS_MAX = 60_000;
const TOPICS = ["trades", "quotes", "book", "ticker", "candles", "status", "mark-price"].map(
  (channel) => `simulated:*/${channel}`,
);

/** Moves the clock of a process by so many milliseconds. */
export function clockOff(offsetMs: number): Record<string, string> {
  const code = `const now = Date.now; Date.now = () => now() + ${offsetMs};`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
}

type StandOptions = {
  /** A lease decides who publishes. */
  readonly jetstream: boolean;
  /** Servers of a cluster; one alone if absent. */
  readonly nodes?: number;
};

/**
 * One market, several ingestors that are real processes, a real nats-server, a gateway, and a
 * client that keeps the books.
 */
export class StandbyStand {
  readonly nodes: readonly NatsServer[];
  /** The first of them. */
  readonly nats: NatsServer;
  readonly market: MarketServer;
  readonly ledger = new StreamLedger();
  readonly trades = new TradeLedger();
  gateway!: CliProcess;
  client!: Client;
  readonly #storePath: string | undefined;

  static async start(options: StandOptions): Promise<StandbyStand> {
    const path = options.jetstream ? mkdtempSync(join(tmpdir(), "standby-")) : undefined;
    const nodes = await startNodes(options.nodes ?? 1, path);
    const market = await startMarketServer({
      seed: 5,
      instruments: 6,
      perpetuals: 3,
      eventsPerSecond: 100,
      pace: "even",
    });
    return new StandbyStand(nodes, market, path);
  }

  private constructor(
    nodes: readonly [NatsServer, ...NatsServer[]],
    market: MarketServer,
    storePath: string | undefined,
  ) {
    this.nodes = nodes;
    this.nats = nodes[0];
    this.market = market;
    this.#storePath = storePath;
  }

  get #servers(): string {
    return this.nodes.map(({ url }) => url).join(",");
  }

  /** Starts an ingestor, which publishes or stands by. */
  async ingest(environment: Record<string, string> = {}, shard?: string): Promise<CliProcess> {
    const { endpoints } = this.market;
    const venue = { id: "simulated", endpoints, ...(shard === undefined ? {} : { shard }) };
    const ingest = startCli(["ingest", "--admin-port", "0"], {
      environment: {
        TICKWIRE_BUS__NATS__SERVERS: this.#servers,
        TICKWIRE_INGEST__STANDBY__LEASE_REPLICAS: String(this.nodes.length),
        TICKWIRE_INGEST__VENUES: JSON.stringify([venue]),
        ...environment,
      },
    });
    await ingest.waitFor("stderr", /"ingesting"/);
    return ingest;
  }

  /** Starts one that publishes, a gateway with a client, and one that stands by. */
  async run(environment: {
    readonly leader?: Record<string, string>;
    readonly standby?: Record<string, string>;
  }): Promise<{ readonly leader: CliProcess; readonly standby: CliProcess }> {
    const leader = await this.ingest(environment.leader);
    await leader.waitFor("stderr", /this ingestor publishes/);
    await this.serve();
    const standby = await this.ingest(environment.standby);
    await this.ready(standby);
    return { leader, standby };
  }

  /** Waits until what an ingestor that stands by would do at a takeover is proven. */
  async ready(standby: CliProcess): Promise<void> {
    await standby.waitFor("stderr", /everything that the other ingestor publishes is known here/);
    await pause(OVERLAP_MS_MIN * 2);
    await this.flows(3_000);
  }

  async serve(): Promise<void> {
    const port = await findFreePort();
    this.gateway = startCli(["gateway", "--port", String(port), "--admin-port", "0"], {
      environment: {
        TICKWIRE_BUS__NATS__SERVERS: this.#servers,
        // This process reads late when the machine is busy, and nothing is to be left out for it.
        TICKWIRE_GATEWAY__LAG_NOTICE_MS: String(WAIT_MS_MAX),
        TICKWIRE_GATEWAY__LAG_MS_MAX: String(WAIT_MS_MAX * 2),
      },
    });
    await this.gateway.waitFor("stderr", /gateway listens/);
    this.client = await connect(`ws://127.0.0.1:${port}`);
    this.client.subscribe(TOPICS, (event) => {
      this.ledger.take(event);
      this.trades.take(event);
    });
    await this.until(() => this.ledger.totals().delivered > 500, "the market");
  }

  /** Waits until so many more events have come. */
  async flows(more = 2_000): Promise<void> {
    const before = this.ledger.totals().delivered;
    await this.until(() => this.ledger.totals().delivered > before + more, "more events");
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

  async close(): Promise<void> {
    this.client?.close();
    await killAll();
    for (const node of this.nodes) await node.stop();
    await this.market.close();
    if (this.#storePath !== undefined) rmSync(this.#storePath, { recursive: true, force: true });
  }
}

async function startNodes(
  count: number,
  storePath: string | undefined,
): Promise<[NatsServer, ...NatsServer[]]> {
  const routePorts: number[] = [];
  for (let index = 0; index < count; index += 1) routePorts.push(await findFreePort());
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`);
  const start = (index: number): Promise<NatsServer> => {
    const name = `node-${index}`;
    const store = storePath === undefined ? [] : ["-js", "-sd", join(storePath, name)];
    const cluster = ["-cluster_name", "standby", "-cluster", routes[index] ?? ""];
    const joined = count === 1 ? [] : [...cluster, "-routes", routes.join(",")];
    return startNatsServer({ args: ["-n", name, ...store, ...joined] });
  };
  const first = await start(0);
  const rest: NatsServer[] = [];
  for (let index = 1; index < count; index += 1) rest.push(await start(index));
  return [first, ...rest];
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
