import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { FakeGateway, settle } from "../test/fake-gateway.ts";
import { connectFake, reconnect } from "../test/fake-session.ts";
import { createClient } from "./eager-client.ts";
import { streamUrl } from "./session/stream-url.ts";
import { createStreamsConnect } from "./streams-connect.ts";
import { ConnectionError } from "./errors.ts";

const connect = createStreamsConnect(createClient);

describe("connect", () => {
  test("says hello first and resolves with the welcome", async () => {
    const { client, gateway } = await connectFake({ clientName: "my-bot", compression: false });
    expect(client.state).toBe("connected");
    expect(client.sessionId).toBe("session-1");
    expect(gateway.urls).toEqual(["ws://gateway.test/v1/ws"]);
    const [hello] = gateway.socket.sent("hello");
    expect(hello).toMatchObject({ protocolVersion: 1, clientName: "my-bot" });
    expect(hello?.acceptCompression).toBe(false);
  });

  test("adds the stream path and understands http addresses", () => {
    expect(streamUrl("ws://a:1")).toBe("ws://a:1/v1/ws");
    expect(streamUrl("http://a/")).toBe("ws://a/v1/ws");
    expect(streamUrl("https://a/x?k=1#f")).toBe("wss://a/x/v1/ws?k=1");
    expect(() => streamUrl("nonsense")).toThrow(ConnectionError);
    expect(() => streamUrl("ftp://a")).toThrow("begins with ws:");
  });

  test.each([
    ["https://host/md", undefined, "wss://host/md/v1/ws"],
    ["https://host/md/", undefined, "wss://host/md/v1/ws"],
    ["ws://host/md/v1/ws", undefined, "ws://host/md/v1/ws"],
    ["ws://host/v1/ws/", undefined, "ws://host/v1/ws"],
    ["ws://host/a/b", "/stream", "ws://host/a/b/stream"],
    ["ws://host/a/stream", "/stream", "ws://host/a/stream"],
  ])("finds the WebSocket below the prefix of %s with the path %s", async (address, path, url) => {
    const gateway = new FakeGateway();
    const options = { webSocket: gateway.WebSocket, webSocketPath: path };
    const client = await connect(address, options);
    expect(gateway.urls).toEqual([url]);
    client.close();
  });

  test("says neither the user nor the query of an address that it cannot reach", async () => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const connecting = connect("wss://me:secret@a/md?token=t", { webSocket: gateway.WebSocket });
    gateway.socket.closeByServer(1006);
    await expect(connecting).rejects.toMatchObject({ message: "cannot reach wss://a/md/v1/ws" });
  });

  test("rejects when the gateway cannot be reached, without trying again", async () => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const clock = new ManualClock();
    const connecting = connect("ws://gateway.test", { webSocket: gateway.WebSocket, clock });
    gateway.socket.closeByServer(1006);
    await expect(connecting).rejects.toMatchObject({ code: "connect-failed", retryable: true });
    expect(clock.pending).toBe(0);
    expect(gateway.sockets).toHaveLength(1);
  });

  test("keeps dialling before the first welcome if asked to", async () => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const clock = new ManualClock();
    const connecting = connect("ws://gateway.test", {
      webSocket: gateway.WebSocket,
      clock,
      random: () => 0.5,
      waitForFirstConnect: true,
    });
    gateway.socket.closeByServer(1006);
    expect(gateway.sockets).toHaveLength(1);
    gateway.welcomes = true;
    clock.advance(1_000);
    expect((await connecting).state).toBe("connected");
    expect(gateway.sockets).toHaveLength(2);
  });

  test.each([
    ["just before connectTimeoutMs", 999, "connecting"],
    ["at connectTimeoutMs", 1_000, "connect-timeout"],
  ])("%s without a welcome", async (_name, elapsedMs, expected) => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const clock = new ManualClock();
    let outcome = "connecting";
    const options = { webSocket: gateway.WebSocket, clock, connectTimeoutMs: 1_000 };
    connect("ws://gateway.test", options).catch((error: ConnectionError) => {
      outcome = error.code;
    });
    gateway.socket.accept();
    clock.advance(elapsedMs);
    await settle();
    expect(outcome).toBe(expected);
  });

  test("takes several addresses, each once, and needs one", async () => {
    const gateway = new FakeGateway();
    const urls = ["ws://a.test", "ws://a.test/v1/ws", "ws://b.test"];
    const options = { webSocket: gateway.WebSocket };
    const client = await connect({ urls }, options);
    expect([gateway.urls, client.url]).toEqual([["ws://a.test/v1/ws"], "ws://a.test/v1/ws"]);
    client.close();
    await expect(connect({ urls: [] }, options)).rejects.toThrow("urls is empty");
    const misnamed = { url: "ws://127.0.0.1:1" } as unknown as { urls: string[] };
    await expect(connect(misnamed, options)).rejects.toThrow("urls is empty");
    await expect(connect({ urls, returnToFirstMs: -1 }, options)).rejects.toThrow(RangeError);
    await expect(connect({ urls: ["ws://a.test", "ftp://b"] }, options)).rejects.toThrow("ftp://b");
  });

  test("is given up by its signal", async () => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const controller = new AbortController();
    const options = { webSocket: gateway.WebSocket, signal: controller.signal };
    const connecting = connect("ws://gateway.test", options);
    controller.abort();
    await expect(connecting).rejects.toMatchObject({ code: "client-closed" });
    expect(gateway.socket.closedWith).toBeDefined();
  });

  test("refuses a server that does not speak the subprotocol", async () => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const connecting = connect("ws://gateway.test", { webSocket: gateway.WebSocket });
    gateway.socket.accept("");
    await expect(connecting).rejects.toMatchObject({
      code: "unsupported-version",
      retryable: false,
    });
  });

  test.each([
    ["a version that nobody knows", { protocolVersion: 2, limits: {} }, "unsupported-version"],
    ["its own Hello, sent back", { protocolVersion: 1, sessionId: "me" }, "protocol-error"],
  ])("refuses a Welcome that is %s", async (_name, welcome, code) => {
    const gateway = new FakeGateway();
    gateway.onMessage = (socket) => {
      socket.deliverMessage({ welcome });
      return true;
    };
    const connecting = connect("ws://gateway.test", { webSocket: gateway.WebSocket });
    await expect(connecting).rejects.toMatchObject({ code, retryable: false });
  });

  test("a host without WebSocket is a typed error", async () => {
    const before = Reflect.getOwnPropertyDescriptor(globalThis, "WebSocket");
    Reflect.deleteProperty(globalThis, "WebSocket");
    try {
      await expect(connect("ws://gateway.test")).rejects.toMatchObject({ code: "connect-failed" });
    } finally {
      if (before !== undefined) Object.defineProperty(globalThis, "WebSocket", before);
    }
  });
});

