import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { freePort } from "#test/support/local-server.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import type { Bus, BusEvent } from "./bus.ts";
import { connectNatsBus, type NatsBusOptions } from "./nats-bus.ts";

const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Resolves at the next event of this kind. */
function next(bus: Bus, kind: BusEvent["kind"]): Promise<BusEvent> {
  return new Promise((resolve) => {
    const stop = bus.onEvent((event) => {
      if (event.kind !== kind) return;
      stop();
      resolve(event);
    });
  });
}

/** Publishes kilobytes until the bus refuses; undefined if it takes `countMax`. */
function fillUp(
  bus: Bus,
  subject: string,
  countMax: number,
): { count: number; error: Error } | undefined {
  const payload = new Uint8Array(1_024);
  for (let count = 0; count < countMax; count++) {
    try {
      bus.publish(subject, payload);
    } catch (error) {
      return { count, error: error as Error };
    }
  }
  return undefined;
}

describe("connecting", () => {
  test("rejects with connect-failed and the cause if nobody listens", async () => {
    const servers = `127.0.0.1:${await freePort()}`;
    const failure = connectNatsBus({ servers, connectTimeoutMs: 2_000 });
    await expect(failure).rejects.toMatchObject({
      name: "BusError",
      code: "connect-failed",
      message: `cannot connect to ${servers}: connection refused`,
      cause: expect.any(Error),
    });
  });
});

