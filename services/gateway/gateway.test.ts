import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BusEvent } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { FakeConnection } from "#test/support/fake-connection.ts";
import { resumeParts } from "#test/support/resume-parts.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { Access } from "./access/access.ts";
import { Looks } from "./access/looks.ts";
import type { Credentials } from "./access/credentials.ts";
import { Catalog } from "./catalog/catalog.ts";
import { gatewayConfig } from "./config.ts";
import { Gateway } from "./gateway.ts";
import { createGatewayMetrics } from "./metrics.ts";
import { createMarketData } from "./rpc/router.ts";
import { InboxSpace } from "./session/frame-inbox.ts";
import { SubscriptionTable } from "./session/topic-subscription.ts";
import { PrincipalAccounts } from "./session/principal-accounts.ts";
import { Flusher } from "./session/outbound/flusher.ts";
import { Hub } from "./topics/hub.ts";
import { Turns } from "./turns/turns.ts";
import type { HttpRequest, TransportHandler, UpgradeRequest } from "./transport/transport.ts";

let clock: ManualClock;
let registry: Registry;
let bus: MemoryBus;
let busListeners: Set<(event: BusEvent) => void>;
let log: string[];
let gateway: Gateway;
let fails: Error | undefined;
let served: TransportHandler<Credentials> | undefined;
/** What an HTTP request waits for. */
let answering: Promise<void>;

beforeEach(async () => {
  clock = new ManualClock();
  registry = new Registry();
  bus = new MemoryBus({ clock });
  busListeners = new Set();
  log = [];
  fails = undefined;
  answering = Promise.resolve();
  const write = (_: object, message: string): void => void log.push(message);
  const logger = { debug: write, info: write, warn: write, error: write };
  const config = gatewayConfig({
    drainWindowMs: 1_000,
    drainClosesPerSecondMax: 3,
    lameDuckMs: 3_000,
  });
  const metrics = createGatewayMetrics(registry);
  const parts = { bus, clock, logger, metrics };
  const scheduler = { endOfTurn: () => {} };
  const turns = new Turns({ clock, scheduler });
  const catalog = new Catalog({ ...parts, turns, limits: config });
  const access = await Access.open({ ...parts, config: config.access, allowAnonymous: false });
  gateway = new Gateway({
    bus: Object.assign(Object.create(bus) as MemoryBus, {
      onEvent: (listener: (event: BusEvent) => void) => {
        busListeners.add(listener);
        return () => busListeners.delete(listener);
      },
    }),
    idSuffix: "",
    sessionParts: {
      config,
      clock,
      logger,
      metrics,
      catalog,
      looks: new Looks({ clock, metrics }),
      hub: new Hub({
        ...parts,
        turns,
        scheduler,
        catalog,
        random: () => 0.5,
        limits: config,
        resume: resumeParts(),
      }),
      flusher: new Flusher({ clock, scheduler, flushIntervalMsMax: 0, metrics }),
      services: createMarketData({
        looks: new Looks({ clock, metrics }),
        bus,
        clock,
        catalog,
        metrics,
        log: undefined,
        queryTimeoutMs: 1_000,
        replaysMax: 2,
      }),
      turns,
      inboxSpace: new InboxSpace(metrics),
      table: new SubscriptionTable({ metrics }),
      serverVersion: "1.2.3",
      access,
      accounts: new PrincipalAccounts(metrics),
      gatewayId: "gateway-1",
    },
    stateOf: () => ({ name: "gateway", summary: () => Promise.resolve({}), pages: new Map() }),
    access,
    http: {
      serve: () => answering.then(() => ({ status: 200, headers: { "x-a": "b" }, body: "" })),
    },
    openTransport: (handler: TransportHandler<Credentials>) => {
      if (fails !== undefined) return Promise.reject(fails);
      served = handler;
      return Promise.resolve({
        kind: "node",
        address: "127.0.0.1",
        port: 4321,
        sockets: 3,
        stopListening: () => void log.push("stops listening"),
        reloadTls: () => void log.push("certificate read"),
        close: async () => void log.push("transport closed"),
        abandon: () => void log.push("transport abandoned"),
      });
    },
  });
});

afterEach(() => bus.close());

const CREDENTIALS = { secret: undefined, certificate: undefined, remoteAddress: "192.0.2.7" };

function connect(): FakeConnection {
  const connection = new FakeConnection();
  const context = {
    principal: CREDENTIALS,
    remoteAddress: "192.0.2.7",
    subprotocol: "tickwire.v1",
  };
  connection.handler = gateway.onConnection(connection, context);
  return connection;
}

