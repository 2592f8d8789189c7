import { connect, type Client, type GatewayUrls } from "@tickwire/client";
import { afterEach, describe, expect, test } from "vitest";
import { requireHaProxy, startHaProxy } from "#test/support/haproxy.ts";
import { findLastingPort } from "#test/support/local-server.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import { OnceLedger } from "#test/support/once-ledger.ts";
import { TcpBalancer } from "#test/support/tcp-balancer.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { killAll, startCli } from "./cli-process.ts";
import type { CliProcess } from "./cli-process.ts";

/**
 * Real processes over a real nats-server: gateways that are killed, and gateways that are restarted
 * one after the other, while clients keep the books. What is waited for is an event, never a time;
 * times are upper bounds of a slow machine.
 */

const WAIT_MS_MAX = 60_000;
const CLIENTS = 30;
const CLOSES_PER_SECOND_MAX = 20;
const TOPICS = ["trades", "quotes", "book"].map((channel) => `simulated:*/${channel}`);

/** One gateway, which may be started again in its place. */
class GatewayProcess {
  readonly port: number;
  readonly adminPort: number;
  readonly #environment: Record<string, string>;
  /** Of all runs. */
  readonly logs: string[] = [];
  process!: CliProcess;

  constructor(port: number, adminPort: number, environment: Record<string, string>) {
    this.port = port;
    this.adminPort = adminPort;
    this.#environment = environment;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const ports = ["--port", String(this.port), "--admin-port", String(this.adminPort)];
    this.process = startCli(["gateway", ...ports], { environment: this.#environment });
    await this.process.waitFor("stderr", /gateway listens/);
    await until(() => this.#isReady(), "a gateway that is ready");
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const { stderr } = await this.process.stop(signal);
    this.logs.push(stderr);
  }

  async #isReady(): Promise<boolean> {
    const url = `http://127.0.0.1:${this.adminPort}/readyz`;
    const answer = await fetch(url).catch(() => undefined);
    return answer?.ok === true;
  }
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A client that keeps the books. */
class Reader {
  readonly ledger = new OnceLedger();
  readonly states: string[] = [];
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
    client.onState((state, { code }) => this.states.push(`${state} ${code}`));
    client.subscribe(TOPICS, (event) => this.ledger.take(event));
  }

  static async at(gateways: string | GatewayUrls): Promise<Reader> {
    return new Reader(await connect(gateways));
  }

  /** Waits for events that were published from now on, so that all from before have come. */
  async catchesUp(): Promise<void> {
    const nowUs = Date.now() * 1_000;
    await until(() => this.ledger.publishedTimeUs > nowUs, "what is published now");
  }

  get books() {
    const { faults, doubled, epochChanges, unknownGaps } = this.ledger;
    return { faults, doubled, epochChanges, unknownGaps, ...this.ledger.totals() };
  }
}

const WHOLE = { faults: [], doubled: 0, epochChanges: 0, unknownGaps: 0, missing: 0 };

/** The most closes that a gateway made in any second, by the times of its log. */
function busiestSecond(logs: readonly string[]): number {
  const times = logs
    .flatMap((log) => log.split("\n"))
    .filter((line) => line.includes('"session closed"') && line.includes('"by":"gateway"'))
    .map((line) => new Date((JSON.parse(line) as { time: string | number }).time).getTime())
    .toSorted((one, two) => one - two);
  return Math.max(
    0,
    ...times.map((first) => times.filter((at) => at >= first && at < first + 1_000).length),
  );
}

describe.skipIf(requireNatsServer() === undefined).each(TRANSPORTS)("over %s", (transport) => {
  const closers: (() => Promise<void> | void)[] = [];
  let environment: Record<string, string> = {};

  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
    await killAll();
  });

  async function publish(eventsPerSecond: number): Promise<void> {
    const nats = await startNatsServer();
    closers.push(() => nats.stop());
    environment = {
      TICKWIRE_BUS__NATS__SERVERS: nats.url,
      TICKWIRE_GATEWAY__TRANSPORT: transport,
      TICKWIRE_GATEWAY__LAME_DUCK_MS: "1000",
      // A test that is starved of its processor reads too slowly, which is not what is tried here.
      TICKWIRE_GATEWAY__LAG_NOTICE_MS: "60000",
      TICKWIRE_GATEWAY__LAG_MS_MAX: "120000",
      TICKWIRE_GATEWAY__DRAIN_CLOSES_PER_SECOND_MAX: String(CLOSES_PER_SECOND_MAX),
      TICKWIRE_INGEST__ANNOUNCE_INTERVAL_MS: "500",
      TICKWIRE_INGEST__VENUES: JSON.stringify([
        { id: "simulated", simulated: { seed: 5, instruments: 2, eventsPerSecond, pace: "even" } },
      ]),
    };
    const ingest = startCli(["ingest", "--admin-port", "0"], { environment });
    await ingest.waitFor("stderr", /ingesting/);
  }

  async function gateway(): Promise<GatewayProcess> {
    return new GatewayProcess(await findLastingPort(), await findLastingPort(), environment);
  }

  async function read(gateways: string | GatewayUrls, count: number): Promise<Reader[]> {
    const readers: Reader[] = [];
    for (let index = 0; index < count; index += 1) {
      const reader = await Reader.at(gateways);
      closers.push(() => reader.client.close());
      readers.push(reader);
    }
    for (const { ledger } of readers) {
      await until(() => ledger.totals().delivered > 200, "the market");
    }
    return readers;
  }

  test.each(["warm", "cold", "started afterwards"])(
    "a gateway that is killed under load is followed by one that is %s, and nothing is lost",
    async (kind) => {
      await publish(200);
      const [first, second] = [await gateway(), await gateway()];
      await first.start();
      if (kind !== "started afterwards") await second.start();
      if (kind === "warm") await read(second.url, 1);
      const readers = await read({ urls: [first.url, second.url] }, 3);
      await first.stop("SIGKILL");
      if (kind === "started afterwards") await second.start();
      for (const reader of readers) await reader.catchesUp();
      for (const { client, books, states } of readers) {
        expect(client.url).toBe(`${second.url}/v1/ws`);
        expect(states).toContain("reconnecting connection-lost");
        expect(books).toMatchObject(WHOLE);
      }
    },
    120_000,
  );

  test.each([
    [
      "a TCP proxy",
      (ports: readonly GatewayProcess[]) => TcpBalancer.open(ports.map(({ port }) => port)),
    ],
    ["HAProxy", startHaProxy],
  ] as const)(
    "gateways behind %s that are restarted one by one lose nothing",
    async (name, open) => {
      if (name === "HAProxy" && requireHaProxy() === undefined) return;
      await publish(20);
      const gateways = [await gateway(), await gateway()];
      for (const each of gateways) await each.start();
      const balancer = await open(gateways);
      closers.push(() => balancer.close());
      const readers = await read(`ws://127.0.0.1:${balancer.port}`, CLIENTS);
      for (const each of gateways) {
        await each.stop("SIGTERM");
        await each.start();
      }
      for (const reader of readers) await reader.catchesUp();
      for (const { books, states } of readers) {
        expect(books).toMatchObject(WHOLE);
        // Never without a connection.
        expect(new Set(states)).toEqual(new Set(["connected moved"]));
      }
      for (const { logs } of gateways) {
        expect(logs.join("")).toContain("gateway has drained");
        expect(busiestSecond(logs)).toBeLessThanOrEqual(CLOSES_PER_SECOND_MAX);
      }
    },
    150_000,
  );
});
