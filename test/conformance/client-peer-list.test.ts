import { setTimeout as pause } from "node:timers/promises";
import { connect, type Client, type ConnectOptions, type NoticeEvent } from "@tickwire/client";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
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
import { TRANSPORTS } from "#test/support/transports.ts";

// What the tests of a well-known streaming client try, by their names, on both buses and both
// transports, with the simulated market in place of a server of the test's own.

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const TRADES = "simulated:BTC-USD";
const QUICK = { baseMs: 20, maxMs: 100 };

requireNatsServer();

describe.each(["memory", "nats"] as const)("on the bus in %s", (busKind) => {
  const cleanups: (() => Promise<void> | void)[] = [];
  let buses: readonly [ingest: Bus, gateway: Bus];
  let ingest: { close(): Promise<void> };

  beforeAll(async () => {
    buses = await openBuses();
    await beginIngest(7);
  });

  afterAll(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function openBuses(): Promise<readonly [Bus, Bus]> {
    if (busKind === "memory") {
      const bus = new MemoryBus({ clock: new SystemClock() });
      cleanups.push(() => bus.close());
      return [bus, bus];
    }
    const server = await startNatsServer();
    cleanups.push(() => server.stop());
    const one = await connectNatsBus({ servers: server.url });
    const other = await connectNatsBus({ servers: server.url });
    cleanups.push(
      () => one.close(),
      () => other.close(),
    );
    return [one, other];
  }

  async function beginIngest(seed: number): Promise<void> {
    const simulated = { seed, instruments: 3, eventsPerSecond: 200 };
    const started = await startIngest({
      config: ingestConfig({
        venues: [{ id: "simulated", simulated }],
        announceIntervalMs: 200,
        drainTimeoutMs: 100,
      }),
      bus: buses[0],
      clock: new SystemClock(),
      logger: SILENT,
      registry: new Registry(),
    });
    ingest = started;
    cleanups.push(() => started.close());
    await started.whenStarted;
  }

  describe.each(TRANSPORTS)("over %s", (transport) => {
    let gateway: RunningGateway;
    let registry: Registry;
    let client: Client;
    /** Every socket that the client made, the newest last. */
    let sockets: WebSocket[];

    beforeAll(async () => {
      registry = new Registry();
      gateway = await startGateway({
        config: gatewayConfig({ port: 0, transport, lameDuckMs: 0, drainWindowMs: 0 }),
        bus: buses[1],
        clock: new SystemClock(),
        logger: SILENT,
        registry,
      });
    });

    afterEach(() => {
      client.close();
    });

    afterAll(() => gateway.close({ graceMs: 0 }));

    async function open(options: ConnectOptions = {}): Promise<void> {
      sockets = [];
      const made = sockets;
      class Seen extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          made.push(this);
        }
      }
      client = await connect(`ws://127.0.0.1:${gateway.port}`, {
        webSocket: Seen as never,
        reconnect: QUICK,
        ...options,
      });
    }

    const cut = (): void => sockets.at(-1)?.terminate();

    /** Cuts the connection, and waits until the client knows. */
    async function lose(): Promise<void> {
      const lost = new Promise<void>((resolve) => {
        const stop = client.onState((state) => {
          if (state !== "reconnecting") return;
          stop();
          resolve();
        });
      });
      cut();
      await lost;
    }

    async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
      while (!(await isSo())) await pause(5);
    }

    async function metric(name: string): Promise<number> {
      const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
      return values.reduce((sum, { value }) => sum + value, 0);
    }

    test("connect and disconnect in a loop", async () => {
      for (let round = 0; round < 20; round += 1) {
        await open();
        expect(client.state).toBe("connected");
        client.close();
        expect(client.state).toBe("closed");
      }
      await until(async () => (await metric("tickwire_gateway_connections")) === 0);
    });

    test("subscribe and unsubscribe in a loop", async () => {
      await open();
      for (let round = 0; round < 20; round += 1) {
        const [event] = await firstOf(client.quotes(TRADES), 1);
        expect(event?.symbol).toBe("BTC-USD");
      }
      await until(async () => (await metric("tickwire_gateway_subscriptions")) === 0);
      expect(client.counters).toMatchObject({ gaps: 0, unknownTopicBatches: 0 });
    });

    test("unsubscribe between the request to subscribe and its answer", async () => {
      await open();
      for (let round = 0; round < 20; round += 1) {
        const stream = client.trades(TRADES);
        await Promise.resolve();
        stream.close();
      }
      expect(await firstOf(client.trades(TRADES), 3)).toHaveLength(3);
      await until(async () => (await metric("tickwire_gateway_subscriptions")) === 0);
    });

    test("unsubscribe between the dial and its answer", async () => {
      await open();
      await lose();
      const stream = client.trades(TRADES);
      await until(() => sockets.length === 2);
      stream.close();
      await until(() => client.state === "connected");
      expect(await firstOf(client.trades(TRADES), 3)).toHaveLength(3);
    });

    test("reconnect after a close before the transport is open", async () => {
      await open();
      const trades = client.trades(TRADES);
      cut();
      for (const attempt of [2, 3, 4]) {
        await until(() => sockets.length === attempt);
        cut();
      }
      expect(await firstOf(trades, 3)).toHaveLength(3);
    });

    test("a call waits for the connection", async () => {
      await open();
      await lose();
      const { serverTimeUs } = await client.rpc.getServerTime({});
      expect(serverTimeUs).toBeGreaterThan(0);
      await expect(client.rpc.getServerTime({}, { timeoutMs: 5_000 })).resolves.toBeDefined();
    });

    test("a call that waits is aborted, or its time is over", async () => {
      await open({ reconnect: { baseMs: 600_000, maxMs: 600_000 } });
      await lose();
      const abort = new AbortController();
      const aborted = client.rpc.getServerTime({}, { signal: abort.signal });
      const late = client.rpc.getServerTime({}, { timeoutMs: 20 });
      abort.abort();
      await expect(aborted).rejects.toMatchObject({ code: "cancelled", sent: false });
      await expect(late).rejects.toMatchObject({ code: "deadline-exceeded", sent: false });
    });

    test("the host's word that the network is back is followed by a connection", async () => {
      const target = new EventTarget();
      Object.assign(globalThis, {
        addEventListener: target.addEventListener.bind(target),
        removeEventListener: target.removeEventListener.bind(target),
      });
      try {
        await open({ reconnect: { baseMs: 20, maxMs: 600_000 }, pingIntervalMs: 0 });
        await lose();
        target.dispatchEvent(new Event("offline"));
        target.dispatchEvent(new Event("online"));
        await until(() => client.state === "connected");
        await expect(client.rpc.getServerTime({})).resolves.toBeDefined();
      } finally {
        Reflect.deleteProperty(globalThis, "addEventListener");
        Reflect.deleteProperty(globalThis, "removeEventListener");
      }
    });

    test("what was missed comes after a reconnect, each once and as differences go on", async () => {
      await open();
      const notices: NoticeEvent[] = [];
      const onNotice = (notice: NoticeEvent) => void notices.push(notice);
      const stream = client.bookEvents(TRADES, { onNotice, overflow: "error" });
      const sequences: number[] = [];
      for await (const { sequence, initial } of stream) {
        if (!initial) sequences.push(sequence);
        if (sequences.length % 40 === 20) cut();
        if (sequences.length === 120) break;
      }
      const first = sequences[0]!;
      expect(sequences).toEqual(sequences.map((_, index) => first + index));
      expect(notices.filter(({ type }) => type === "gap")).toEqual([]);
      // Events that had come already may outlast a cut, and one cut another.
      const stats = client.stats();
      expect(stats).toMatchObject({ replacements: 0, missingEvents: 0 });
      expect(stats.reconnects).toBeGreaterThan(0);
    });

    test("topics have other numbers after a reconnect, and events find their own", async () => {
      await open();
      const first = client.trades("simulated:*");
      await firstOf(client.quotes("simulated:*"), 3);
      await lose();
      const quotes = await firstOf(client.quotes("simulated:ETH-USD"), 5);
      expect(new Set(quotes.map(({ topic }) => topic))).toEqual(
        new Set(["simulated:ETH-USD/quotes"]),
      );
      const trades = await firstOf(first, 20);
      expect(trades.every(({ topic, symbol }) => topic === `simulated:${symbol}/trades`)).toBe(
        true,
      );
      expect(client.counters.unknownTopicBatches).toBe(0);
    });

    test("a function that fails to give a token is asked again before each connection", async () => {
      let asked = 0;
      let fails = true;
      const token = (): Promise<string> => {
        asked += 1;
        return fails ? Promise.reject(new Error("no network")) : Promise.resolve("");
      };
      await expect(open({ token })).rejects.toMatchObject({
        name: "ConnectionError",
        code: "unauthenticated",
        retryable: true,
        message: "no token could be had: no network",
      });
      expect(asked).toBe(1);
      const opening = open({ token, waitForFirstConnect: true });
      await until(() => asked > 3);
      fails = false;
      await opening;
      const before = asked;
      await lose();
      fails = true;
      await until(() => asked > before + 2);
      expect(client.state).toBe("reconnecting");
      fails = false;
      await client.whenConnected();
      await firstOf(client.trades(TRADES), 2);
    });

    test("batches of ids that nobody has are dropped and counted, and cost the others nothing", async () => {
      await open();
      const trades = client.trades(TRADES);
      await firstOf(client.quotes(TRADES), 2);
      // A batch of the topic 60000, which says nothing else.
      const stray = Uint8Array.of(0x12, 4, 8, 0xe0, 0xd4, 3);
      const before = client.counters.events;
      for (let time = 0; time < 3; time++) sockets.at(-1)?.emit("message", stray, true);
      expect(client.counters.unknownTopicBatches).toBe(3);
      await until(() => client.counters.events > before + 5);
      expect(client.counters.gaps).toBe(0);
      expect(client.state).toBe("connected");
      trades.close();
    });

    test("a position that cannot be recovered is replaced, and said to be", async () => {
      await open();
      const notices: NoticeEvent[] = [];
      client.onTrades(TRADES, () => undefined, {
        onNotice: (notice) => void notices.push(notice),
      });
      await until(() => client.counters.events > 3);
      cut();
      await ingest.close();
      await beginIngest(8);
      const isReplaced = (notice: NoticeEvent) =>
        notice.type === "continuity" && notice.continuity === "replaced";
      await until(() => notices.some(isReplaced));
      const before = client.counters.events;
      await until(() => client.counters.events > before);
      expect(notices.filter(isReplaced)).toHaveLength(1);
    });
  });
});

/** So many events of a stream, which ends with them. */
async function firstOf<T>(stream: AsyncIterable<T>, count: number): Promise<T[]> {
  const events: T[] = [];
  for await (const event of stream) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}
