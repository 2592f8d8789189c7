import { describe, expect, test } from "vitest";
import { TokenBucket } from "../../../services/gateway/session/rate-limits.ts";
import { isPresent, settle, type ClientMessage } from "./fake-gateway.ts";
import { connectFake, type FakeSession } from "./fake-session.ts";

const PER_SECOND = 20;

/** A session whose gateway closes like the real one when requests come too fast. */
async function connectLimited(): Promise<FakeSession> {
  const session = await connectFake();
  const { gateway, clock } = session;
  gateway.limits = { ...gateway.limits, requestsPerSecondMax: PER_SECOND, concurrentCallsMax: 100 };
  gateway.socket.closeByServer(1006);
  clock.advanceTo(clock.nextUs ?? 0);
  await settle();
  const bucket = new TokenBucket(PER_SECOND, clock.nowUs());
  bucket.take(1, clock.nowUs());
  gateway.onMessage = (socket, message) => {
    const cost = isPresent(message.cancel) || isPresent(message.credit) ? 0.1 : 1;
    if (bucket.take(cost, clock.nowUs())) return false;
    socket.closeByServer(4004, "too many");
    return true;
  };
  return session;
}

/** Lets time pass in steps in which answers arrive. */
async function pass({ clock }: FakeSession, ms: number): Promise<void> {
  for (let step = 0; step < ms; step += 10) {
    clock.advance(10);
    await settle();
  }
}

function symbols(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `COIN${index}-USDT`);
}

describe("the gateway's requestsPerSecondMax", () => {
  test("is kept by subscriptions that are made one by one", async () => {
    const session = await connectLimited();
    const { client, gateway } = session;
    const wanted = symbols(100);
    for (const symbol of wanted) {
      gateway.topics.set(`binance:${symbol}/trades`, { epoch: 1, sequence: 0 });
    }
    const started: string[] = [];
    for (const symbol of wanted) {
      client.onTrades(`binance:${symbol}`, () => undefined, {
        onNotice: (notice) => notice.type === "continuity" && started.push(notice.symbol),
      });
      await settle(); // Each in a turn of its own.
    }
    await pass(session, 1_000);
    expect(client.state).toBe("connected");
    expect(started).toEqual(wanted);
    // What had to wait left together.
    expect(gateway.socket.sent("subscribe").length).toBeLessThan(PER_SECOND);
  });

  test("is kept by coming and going, and what is wanted last counts", async () => {
    const session = await connectLimited();
    const { client, gateway } = session;
    gateway.topics.set("binance:BTC-USDT/trades", { epoch: 1, sequence: 0 });
    for (let round = 0; round < 200; round++) {
      const subscription = client.onTrades("binance:BTC-USDT", () => undefined);
      await settle();
      if (round < 199) subscription.close();
      await settle();
    }
    await pass(session, 2_000);
    expect(client.state).toBe("connected");
    expect([...gateway.ids.keys()]).toEqual(["binance:BTC-USDT/trades"]);
  });

  test("leaves nothing subscribed that was given up before it was asked for", async () => {
    const session = await connectLimited();
    const { client, gateway } = session;
    for (const symbol of symbols(60)) {
      gateway.topics.set(`binance:${symbol}/trades`, { epoch: 1, sequence: 0 });
      const subscription = client.onTrades(`binance:${symbol}`, () => undefined);
      await settle();
      subscription.close();
      await settle();
    }
    await pass(session, 4_000);
    expect(client.state).toBe("connected");
    expect([...gateway.ids.keys()]).toEqual([]);
  });

  test("is kept by calls, which wait for their turn", async () => {
    const session = await connectLimited();
    const { client, gateway } = session;
    const limited = gateway.onMessage;
    gateway.onMessage = (socket, message: ClientMessage) => {
      if (limited(socket, message)) return true;
      const callId = message.call?.callId ?? 0;
      if (callId !== 0) {
        socket.deliverMessage({ reply: { callId, response: new Uint8Array(0), status: {} } });
      }
      return callId !== 0;
    };
    let answered = 0;
    const calls = symbols(60).map(async () => {
      await client.rpc.getServerTime({});
      answered += 1;
    });
    await pass(session, 1_000);
    expect(answered).toBeGreaterThan(20);
    expect(answered).toBeLessThan(40);
    await pass(session, 3_000);
    await Promise.all(calls);
    expect(client.state).toBe("connected");
  });

  test("callsQueuedMax counts those that wait for their turn", async () => {
    const session = await connectFake({ callsQueuedMax: 3 });
    session.gateway.onMessage = (_socket, message) => isPresent(message.call);
    const outcomes: string[] = [];
    // Two are under way (concurrentCallsMax), three wait.
    for (let index = 0; index < 6; index++) {
      session.client.rpc.getServerTime({}).catch((error: { code: string; message: string }) => {
        outcomes.push(`${error.code}: ${error.message}`);
      });
    }
    await settle();
    expect(outcomes).toEqual(["resource-exhausted: call 4 exceeds callsQueuedMax 3"]);
  });
});

