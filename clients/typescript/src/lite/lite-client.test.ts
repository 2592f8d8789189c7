import { readFileSync, readdirSync } from "node:fs";
import { WireError, topicIdOf, walkServerFrame } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { FakeGateway, quotesBatch, settle, tradesBatch } from "../../test/fake-gateway.ts";
import { take } from "../../test/fake-session.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { createEnvironment, type Environment } from "../host/environment.ts";
import * as browserEntry from "../lite.ts";
import * as nodeEntry from "../lite.node.ts";
import { connectLite } from "./lite-client.ts";
import type { LiteConnectOptions } from "./lite-options.ts";
import { LiteTopic } from "./topic.ts";
import { fieldsOf } from "./wire.ts";

const BTC = "binance:BTC-USDT";
const TRADES = `${BTC}/trades`;
const QUOTES = `${BTC}/quotes`;
const { NoticeKind, TopicError } = tickwire.v1;

async function begin(options: LiteConnectOptions = {}, gateway = new FakeGateway()) {
  const clock = new ManualClock();
  for (const topic of [TRADES, QUOTES, "binance:ETH-USDT/trades"]) {
    gateway.topics.set(topic, { epoch: 7, sequence: 100 });
  }
  const given = { webSocket: gateway.WebSocket, clock, random: () => 0.5, ...options };
  const client = await connectLite("ws://gateway.test", given, createEnvironment(given));
  const states: string[] = [];
  client.onState((state, error) => states.push(`${state} ${error?.code ?? ""}`));
  const notices: NoticeEvent[] = [];
  const onNotice = (notice: NoticeEvent) => void notices.push(notice);
  const deliver = (firstSequence: number, count = 1, more: object = {}) => {
    const place = { topicId: gateway.ids.get(TRADES) ?? 0, epoch: 7, firstSequence, ...more };
    const prices = Array.from({ length: count }, () => 1_050);
    gateway.socket.deliverBatch(tradesBatch(place, prices));
  };
  /** Lets time pass until the next dial, and all that follows happen. */
  const redial = async () => {
    clock.advanceTo(clock.nextUs ?? 0);
    await settle();
  };
  return { gateway, clock, client, states, notices, onNotice, deliver, redial };
}

const sequencesOf = (events: readonly { readonly sequence: number }[]) =>
  events.map(({ sequence }) => sequence);
const shown = (notices: readonly NoticeEvent[]) =>
  notices.map((notice) => {
    if (notice.type === "gap") return `gap ${notice.missingFirst}-${notice.missingLast}`;
    if (notice.type !== "continuity") return notice.type;
    return `${notice.continuity} ${notice.outcome ?? notice.reason}`;
  });