async function metric(name: string): Promise<number> {
  const read = await registry.getSingleMetric(name)?.get();
  return (read?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

const headers = new Map([["host", "127.0.0.1:8080"]]);

const offer = (...subprotocols: string[]) =>
  gateway.onUpgrade({
    subprotocols,
    remoteAddress: "192.0.2.7",
    headers,
  } as unknown as UpgradeRequest);

const ask = (method: string, more: Record<string, string> = {}) =>
  gateway.onHttp({
    method,
    query: "",
    headers: new Map([...headers, ...Object.entries(more)]),
  } as unknown as HttpRequest);

describe("a gateway", () => {
  test("says where it listens", async () => {
    await gateway.listen();
    expect(served).toBe(gateway);
    const { address, port, transportKind } = gateway;
    expect([address, port, transportKind]).toEqual(["127.0.0.1", 4321, "node"]);
    expect(log).toEqual(["gateway listens"]);
  });

  test("that cannot listen says why and holds on to nothing", async () => {
    fails = new Error("the address is in use");
    await expect(gateway.listen()).rejects.toThrow("the address is in use");
    expect(busListeners.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("accepts clients that offer its subprotocol, and tells others which it speaks", async () => {
    expect(offer("other", "tickwire.v1")).toEqual({
      kind: "accept",
      context: { principal: CREDENTIALS, remoteAddress: "192.0.2.7", subprotocol: "tickwire.v1" },
    });
    expect(offer("other")).toMatchObject({
      kind: "refuse",
      response: { status: 400, body: expect.stringContaining("offered: other") },
    });
    expect(offer()).toMatchObject({
      response: { body: expect.stringContaining("offered: none") },
    });
    expect(await metric("tickwire_gateway_upgrades_refused_total")).toBe(2);
  });

  test("answers nobody who takes it for another host, and no page of a foreign origin", async () => {
    headers.set("host", "evil.example");
    expect(offer("tickwire.v1")).toMatchObject({ response: { status: 421 } });
    expect(await ask("POST")).toMatchObject({ status: 421 });
    headers.set("host", "127.0.0.1:8080");
    headers.set("origin", "https://evil.example");
    expect(offer("tickwire.v1")).toMatchObject({ response: { status: 403 } });
    expect(await ask("POST")).toMatchObject({ status: 403 });
    headers.delete("origin");
    expect(await metric("tickwire_gateway_origins_refused_total")).toBe(4);
    expect(await metric("tickwire_gateway_upgrades_refused_total")).toBe(2);
  });

  test("lets pages of its own origin read what it answers, and answers their preflights", async () => {
    const origin = "http://127.0.0.1:8080";
    expect(await ask("POST", { origin })).toEqual({
      status: 200,
      headers: expect.objectContaining({ "x-a": "b", "access-control-allow-origin": origin }),
      body: "",
    });
    const preflight = { origin, "access-control-request-method": "POST" };
    expect((await ask("OPTIONS", preflight)).status).toBe(204);
    expect((await ask("OPTIONS")).status).toBe(200);
  });

  test("counts what its transport refuses, by limit", async () => {
    gateway.onRefused("bodyBytesMax");
    gateway.onRefused("connectionsMax");
    expect(await metric("tickwire_gateway_limits_exceeded_total")).toBe(2);
    expect(await metric("tickwire_gateway_upgrades_refused_total")).toBe(1);
  });

  test("counts the sessions that it has", async () => {
    const [first] = [connect(), connect()];
    expect([gateway.sessions, await metric("tickwire_gateway_connections")]).toEqual([2, 2]);
    first.goAway();
    expect([gateway.sessions, await metric("tickwire_gateway_connections")]).toEqual([1, 1]);
    expect(await metric("tickwire_gateway_connections_total")).toBe(2);
  });

  test.each<[BusEvent["kind"], BusEvent]>([
    ["disconnected", { kind: "disconnected", reason: "test" }],
    ["closed", { kind: "closed" } as BusEvent],
  ])("is not ready while the bus is %s", (_, event) => {
    for (const listener of busListeners) listener(event);
    expect(gateway.notReadyReasons()).toEqual(["bus-disconnected", "no-catalog"]);
    for (const listener of busListeners) listener({ kind: "reconnected" });
    expect(gateway.notReadyReasons()).toEqual(["no-catalog"]);
  });
});

describe("a gateway that closes", () => {
  /** For as long as load balancers need to notice, it is not ready and serves as before. */
  async function serveAsLameDuck(): Promise<void> {
    clock.advance(2_999);
    await nextTurn();
    expect(gateway.notReadyReasons()).toContain("draining");
    expect(log).not.toContain("stops listening");
    expect(offer("tickwire.v1")).toMatchObject({ kind: "accept" });
    clock.advance(1);
    await nextTurn();
  }

  test("stops listening, empties itself, then leaves the bus and closes the transport", async () => {
    await gateway.listen();
    const clients = [connect(), connect()];
    log.length = 0;
    const closing = gateway.close({ graceMs: 8_000 });
    expect(gateway.close({ graceMs: 1 })).toBe(closing);
    await serveAsLameDuck();
    expect(log).toEqual(["gateway is about to drain", "gateway drains", "stops listening"]);
    expect(gateway.notReadyReasons()).toContain("draining");
    expect(offer("tickwire.v1")).toMatchObject({ kind: "refuse", response: { status: 503 } });
    // Told half a second apart, and closed as they were told.
    clock.advance(1_499);
    await nextTurn();
    expect([gateway.sessions, busListeners.size]).toEqual([1, 1]);
    clock.advance(1);
    await closing;
    expect(log.filter((line) => line !== "session closed").slice(3)).toEqual([
      "gateway has drained",
      "transport closed",
      "gateway closed",
    ]);
    expect(clients.map(({ ends }) => ends)).toEqual([
      ["4000 the gateway is shutting down"],
      ["4000 the gateway is shutting down"],
    ]);
    expect([gateway.sessions, busListeners.size, clock.pending]).toEqual([0, 0, 0]);
  });

  test("answers the HTTP requests that it has, and keeps no connection", async () => {
    await gateway.listen();
    let answer = (): void => {};
    answering = new Promise((resolve) => {
      answer = resolve;
    });
    const asked = ask("POST");
    const closing = gateway.close({ graceMs: 8_000 });
    await serveAsLameDuck();
    clock.advance(4_000);
    await nextTurn();
    expect(log).not.toContain("transport closed");
    answer();
    expect((await asked).headers).toMatchObject({ connection: "close" });
    clock.advance(250);
    await closing;
    expect([log.at(-1), clock.pending]).toEqual(["gateway closed", 0]);
  });

  test("without clients is closed at once", async () => {
    await gateway.listen();
    const closing = gateway.close({ graceMs: 5_000 });
    await serveAsLameDuck();
    await closing;
    expect(log.at(-1)).toBe("gateway closed");
  });
});
