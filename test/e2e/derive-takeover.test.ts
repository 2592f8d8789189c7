import { connect, type StreamEvent } from "@tickwire/client";
import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { JetStreamLog } from "#bus/jetstream-log.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { deriveConfig } from "#derive/config.ts";
import { startDerive } from "#derive/main.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import { ingestConfig } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import { StreamKeeper } from "#publish/stream-keeper.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import {
  NATS_PASSWORDS,
  startAccountsServer,
  type AccountsServer,
} from "#test/support/nats-accounts.ts";
import { requireNatsServer } from "#test/support/nats-server.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";

const WAIT_MS_MAX = 60_000;
const INTERVAL_MS = 10_000;
const SETTINGS = { storage: "file", replicas: 1, bytesMax: 1e8, ageMsMax: 3_600_000 } as const;
const CHANNELS = ["/quotes", "/book", "/candles"];
const TOPICS = [
  "consolidated:BTC-USD/quotes",
  "consolidated:BTC-USD/book",
  "simulated-derived:BTC-USD/candles",
];

/** What a client gets of derived topics. */
class Heard {
  readonly ledger = new StreamLedger();
  readonly candles: Extract<StreamEvent, { readonly type: "candle" }>[] = [];

  take(event: StreamEvent): void {
    this.ledger.take(event);
    if (event.type === "candle") this.candles.push(event);
  }

  /** Tells whether more has come of each of the topics since it was asked for. */
  moving(): () => boolean {
    const counts = (): number[] => CHANNELS.map((channel) => this.ledger.totals(channel).delivered);
    const from = counts();
    return () => counts().every((count, index) => count > from[index]! + 3);
  }
}

describe.skipIf(requireNatsServer() === undefined)("derivers, with the rights of one", () => {
  const clock = new SystemClock();
  const closing: (() => Promise<void>)[] = [];
  const refusals: string[] = [];
  const said: { readonly who: string; readonly message: string }[] = [];
  let server: AccountsServer;

  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
    await server.stop();
    said.length = 0;
    refusals.length = 0;
  });

  async function connectAs(user: string, pass: string): Promise<Bus> {
    const onServerError = (error: Error): void => void refusals.push(String(error));
    const bus = await connectNatsBus({ servers: server.url, user, pass, onServerError });
    closing.push(() => bus.close());
    return bus;
  }

  const loggerOf = (who: string) => {
    const say = (_fields: object, message: string): void => void said.push({ who, message });
    return { debug() {}, info: say, warn: say, error: say };
  };
  const hears = (who: string, message: string): Promise<unknown> =>
    expect
      .poll(() => said.some((each) => each.who === who && each.message.includes(message)), {
        timeout: WAIT_MS_MAX,
      })
      .toBe(true);

  async function ingest(): Promise<void> {
    const bus = await connectAs("ingest-simulated", NATS_PASSWORDS.ingest);
    const options = { servers: server.url, user: "ingest-simulated", pass: NATS_PASSWORDS.ingest };
    const log = new JetStreamLog({ ...options, timeoutMs: 5_000 });
    const logger = loggerOf("ingest");
    const venues = ["simulated"];
    const keeper = new StreamKeeper({ log, clock, logger, venues, settings: SETTINGS });
    closing.push(() => log.close());
    keeper.start();
    closing.push(async () => keeper.close());
    await hears("ingest", "JetStream keeps what is published");
    const simulated = { seed: 3, instruments: 2, perpetuals: 0, eventsPerSecond: 200 };
    // It keeps next to no trades: what was before comes from the log.
    const given = { venues: [{ id: "simulated" as const, simulated }], recentTradesMax: 1 };
    const config = ingestConfig({ ...given, drainTimeoutMs: 0 });
    const parts = { bus, clock, logger, config, registry: new Registry() };
    const started = await startIngest(parts);
    closing.push(() => started.close());
  }

  /** A gateway, and a client that gets what is derived. */
  async function serve(take: (event: StreamEvent) => void): Promise<void> {
    const bus = await connectAs("gateway", NATS_PASSWORDS.gateway);
    // This process reads late when the machine is busy, and nothing is to be left out for it.
    const patience = { lagNoticeMs: WAIT_MS_MAX, lagMsMax: WAIT_MS_MAX * 2 };
    const gateway = await startGateway({
      config: gatewayConfig({ port: 0, ...patience }),
      bus,
      clock,
      logger: loggerOf("gateway"),
      registry: new Registry(),
      serverVersion: "0.0.0",
    });
    closing.push(() => gateway.close({ graceMs: 0 }));
    await expect.poll(() => gateway.notReadyReasons(), { timeout: WAIT_MS_MAX }).toEqual([]);
    const client = await connect(`ws://127.0.0.1:${gateway.port}`);
    closing.push(async () => client.close());
    client.subscribe(TOPICS, take);
  }

  /** Starts one, and returns what takes it from the world without a word. */
  async function derive(who: string): Promise<() => Promise<void>> {
    const bus = await connectAs("derive", NATS_PASSWORDS.derive);
    const options = { servers: server.url, user: "derive", pass: NATS_PASSWORDS.derive };
    const log = new JetStreamLog({ ...options, timeoutMs: 5_000 });
    closing.push(() => log.close());
    const config = deriveConfig({
      candles: { intervalsMs: [INTERVAL_MS], updateIntervalMs: 250 },
      consolidated: [{ symbol: "BTC-USD" }],
      sharedPairsMax: 0,
    });
    const parts = { bus, log, clock, logger: loggerOf(who), config, registry: new Registry() };
    const started = await startDerive(parts);
    closing.push(() => started.close());
    return () => bus.close();
  }

  test("one takes over from the other without a break, and one that is started anew counts whole candles", async () => {
    server = await startAccountsServer();
    await ingest();
    const candleNow = (): number => Math.floor(clock.nowUs() / 1_000 / INTERVAL_MS);
    const firstInLog = candleNow();
    const heard = new Heard();
    const killFirst = await derive("one");
    await serve((event) => heard.take(event));
    await expect.poll(heard.moving(), { timeout: WAIT_MS_MAX, interval: 50 }).toBe(true);
    const killSecond = await derive("two");
    await hears("two", "everything that the other ingestor publishes is known here");
    await expect.poll(heard.moving(), { timeout: WAIT_MS_MAX, interval: 50 }).toBe(true);
    await killFirst();
    const { ledger } = heard;
    const next = (): number => ledger.continuations;
    await expect.poll(next, { timeout: WAIT_MS_MAX }).toBe(TOPICS.length);
    await expect.poll(heard.moving(), { timeout: WAIT_MS_MAX, interval: 50 }).toBe(true);
    expect([ledger.faults, ledger.epochChanges, ledger.unknownGaps]).toEqual([[], 0, 0]);
    // In the middle of a candle that the log has from its start all are gone, and one begins anew.
    const inCandle = (): number => (clock.nowUs() / 1_000) % INTERVAL_MS;
    const isMidway = (): boolean =>
      candleNow() > firstInLog && inCandle() > 3_000 && inCandle() < 6_000;
    await expect.poll(isMidway, { timeout: WAIT_MS_MAX, interval: 50 }).toBe(true);
    await killSecond();
    heard.candles.length = 0;
    await derive("three");
    const isClosed = (): boolean => heard.candles.some(({ closed }) => closed);
    await expect.poll(isClosed, { timeout: WAIT_MS_MAX }).toBe(true);
    // That of its start as well as those that came after it.
    expect(heard.candles.filter(({ incomplete }) => incomplete !== false)).toEqual([]);
    expect(refusals).toEqual([]);
  }, 240_000);
});