describe("the small client", () => {
  test("hands on trades and quotes as events of the client", async () => {
    const { gateway, client, deliver } = await begin();
    const trades = client.trades(BTC);
    const quotes = client.quotes(BTC);
    await settle();
    deliver(101, 2);
    const place = { topicId: gateway.ids.get(QUOTES)!, epoch: 7, firstSequence: 101 };
    gateway.socket.deliverBatch(quotesBatch(place, 99, 101));
    const [first, second] = await take(trades, 2);
    expect([first?.priceText, first?.tradeId, second?.sequence]).toEqual(["10.5", "101", 102]);
    const [quote] = await take(quotes, 1);
    expect([quote?.bidPriceText, quote?.askPrice, quote?.venueSymbol]).toEqual([
      "0.99",
      1.01,
      "BTCUSDT",
    ]);
    expect(gateway.socket.sent("subscribe")).toHaveLength(1);
    expect(gateway.socket.sent("hello")[0]).toMatchObject({ clientName: "tickwire-client-lite" });
  });

  test("resumes on the next connection from where it was", async () => {
    const { gateway, client, deliver, redial, states, notices, onNotice } = await begin();
    const trades = client.trades(BTC, { onNotice });
    await settle();
    deliver(101, 2);
    gateway.socket.closeByServer(1006);
    await redial();
    const [request] = gateway.socket.sent("subscribe")[0]?.topics ?? [];
    expect([request?.topic, Number(request?.resume?.sequence)]).toEqual([TRADES, 102]);
    deliver(103);
    expect(sequencesOf(await take(trades, 3))).toEqual([101, 102, 103]);
    expect(states).toEqual(["reconnecting connection-lost", "connected "]);
    expect(shown(notices)).toEqual(["new subscribed", "resumed preserved"]);
  });

  test("says what is missing where the gateway cannot resume", async () => {
    const { gateway, client, deliver, redial, notices, onNotice } = await begin();
    client.trades(BTC, { onNotice });
    await settle();
    deliver(101);
    gateway.topics.set(TRADES, { epoch: 8, sequence: 500 });
    gateway.socket.closeByServer(4000);
    await redial();
    expect(shown(notices)).toEqual(["new subscribed", "gap 102-undefined", "replaced replaced"]);
  });

  test("asks again for what does not follow, the second time after a while", async () => {
    const { gateway, client, deliver, clock, notices, onNotice } = await begin();
    const trades = client.trades(BTC, { onNotice });
    await settle();
    deliver(101);
    deliver(105, 1, { chained: true });
    await settle();
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(1);
    expect(gateway.socket.sent("subscribe")).toHaveLength(2);
    deliver(109, 1, { chained: true });
    await settle();
    expect(gateway.socket.sent("subscribe")).toHaveLength(2);
    clock.advance(1_000);
    await settle();
    expect(gateway.socket.sent("subscribe")).toHaveLength(3);
    deliver(102);
    expect(sequencesOf(await take(trades, 2))).toEqual([101, 102]);
    expect(shown(notices).filter((text) => text.startsWith("resyncing"))).toEqual([
      "resyncing sequence-residue",
      "resyncing sequence-residue",
    ]);
  });

  test("reports what the gateway and what the publisher have lost", async () => {
    const { gateway, client, deliver, notices, onNotice } = await begin();
    const trades = client.trades(BTC, { onNotice });
    await settle();
    const notice = { kind: NoticeKind.NOTICE_KIND_GAP, topicId: gateway.ids.get(TRADES)! };
    gateway.socket.deliverMessage({ notice: { ...notice, missingFirst: 101, missingLast: 103 } });
    deliver(104);
    deliver(107);
    expect(sequencesOf(await take(trades, 2))).toEqual([104, 107]);
    expect(shown(notices).slice(1)).toEqual(["gap 101-103", "gap 105-106"]);
  });

  test("refuses topics with what the gateway says, and goes on with the others", async () => {
    const { client, notices, onNotice } = await begin();
    const some = client.trades(["binance:NOPE", BTC], { onNotice });
    const none = client.trades("binance:NOPE");
    await settle();
    await expect(none.next()).rejects.toMatchObject({ code: "topic-unknown-symbol" });
    expect(some.refusals).toMatchObject([
      { topic: "binance:NOPE/trades", message: "no such topic" },
    ]);
    expect(shown(notices)).toContain("refused");
  });

  test("tries again what is not there for now", async () => {
    const { gateway, client, clock, notices, onNotice, deliver } = await begin();
    gateway.unavailable = () => true;
    const trades = client.trades(BTC, { onNotice });
    await settle();
    gateway.unavailable = () => false;
    clock.advance(500);
    await settle();
    deliver(101);
    expect(sequencesOf(await take(trades, 1))).toEqual([101]);
    expect(shown(notices)[0]).toBe("unavailable its ingestor does not answer");
  });

  test.each(["0", "64", "text"])("takes the text frame %j for a bad one", async (text) => {
    const { gateway, states } = await begin();
    gateway.socket.deliver(text);
    expect(states).toEqual(["reconnecting protocol-error"]);
  });

  test("sends a refused request again when its time has come", async () => {
    const { gateway, client, clock } = await begin();
    let refused = 0;
    gateway.onMessage = (socket, { subscribe }) => {
      if (!subscribe || refused > 0) return false;
      refused += 1;
      const { requestId } = subscribe;
      socket.deliverMessage({ requestRefused: { requestId: requestId ?? 0, retryAfterMs: 250 } });
      return true;
    };
    client.trades(BTC);
    await settle();
    clock.advance(249);
    await settle();
    expect(gateway.ids.has(TRADES)).toBe(false);
    clock.advance(1);
    await settle();
    expect(gateway.ids.has(TRADES)).toBe(true);
  });

  test("gives up a topic with its last reader, and tells who joins where it stands", async () => {
    const { gateway, client, onNotice, notices } = await begin();
    const first = client.trades(BTC);
    await settle();
    const second = client.trades(BTC, { onNotice });
    await settle();
    expect(shown(notices)).toEqual(["new joined"]);
    first.close();
    await settle();
    expect(gateway.ids.has(TRADES)).toBe(true);
    second.close();
    await settle();
    expect(gateway.ids.has(TRADES)).toBe(false);
    expect((await second.next()).done).toBe(true);
  });

  test("asks in requests of no more topics than the gateway takes", async () => {
    const gateway = new FakeGateway();
    gateway.limits = { ...gateway.limits, topicsPerRequestMax: 2 };
    const { client } = await begin({}, gateway);
    client.trades([BTC, "binance:ETH-USDT"]);
    client.quotes(BTC);
    await settle();
    const sizes = gateway.socket.sent("subscribe").map(({ topics }) => topics?.length);
    expect(sizes).toEqual([2, 1]);
  });

  test("asks again where the gateway sends another channel on a topic", async () => {
    const { gateway, client, notices, onNotice } = await begin();
    client.trades(BTC, { onNotice });
    await settle();
    const topicId = gateway.ids.get(TRADES)!;
    gateway.socket.deliverBatch(quotesBatch({ topicId, epoch: 7, firstSequence: 101 }, 1, 2));
    expect(shown(notices)).toEqual(["new subscribed", "resyncing unknown-channel"]);
  });

  test("ends a stream of trades that nobody reads, and keeps the latest quote", async () => {
    const { gateway, client, deliver } = await begin();
    const trades = client.trades(BTC, { bufferEventsMax: 2 });
    const quotes = client.quotes(BTC, { bufferEventsMax: 1 });
    await settle();
    deliver(101, 3);
    expect(sequencesOf(await take(trades, 2))).toEqual([101, 102]);
    await expect(trades.next()).rejects.toMatchObject({ code: "buffer-overflow" });
    const topicId = gateway.ids.get(QUOTES)!;
    for (const firstSequence of [101, 102, 103]) {
      gateway.socket.deliverBatch(quotesBatch({ topicId, epoch: 7, firstSequence }, 1, 2));
    }
    expect(sequencesOf(await take(quotes, 1))).toEqual([103]);
  });

  test("does not come back where a close code forbids it, and says why", async () => {
    const { gateway, client, states } = await begin();
    const trades = client.trades(BTC);
    gateway.socket.closeByServer(4505, "not allowed");
    await expect(trades.next()).rejects.toMatchObject({ code: "permission-denied" });
    expect(states).toEqual(["closed permission-denied"]);
    expect(() => client.trades(BTC)).toThrow("4505");
  });

  test("gives up a connection that is silent after a Ping", async () => {
    const { gateway, clock, states } = await begin();
    gateway.onMessage = () => true;
    clock.advance(15_000);
    expect(gateway.socket.sent("ping")).toHaveLength(1);
    clock.advance(10_000);
    expect(states).toEqual(["reconnecting connection-silent"]);
  });

  test("asks its token for every connection", async () => {
    let count = 0;
    const token = () => `token-${(count += 1)}`;
    const { gateway, redial } = await begin({ token });
    gateway.socket.closeByServer(4010);
    await redial();
    const tokens = gateway.sockets.map((socket) => socket.sent("hello")[0]?.accessToken);
    expect(tokens).toEqual(["token-1", "token-2"]);
  });

  test("ends everything cleanly with close()", async () => {
    const { client, gateway } = await begin();
    const trades = client.trades(BTC);
    client.close();
    client.close();
    expect((await trades.next()).done).toBe(true);
    expect([client.state, gateway.socket.closedWith?.code]).toEqual(["closed", 1000]);
  });

  test.each([
    ["ends that cannot be reached", "closed by 1006", 1006, "connect-failed"],
    ["a gateway that does not want it", "refused", 4504, "unauthenticated"],
  ])("connects to no %s", async (_, reason, closeCode, code) => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const clock = new ManualClock();
    const options = { webSocket: gateway.WebSocket, clock };
    const connecting = connectLite("ws://gateway.test", options, createEnvironment(options));
    const outcome = connecting.catch((error: unknown) => error);
    await settle();
    gateway.socket.closeByServer(closeCode, reason);
    expect(await outcome).toMatchObject({ code });
  });

  test("waits for a Welcome no longer than it is told", async () => {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    const clock = new ManualClock();
    const options = { webSocket: gateway.WebSocket, clock, connectTimeoutMs: 50 };
    const connecting = connectLite("ws://gateway.test", options, createEnvironment(options));
    const outcome = connecting.catch((error: unknown) => error);
    clock.advance(50);
    expect(await outcome).toMatchObject({ code: "connect-timeout" });
  });

  test("dials at once when the network is back, and asks for a sign of life", async () => {
    const gateway = new FakeGateway();
    const clock = new ManualClock();
    let tell: (change: "online" | "offline") => void = () => undefined;
    const environment: Environment = {
      ...createEnvironment({ webSocket: gateway.WebSocket, clock, random: () => 0.5 }),
      watchNetwork: (listener) => {
        tell = listener;
        return () => undefined;
      },
    };
    const client = await connectLite("ws://gateway.test", {}, environment);
    tell("online");
    expect(gateway.socket.sent("ping")).toHaveLength(1);
    gateway.socket.closeByServer(1006);
    tell("offline");
    await settle();
    expect([client.state, gateway.sockets.length]).toEqual(["reconnecting", 1]);
    tell("online");
    await settle();
    expect([client.state, gateway.sockets.length]).toEqual(["connected", 2]);
  });

  test("is given up by its signal, and where the host has no WebSocket", async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const options = { webSocket: new FakeGateway().WebSocket, clock, signal: abort.signal };
    const given = connectLite("ws://gateway.test", options, createEnvironment(options));
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: "client-closed" });
    const openWebSocket = () => {
      throw new TypeError("there is none");
    };
    const without = { ...createEnvironment({ clock }), openWebSocket };
    const connecting = connectLite("ws://gateway.test", {}, without);
    clock.advance(0);
    await expect(connecting).rejects.toMatchObject({ code: "connect-failed" });
    const bad = connectLite("ftp://gateway.test", {}, without);
    await expect(bad).rejects.toMatchObject({ code: "connect-failed" });
  });

  test("exports the same for Node and for browsers", () => {
    const names = Object.keys(browserEntry).sort();
    expect(names).toEqual(Object.keys(nodeEntry).sort());
    expect(names).toEqual([
      "BufferOverflowError",
      "ConnectionError",
      "TickwireError",
      "TopicRefusedError",
      "connect",
      "onFrame",
    ]);
  });

  test("hands on once a frame what came since the last", async () => {
    const { client, clock, deliver } = await begin();
    const stream = client.trades(BTC);
    const frames: (readonly number[])[] = [];
    const drawn = browserEntry.onFrame(
      stream,
      ({ events, latest }) => {
        frames.push([...sequencesOf(events), latest.get(TRADES)?.sequence ?? 0]);
      },
      clock,
    );
    await settle();
    deliver(101);
    deliver(102, 2);
    await settle();
    expect(frames).toEqual([]);
    clock.advance(16);
    await settle();
    expect(frames).toEqual([[101, 102, 103, 103]]);
    deliver(104);
    await settle();
    clock.advance(16);
    await settle();
    expect(frames[1]).toEqual([104, 104]);
    await expect(browserEntry.onFrame(stream, () => undefined)).rejects.toMatchObject({
      code: "stream-consumed",
    });
    client.close();
    await drawn;
  });

  test("closes a stream whose frames cannot be drawn", async () => {
    const { client, clock, deliver, gateway } = await begin();
    const draw = () => {
      throw new RangeError("no canvas");
    };
    const drawn = browserEntry.onFrame(client.trades(BTC), draw, clock);
    const outcome = drawn.catch((error: unknown) => error);
    await settle();
    deliver(101);
    await settle();
    clock.advance(16);
    expect(await outcome).toMatchObject({ message: "no canvas" });
    await settle();
    expect(gateway.ids.has(TRADES)).toBe(false);
  });

  test("refuses what it does not know with a sentence", async () => {
    const { client } = await begin();
    expect(() => client.trades("binance:*")).toThrow("VENUE:SYMBOL");
    expect(() => client.trades("BTC-USDT")).toThrow("is no name of trades");
    client.trades(BTC);
    expect(() => client.trades(BTC, { conflationIntervalMs: 100 })).toThrow("another interval");
  });

  test.each([
    [{ conflationIntervalMs: -1 }, "conflationIntervalMs -1"],
    [{ conflationIntervalMs: 0.5 }, "conflationIntervalMs 0.5"],
    [{ bufferEventsMax: 0 }, "bufferEventsMax 0"],
  ])("begins no stream with %o", async (options, text) => {
    const { client } = await begin();
    expect(() => client.trades(BTC, options)).toThrow(text);
  });

  test.each([
    [{ connectTimeoutMs: 0 }, "connectTimeoutMs 0"],
    [{ pingIntervalMs: -1 }, "pingIntervalMs -1"],
    [{ reconnect: { maxMs: 2 ** 31 } }, "reconnect.maxMs 2147483648"],
  ])("does not connect with %o", async (options, text) => {
    const environment = createEnvironment({ webSocket: new FakeGateway().WebSocket });
    await expect(connectLite("ws://gateway.test", options, environment)).rejects.toThrow(text);
  });

  test("does not lose a topic that is asked for by two names", async () => {
    const { gateway, client, deliver } = await begin();
    gateway.onMessage = (socket, { subscribe }) => {
      const [request] = subscribe?.topics ?? [];
      if (request?.topic !== "binance:BTCUSDT/trades") return false;
      const error = TopicError.TOPIC_ERROR_ALREADY_SUBSCRIBED;
      const topics = [{ topic: TRADES, topicId: gateway.ids.get(TRADES) ?? 0, error }];
      socket.deliverMessage({ subscribeResult: { requestId: subscribe?.requestId ?? 0, topics } });
      return true;
    };
    const first = client.trades(BTC);
    await settle();
    const second = client.trades("binance:BTCUSDT");
    await settle();
    await expect(second.next()).rejects.toMatchObject({ code: "topic-already-subscribed" });
    deliver(101);
    expect(sequencesOf(await take(first, 1))).toEqual([101]);
  });
});