describe("the gateway's subscriptionsMax", () => {
  test("exceeded is a typed error that names both numbers", async () => {
    const { client, gateway } = await connectFake();
    gateway.limits = { ...gateway.limits, subscriptionsMax: 2 };
    for (const symbol of symbols(3)) {
      gateway.topics.set(`binance:${symbol}/trades`, { epoch: 1, sequence: 0 });
    }
    gateway.socket.closeByServer(1006);
    client.close();
    const session = await connectFake({}, gateway);
    session.client.onTrades("binance:COIN0-USDT", () => undefined);
    session.client.onTrades("binance:COIN1-USDT", () => undefined);
    await settle();
    gateway.onMessage = (socket, { subscribe }) => {
      if (!isPresent(subscribe)) return false;
      const topic = subscribe.topics?.[0]?.topic ?? "";
      const refusal = { topic, error: 4, errorMessage: "more than subscriptionsMax 2 topics" };
      const requestId = subscribe.requestId ?? 0;
      socket.deliverMessage({ subscribeResult: { requestId, topics: [refusal] } });
      return true;
    };
    await expect(session.client.trades("binance:COIN2-USDT").next()).rejects.toMatchObject({
      code: "topic-limit-exceeded",
      message: expect.stringContaining("this client has 2 of subscriptionsMax 2") as string,
      retryable: false,
    });
  });
});

describe("a request that the gateway refuses for now", () => {
  const TOPIC = "binance:BTC-USDT/trades";

  /** A client of which the next requests of a kind are refused, each for half a second. */
  async function connectRefused(
    kind: "subscribe" | "unsubscribe" | "update",
    times: number,
  ): Promise<FakeSession> {
    const session = await connectFake();
    session.gateway.topics.set(TOPIC, { epoch: 1, sequence: 0 });
    let left = times;
    session.gateway.onMessage = (socket, message: ClientMessage) => {
      const requestId = message[kind]?.requestId ?? 0;
      if (requestId === 0 || left === 0) return false;
      left -= 1;
      socket.deliverMessage({ requestRefused: { requestId, code: 8, retryAfterMs: 500 } });
      return true;
    };
    return session;
  }

  test("is made again when it may be, and not before", async () => {
    const session = await connectRefused("subscribe", 2);
    const { client, gateway } = session;
    client.onTrades("binance:BTC-USDT", () => undefined);
    await settle();
    await pass(session, 490);
    expect(gateway.socket.sent("subscribe")).toHaveLength(1);
    await pass(session, 500);
    expect(gateway.socket.sent("subscribe")).toHaveLength(2);
    await pass(session, 500);
    const sent = gateway.socket.sent("subscribe").map(({ topics }) => topics?.[0]?.topic);
    expect(sent).toEqual([TOPIC, TOPIC, TOPIC]);
    expect([client.state, ...gateway.ids.keys()]).toEqual(["connected", TOPIC]);
  });

  test("is not made again for a topic that nobody wants any more", async () => {
    const session = await connectRefused("subscribe", 1);
    const subscription = session.client.onTrades("binance:BTC-USDT", () => undefined);
    await settle();
    subscription.close();
    await pass(session, 1_000);
    expect(session.gateway.socket.sent("subscribe")).toHaveLength(1);
    expect([...session.gateway.ids.keys()]).toEqual([]);
  });

  test("gives a topic up in the end", async () => {
    const session = await connectRefused("unsubscribe", 1);
    const subscription = session.client.onTrades("binance:BTC-USDT", () => undefined);
    await settle();
    subscription.close();
    await settle();
    expect([...session.gateway.ids.keys()]).toEqual([TOPIC]);
    await pass(session, 1_000);
    expect([...session.gateway.ids.keys()]).toEqual([]);
  });

  test("shows a topic in the way that is wanted last", async () => {
    const session = await connectRefused("update", 1);
    const subscription = session.client.subscribe(TOPIC, () => undefined);
    await settle();
    subscription.update({ conflationIntervalMs: 100 });
    await settle();
    subscription.update({ conflationIntervalMs: 250 });
    await pass(session, 1_000);
    const intervals = session.gateway.socket
      .sent("update")
      .map(({ topics }) => topics?.[0]?.conflationIntervalMs);
    expect(intervals).toEqual([100, 250]);
  });
});

test("1,000 topics with the longest names go in frames that the gateway takes", async () => {
  const session = await connectFake();
  const { client, gateway } = session;
  const frameBytesMax = 262_144;
  gateway.limits = { ...gateway.limits, frameBytesMax, topicsPerRequestMax: 1_000 };
  gateway.socket.closeByServer(1006);
  session.clock.advanceTo(session.clock.nextUs ?? 0);
  await settle();
  const sizes: number[] = [];
  const { socket } = gateway;
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    sizes.push(data.byteLength);
    send(data);
  };
  const names = symbols(1_000).map((symbol) => `binance:${symbol.padEnd(234, "Ü")}/trades`);
  for (const name of names) gateway.topics.set(name, { epoch: 1, sequence: 0 });
  client.subscribe(names, () => undefined);
  await pass(session, 1_000);
  expect(Math.max(...sizes)).toBeLessThan(frameBytesMax);
  const asked = socket.sent("subscribe").flatMap(({ topics }) => topics ?? []);
  expect(asked.map(({ topic }) => topic)).toEqual(names);
});