describe("a lost connection", () => {
  test("is made anew after a jittered wait that is never 0", async () => {
    const session = await connectFake({ random: () => 0 });
    const states: string[] = [];
    session.client.onState((state, { code }) => states.push(`${state} ${code}`));
    session.gateway.socket.closeByServer(1006);
    await settle();
    expect(session.gateway.sockets).toHaveLength(1);
    session.clock.advance(49);
    expect(session.gateway.sockets).toHaveLength(1);
    session.clock.advance(1);
    await settle();
    expect(session.gateway.sockets).toHaveLength(2);
    expect(states).toEqual(["reconnecting connection-lost", "connected welcome"]);
  });

  test("survives a hundred disconnects, and waits longer while connections do not hold", async () => {
    const session = await connectFake({ random: () => 0.999_999 });
    const waits: number[] = [];
    for (let round = 0; round < 100; round++) {
      session.gateway.socket.closeByServer(1006);
      waits.push(Math.round((session.clock.nextUs! - session.clock.nowUs()) / 1_000));
      session.clock.advanceTo(session.clock.nextUs!);
      await settle();
      expect(session.client.state).toBe("connected");
      if (round === 50) session.clock.advance(19_999);
    }
    expect(waits.slice(0, 3)).toEqual([500, 1_000, 2_000]);
    expect(Math.max(...waits)).toBe(20_000);
    expect(session.gateway.sockets).toHaveLength(101);
  });

  test("a connection that held starts with short waits again", async () => {
    const session = await connectFake({ random: () => 0.999_999 });
    for (let round = 0; round < 5; round++) await reconnect(session);
    session.clock.advance(20_000);
    session.gateway.socket.closeByServer(1006);
    expect((session.clock.nextUs! - session.clock.nowUs()) / 1_000).toBe(500);
  });

  test.each([4000, 4001, 4002, 4499, 1001, 1011, 3000])("code %i reconnects", async (code) => {
    const session = await connectFake();
    session.gateway.socket.closeByServer(code);
    expect(session.client.state).toBe("reconnecting");
  });

  test.each([
    [4500, "protocol-error"],
    [4503, "unsupported-version"],
    [4504, "unauthenticated"],
    [4999, "protocol-error"],
    [1009, "frame-too-large"],
  ])("code %i ends the client and its streams with %s", async (closeCode, code) => {
    const session = await connectFake();
    session.gateway.topics.set("binance:BTC-USDT/trades", { epoch: 1, sequence: 0 });
    const next = session.client.trades("binance:BTC-USDT").next();
    const call = session.client.rpc.getServerTime({});
    await settle();
    session.gateway.socket.closeByServer(closeCode, "no");
    await expect(next).rejects.toMatchObject({ code, closeCode, retryable: false });
    await expect(call).rejects.toMatchObject({ code: "unavailable", sent: true });
    expect(session.client.state).toBe("closed");
    // Who begins anew learns it too.
    expect(() => session.client.trades("binance:BTC-USDT")).toThrow(
      expect.objectContaining({ code, closeCode }),
    );
    await expect(session.client.rpc.getServerTime({})).rejects.toMatchObject({
      code: "unavailable",
      cause: { code },
    });
    session.clock.advance(60_000);
    expect(session.gateway.sockets).toHaveLength(1);
    expect(session.clock.pending).toBe(0);
  });

  test("reconnect: false ends the client at the first loss", async () => {
    const session = await connectFake({ reconnect: false });
    session.gateway.socket.closeByServer(1006);
    expect(session.client.state).toBe("closed");
    expect(session.clock.pending).toBe(0);
  });

  test("close() is final, clean and may be repeated", async () => {
    const session = await connectFake();
    session.gateway.topics.set("binance:BTC-USDT/trades", { epoch: 1, sequence: 0 });
    const next = session.client.trades("binance:BTC-USDT").next();
    await settle();
    session.client.close();
    session.client.close();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(session.gateway.socket.closedWith?.code).toBe(1000);
    expect(session.clock.pending).toBe(0);
    const begin = [
      () => session.client.trades("binance:BTC-USDT"),
      () => session.client.book("binance:BTC-USDT"),
      () => session.client.onTrades("binance:BTC-USDT", () => undefined),
    ];
    for (const late of begin) {
      expect(late).toThrow(expect.objectContaining({ code: "client-closed" }));
    }
    await expect(session.client.rpc.getServerTime({})).rejects.toMatchObject({ code: "cancelled" });
  });

  test("close() while it waits to reconnect dials no more", async () => {
    const session = await connectFake();
    session.gateway.socket.closeByServer(1006);
    session.client.close();
    session.clock.advance(60_000);
    expect(session.gateway.sockets).toHaveLength(1);
  });
});