type Reading = {
  readonly reading: "news" | "state" | "old" | "lost" | "malformed" | "unknown";
  readonly gap?: unknown;
  readonly events?: readonly { readonly sequence: number; readonly kind?: string }[];
};

type Vector = {
  readonly name: string;
  readonly steps: readonly {
    readonly resume?: {
      readonly topicId: number;
      readonly epoch: number;
      readonly sequence: number;
    };
    readonly frame: string;
    readonly batches: readonly Reading[];
  }[];
};

/** The examples of the specification that are about trades. */
const NAMES = [
  "a-loss",
  "a-lost-base",
  "a-new-epoch",
  "a-clock-that-steps-back",
  "historical-trades-and-frames-put-together",
  "resuming",
  "trades",
];
const folder = new URL("../../../../proto/vectors/", import.meta.url);

describe("an example of the specification", () => {
  test.each(NAMES)("%s", (name) => {
    expect(readdirSync(folder)).toContain(`${name}.json`);
    const { steps } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Vector;
    const stands = new Map<number, { topic: LiteTopic; sequences: number[]; gaps: number }>();
    const names = { topic: TRADES, venue: "v", symbol: "A", venueSymbol: "A" };
    const standOf = (topicId: number) => {
      const known = stands.get(topicId);
      if (known !== undefined) return known;
      const topic = new LiteTopic(TRADES, 1, 0);
      const stand = { topic, sequences: [] as number[], gaps: 0 };
      topic.consumers.add({
        event: ({ sequence }: { readonly sequence: number }) => void stand.sequences.push(sequence),
        notice: ({ type }: NoticeEvent) => void (stand.gaps += type === "gap" ? 1 : 0),
      } as never);
      stands.set(topicId, stand);
      start(topic, undefined);
      return stand;
    };
    const start = (topic: LiteTopic, position: { epoch: number; sequence: number } | undefined) =>
      topic.start({ names, position, continuity: "new", ended: undefined, recovered: 0 });
    for (const { resume, frame, batches } of steps) {
      if (resume !== undefined) start(standOf(resume.topicId).topic, resume);
      const bytes = Buffer.from(frame, "hex");
      let index = 0;
      const read = (from: number, end: number) => {
        const expected = batches[index]!;
        index += 1;
        const stand = standOf(topicIdOf(bytes, from, end));
        const [events, gaps] = [stand.sequences.length, stand.gaps];
        const problem = stand.topic.receive(fieldsOf(bytes.subarray(from, end)));
        expect(stand.sequences.slice(events)).toEqual(
          (expected.events ?? []).map(({ sequence }) => sequence),
        );
        const mustAsk = ["lost", "malformed", "unknown"].includes(expected.reading);
        expect(problem !== undefined).toBe(mustAsk);
        expect(stand.gaps - gaps).toBe(expected.gap === undefined ? 0 : 1);
      };
      try {
        walkServerFrame(bytes, { message: () => undefined, batch: read });
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
      expect(index).toBeGreaterThan(0);
    }
  });
});
