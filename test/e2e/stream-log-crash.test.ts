import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type Client, type StreamEvent } from "@tickwire/client";
import { readBusBatch } from "@tickwire/proto/codec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JetStreamLog } from "#bus/jetstream-log.ts";
import { eventSubject } from "#bus/subject.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, startCli, type CliProcess } from "./cli-process.ts";

const SYMBOLS = ["BTC-USD", "ETH-USD"];
const CHANNELS = ["trades", "quotes", "book"] as const;
const TOPICS = SYMBOLS.flatMap((symbol) => CHANNELS.map((each) => `simulated:${symbol}/${each}`));
const WAIT_MS_MAX = 60_000;

type Position = { readonly epoch: number; readonly sequence: number };

/** Where the last batch of the topic ends that JetStream has stored. */
async function tailOf(log: JetStreamLog, topic: string): Promise<Position> {
  const [, symbol = "", channel = ""] = /^simulated:(.*)\/(.*)$/.exec(topic) ?? [];
  const name = { venue: "simulated", symbol, channel: channel as (typeof CHANNELS)[number] };
  const entry = await log.last(eventSubject(name));
  if (entry === undefined) throw new Error(`nothing is stored of ${topic}`);
  const { epoch, baseSequence, count } = readBusBatch(entry.payload);
  return { epoch, sequence: baseSequence + count };
}

/** What a client got of each topic, by epoch and in order, and what it was told. */
class Seen {
  readonly events = new Map<string, Position[]>();
  readonly gaps: string[] = [];

  take(event: StreamEvent): void {
    if (event.type === "gap") this.gaps.push(`${event.topic} ${event.missingFirst}`);
    if (!("topic" in event) || !("sequence" in event) || !("publishedTimeUs" in event)) return;
    const { topic, epoch, sequence } = event;
    this.events.set(topic, [...(this.events.get(topic) ?? []), { epoch, sequence }]);
  }

  sequences(topic: string, epoch: number): number[] {
    const all = this.events.get(topic) ?? [];
    return all.filter((each) => each.epoch === epoch).map(({ sequence }) => sequence);
  }
}

describe.skipIf(requireNatsServer() === undefined)("a publisher that is killed", () => {
  let folder: string;
  let server: NatsServer;
  let log: JetStreamLog;
  let client: Client | undefined;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "tickwire-crash-"));
    server = await startNatsServer({ args: ["-js", "-sd", folder] });
    log = new JetStreamLog({ servers: server.url, timeoutMs: 5_000 });
  });

  afterEach(async () => {
    client?.close();
    await killAll();
    await log.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (command: string, ...more: string[]): CliProcess =>
    startCli([command, "--admin-port", "0", ...more], {
      environment: {
        TICKWIRE_BUS__NATS__SERVERS: server.url,
        TICKWIRE_STREAM_LOG__KIND: "jetstream",
        // The publisher keeps nothing: what comes back comes from the log.
        TICKWIRE_INGEST__HISTORY_BYTES_MAX: "0",
      },
    });

  async function ingest(): Promise<CliProcess> {
    const started = start("ingest", "--venue", `simulated:${SYMBOLS.join(",")}`);
    await started.waitFor("stderr", /this ingestor publishes/);
    return started;
  }

  async function gateway(port: number): Promise<CliProcess> {
    const started = start("gateway", "--port", String(port));
    await started.waitFor("stderr", /gateway listens/);
    return started;
  }

  /** What an ingestor that publishes says of its readiness. */
  async function readiness(running: CliProcess): Promise<unknown> {
    const [, port] = await running.waitFor("stderr", /"port":(\d+),"msg":"admin server listens"/);
    return await (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
  }

  test("says that it is not ready while JetStream does not store what it says", async () => {
    await server.stop();
    const plain = await startNatsServer({ port: server.port });
    try {
      const running = await ingest();
      await expect
        .poll(() => readiness(running), { timeout: WAIT_MS_MAX })
        .toEqual({ ready: false, reasons: ["stream-log-not-stored"] });
    } finally {
      await plain.stop();
    }
  });

  test("leaves all that it said in the log, and a client goes on with the next one without a word lost", async () => {
    const first = await ingest();
    await expect
      .poll(() => readiness(first), { timeout: WAIT_MS_MAX })
      .toEqual({ ready: true, reasons: [] });
    const port = await findFreePort();
    const cold = await gateway(port);
    const seen = new Seen();
    client = await connect(`ws://127.0.0.1:${port}`, { reconnect: { baseMs: 20, maxMs: 200 } });
    client.subscribe(TOPICS, (event) => seen.take(event));
    const counts = () => TOPICS.map((topic) => seen.events.get(topic)?.length ?? 0);
    await expect.poll(() => Math.min(...counts()), { timeout: WAIT_MS_MAX }).toBeGreaterThan(20);
    // The client is away while the publisher says its last and is killed in the midst of it.
    await cold.stop("SIGKILL");
    const before = new Map(TOPICS.map((topic) => [topic, seen.events.get(topic)?.at(-1)]));
    const isFurther = async (topic: string): Promise<boolean> =>
      (await tailOf(log, topic)).sequence > (before.get(topic)?.sequence ?? 0) + 5;
    await expect
      .poll(async () => (await Promise.all(TOPICS.map(isFurther))).every(Boolean), {
        timeout: WAIT_MS_MAX,
      })
      .toBe(true);
    await first.stop("SIGKILL");
    const tails = new Map<string, Position>();
    for (const topic of TOPICS) tails.set(topic, await tailOf(log, topic));

    await ingest();
    await gateway(port);
    const isThere = (topic: string): boolean => {
      const { epoch } = tails.get(topic) ?? { epoch: 0 };
      return (seen.events.get(topic) ?? []).filter((each) => each.epoch !== epoch).length > 5;
    };
    await expect.poll(() => TOPICS.every(isThere), { timeout: WAIT_MS_MAX }).toBe(true);
    for (const topic of TOPICS) {
      const tail = tails.get(topic)!;
      const old = seen.sequences(topic, tail.epoch);
      const last = before.get(topic)!;
      expect([topic, last.epoch]).toEqual([topic, tail.epoch]);
      // What it missed comes from the log: up to its last word, each once, and nothing between.
      const resumed = old.filter((sequence) => sequence > last.sequence);
      const wanted = Array.from(
        { length: tail.sequence - last.sequence },
        (_, index) => last.sequence + index + 1,
      );
      expect([topic, resumed]).toEqual([topic, wanted]);
      if (!topic.endsWith("/trades")) continue;
      const [next] = (seen.events.get(topic) ?? []).filter((each) => each.epoch !== tail.epoch);
      const fresh = seen.sequences(topic, next!.epoch);
      expect([topic, fresh]).toEqual([topic, fresh.map((_, index) => index + 1)]);
    }
    expect(seen.gaps).toEqual([]);
  }, 180_000);
});