describe("frames from the gateway", () => {
  test.each([
    ["cut off", Uint8Array.of(0x0a, 0x05, 0x01)],
    ["not protobuf", Uint8Array.of(0xff, 0xff, 0xff)],
    ["a damaged batch", Uint8Array.of(0x12, 0x01, 0x10)],
    ["text", "hello"],
  ])("a frame that is %s reconnects with a typed error", async (_name, data) => {
    const session = await connectFake();
    const reasons: (ConnectionError | undefined)[] = [];
    session.client.onState((_state, { error }) => reasons.push(error));
    session.gateway.socket.deliver(data);
    expect(reasons).toMatchObject([{ code: "protocol-error", retryable: true }]);
    expect(session.gateway.socket.closedWith?.code).toBe(4002);
    session.clock.advance(1_000);
    await settle();
    expect(session.client.state).toBe("connected");
  });

  test("a message of a kind that this client does not know is skipped", async () => {
    const session = await connectFake();
    session.gateway.socket.deliver(Uint8Array.of(0x0a, 0x03, 0xfa, 0x01, 0x00));
    expect(session.client.state).toBe("connected");
  });

  test("what a state listener throws goes to the host and harms nothing", async () => {
    const uncaught: unknown[] = [];
    const original = globalThis.queueMicrotask;
    const session = await connectFake();
    globalThis.queueMicrotask = (callback) =>
      original(() => {
        try {
          callback();
        } catch (error) {
          uncaught.push(error);
        }
      });
    session.client.onState(() => {
      throw new Error("mine");
    });
    session.gateway.socket.closeByServer(1006);
    await settle();
    globalThis.queueMicrotask = original;
    expect(uncaught).toMatchObject([{ message: "mine" }]);
    expect(session.client.state).toBe("reconnecting");
  });
});

describe("liveness", () => {
  test("silence leads to a ping, and an answer keeps the connection", async () => {
    const session = await connectFake({ pingIntervalMs: 1_000, pongTimeoutMs: 500 });
    session.clock.advance(999);
    expect(session.gateway.socket.sent("ping")).toHaveLength(0);
    session.clock.advance(1);
    await settle();
    expect(session.gateway.socket.sent("ping")).toHaveLength(1);
    session.clock.advance(500);
    expect(session.client.state).toBe("connected");
  });

  test.each([
    [499, "connected"],
    [500, "reconnecting"],
  ])("%i ms without an answer to the ping", async (elapsedMs, expected) => {
    const session = await connectFake({ pingIntervalMs: 1_000, pongTimeoutMs: 500 });
    session.gateway.onMessage = () => true;
    session.clock.advance(1_000 + elapsedMs);
    expect(session.client.state).toBe(expected);
  });

  test("anything that arrives counts as an answer", async () => {
    const session = await connectFake({ pingIntervalMs: 1_000, pongTimeoutMs: 500 });
    session.gateway.onMessage = () => true;
    session.clock.advance(1_000);
    session.gateway.socket.deliverMessage({ notice: { kind: 0 } });
    session.clock.advance(600);
    expect(session.client.state).toBe("connected");
  });

  test("pingIntervalMs 0 never pings", async () => {
    const session = await connectFake({ pingIntervalMs: 0 });
    session.clock.advance(3_600_000);
    expect(session.gateway.socket.sent("ping")).toHaveLength(0);
  });
});