describe.skipIf(requireNatsServer() === undefined)("with a real nats-server", () => {
  let server: NatsServer;
  const open: Bus[] = [];

  beforeAll(async () => {
    server = await startNatsServer();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()));
  });

  afterAll(async () => {
    await server.stop();
  });

  const connect = async (options: Partial<NatsBusOptions> = {}): Promise<Bus> => {
    const bus = await connectNatsBus({
      servers: server.url,
      reconnectBackoff: { baseMs: 20, maxMs: 50 },
      ...options,
    });
    open.push(bus);
    return bus;
  };

  test("after a restart subscriptions live on and what was published meanwhile arrives in order", async () => {
    const bus = await connect();
    const events: string[] = [];
    bus.onEvent((event) => events.push(event.kind));
    const seen: string[] = [];
    let done = (): void => undefined;
    const last = new Promise<void>((resolve) => {
      done = resolve;
    });
    bus.subscribe("news.*", ({ payload }) => {
      seen.push(text(payload));
      if (text(payload) === "last") done();
    });
    await bus.flush();
    bus.publish("news.a", bytes("before"));
    await bus.flush();
    const down = next(bus, "disconnected");
    const up = next(bus, "reconnected");
    await server.stop();
    await down;
    for (let index = 0; index < 1_000; index++) bus.publish("news.b", bytes(String(index)));
    await server.restart();
    await up;
    bus.publish("news.c", bytes("last"));
    await last;
    const meanwhile = Array.from({ length: 1_000 }, (_, index) => String(index));
    expect(seen).toEqual(["before", ...meanwhile, "last"]);
    expect(events).toEqual(["disconnected", "reconnected"]);
  });

  test("a question has the time that it was given, however the clock of the machine is set", async () => {
    const bus = await connect();
    bus.subscribe("ask", (message) => message.respond(bytes("answer")));
    await bus.flush();
    const down = next(bus, "disconnected");
    await server.stop();
    await down;
    const now = Date.now.bind(Date);
    const setClock = vi.spyOn(Date, "now");
    try {
      const asked = bus.request("ask", bytes("?"), { timeoutMs: 30_000 });
      setClock.mockImplementation(() => now() + 3_600_000);
      const [answer] = await Promise.all([asked, server.restart()]);
      expect(text(answer)).toBe("answer");
    } finally {
      setClock.mockRestore();
    }
  });

  test("while disconnected publishing is refused beyond the reconnect buffer, and nothing kept is lost", async () => {
    // 1,024 bytes of payload, 1 of subject and 128 for the message itself.
    const weight = 1_024 + 1 + 128;
    const bus = await connect({ reconnectBufferBytesMax: 10 * weight });
    let seen = 0;
    let done = (): void => undefined;
    const last = new Promise<void>((resolve) => {
      done = resolve;
    });
    bus.subscribe("x", ({ payload }) => {
      seen++;
      if (payload.length === 0) done();
    });
    await bus.flush();
    const down = next(bus, "disconnected");
    const up = next(bus, "reconnected");
    await server.stop();
    await down;
    const refusal = fillUp(bus, "x", 100);
    expect(refusal).toMatchObject({ count: 10, error: { code: "publish-buffer-full" } });
    expect(refusal?.error.message).toContain(String(10 * weight));
    await server.restart();
    await up;
    bus.publish("x", new Uint8Array(0));
    await last;
    expect(seen).toBe(11);
    expect(fillUp(bus, "x", 100)).toBeUndefined();
  });

  test("requests and flushes of a disconnected bus wait for the connection", async () => {
    const bus = await connect();
    bus.subscribe("rq", (message) => message.respond(bytes("here")));
    await bus.flush();
    const down = next(bus, "disconnected");
    await server.stop();
    await down;
    const late = bus.request("rq", bytes(""), { timeoutMs: 20_000 });
    const hopeless = bus.request("rq", bytes(""), { timeoutMs: 20 });
    const flushed = bus.flush();
    await expect(hopeless).rejects.toMatchObject({ code: "request-timeout" });
    await server.restart();
    expect(text(await late)).toBe("here");
    await flushed;
  });

  test("closing a disconnected bus ends what waits for it", async () => {
    const bus = await connect();
    const down = next(bus, "disconnected");
    await server.stop();
    await down;
    const pending = bus.request("rq", bytes(""), { timeoutMs: 60_000 });
    const flushed = bus.flush();
    const ends = Promise.allSettled([pending, flushed]);
    await bus.close();
    for (const end of await ends) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "bus-closed" } });
    }
    await server.restart();
  });

  test("draining a disconnected bus does not wait for a connection", async () => {
    const bus = await connect();
    const down = next(bus, "disconnected");
    await server.stop();
    await down;
    await bus.drain();
    expect(() => bus.publish("x", bytes(""))).toThrow("closed");
    await server.restart();
  });

  test("a server that stands still makes publishing fail at the limit instead of filling memory", async () => {
    const unconfirmedBytesMax = 4 * 1_048_576;
    const bus = await connect({ unconfirmedBytesMax, pingIntervalMs: 60_000 });
    await bus.flush();
    server.pause();
    const refusal = fillUp(bus, "x", 10_000);
    server.resume();
    const fits = Math.floor(unconfirmedBytesMax / (1_024 + 1 + 128));
    expect(refusal).toMatchObject({ count: fits, error: { code: "publish-buffer-full" } });
    await bus.flush();
    expect(fillUp(bus, "x", 1_000)).toBeUndefined();
  });

  test("a server that stops answering counts as gone", async () => {
    const bus = await connect({ pingIntervalMs: 50, connectTimeoutMs: 1_000 });
    const down = next(bus, "disconnected");
    const up = next(bus, "reconnected");
    server.pause();
    expect(await down).toMatchObject({ kind: "disconnected" });
    server.resume();
    expect(await up).toEqual({ kind: "reconnected" });
    await bus.flush();
  });

  test("two buses hear each other, and each hears itself", async () => {
    const [a, b] = [await connect(), await connect()];
    const seen: string[] = [];
    a.subscribe("x", ({ payload }) => seen.push(`a ${text(payload)}`));
    b.subscribe("x", ({ payload }) => seen.push(`b ${text(payload)}`));
    await Promise.all([a.flush(), b.flush()]);
    a.publish("x", bytes("1"));
    a.subscribe("rq", (message) => message.respond(bytes("from a")));
    await a.flush();
    expect(text(await b.request("rq", bytes(""), { timeoutMs: 5_000 }))).toBe("from a");
    await Promise.all([a.drain(), b.drain()]);
    expect(seen.toSorted()).toEqual(["a 1", "b 1"]);
  });
});

describe.skipIf(requireNatsServer() === undefined)("with a server that wants credentials", () => {
  test("the right ones are let in, wrong ones are not", async () => {
    const server = await startNatsServer({ args: ["--user", "ingest", "--pass", "secret"] });
    try {
      const bus = await connectNatsBus({ servers: server.url, user: "ingest", pass: "secret" });
      await bus.flush();
      await bus.close();
      const refused = connectNatsBus({ servers: server.url, user: "ingest", pass: "wrong" });
      await expect(refused).rejects.toMatchObject({ code: "connect-refused" });
    } finally {
      await server.stop();
    }
  });

  test("a token is passed on", async () => {
    const server = await startNatsServer({ args: ["--auth", "token"] });
    try {
      const bus = await connectNatsBus({ servers: server.url, token: "token" });
      await bus.flush();
      await bus.close();
      const refused = connectNatsBus({ servers: server.url });
      await expect(refused).rejects.toMatchObject({ code: "connect-refused" });
    } finally {
      await server.stop();
    }
  });
});
