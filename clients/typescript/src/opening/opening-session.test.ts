import { tickwire } from "@tickwire/proto/protobufjs";
import { describe, expect, test, vi } from "vitest";
import {
  booksBatch,
  encodeBatches,
  isPresent,
  quotesBatch,
  settle,
  tradesBatch,
  type FakeGateway,
  type FakeSocket,
} from "../../test/fake-gateway.ts";
import { connectFake, take } from "../../test/fake-session.ts";
import { OpeningStand } from "../../test/opening-stand.ts";
import type { Client } from "../client.ts";
import { ConnectionError } from "../errors.ts";
import type { StreamEvent } from "../events/stream-events.ts";

const BTC = "binance:BTC-USDT/trades";
const ETH = "binance:ETH-USDT/trades";
const QUOTES = "binance:BTC-USDT/quotes";
const BOOK = "binance:BTC-USDT/book";
const EPOCH = 7;

function serve(gateway: FakeGateway, ...topics: readonly string[]): void {
  for (const topic of topics) gateway.topics.set(topic, { epoch: EPOCH, sequence: 100 });
}

async function opened(...topics: readonly string[]): Promise<OpeningStand> {
  const stand = new OpeningStand();
  serve(stand.gateway, ...topics);
  return stand.open();
}

/** Trades of a topic from a sequence on, one for each price. */
function trades(gateway: FakeGateway, topic: string, firstSequence: number, prices: number[]) {
  const topicId = gateway.ids.get(topic) ?? 0;
  return tradesBatch({ topicId, epoch: EPOCH, firstSequence }, prices);
}

/** What happens in a scenario, in order; the code may come before any of it. */
type Step = (given: { gateway: FakeGateway; socket: FakeSocket; client: Client }) => void;

const quote = (gateway: FakeGateway, firstSequence: number, snapshot = false) => {
  const topicId = gateway.ids.get(QUOTES) ?? 0;
  return quotesBatch({ topicId, epoch: EPOCH, firstSequence, snapshot }, 99, 101);
};

const SCENARIOS: Readonly<Record<string, readonly Step[]>> = {
  "everything follows": [
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 101, [1, 2])),
    ({ gateway, socket }) =>
      socket.deliverBatch(quote(gateway, 100, true), trades(gateway, BTC, 103, [3])),
    ({ gateway, socket }) => socket.deliverBatch(quote(gateway, 101), quote(gateway, 102)),
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 104, [4])),
  ],
  "events are missing": [
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 101, [1])),
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 105, [2, 3])),
    ({ gateway, socket }) => socket.deliverBatch(quote(gateway, 101)),
  ],
  "events come twice": [
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 101, [1, 2])),
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 102, [2, 3])),
    ({ gateway, socket }) => socket.deliverBatch(quote(gateway, 101)),
  ],
  "the publisher starts anew": [
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 101, [1])),
    ({ gateway, socket }) =>
      socket.deliverBatch({ ...trades(gateway, BTC, 1, [5]), epoch: EPOCH + 1 }),
    ({ gateway, socket }) => socket.deliverBatch(quote(gateway, 101)),
  ],
  "the gateway says that it dropped events, and that the client lags": [
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 101, [1])),
    ({ gateway, socket }) => {
      const topicId = gateway.ids.get(BTC)!;
      socket.deliverMessage({ notice: { kind: 3, topicId, missingFirst: 102, missingLast: 103 } });
    },
    ({ socket }) => socket.deliverMessage({ notice: { kind: 2, message: "late", lagMs: 9 } }),
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 104, [4])),
  ],
  "a batch is damaged": [
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 101, [1])),
    ({ gateway, socket }) => {
      const bytes = encodeBatches(trades(gateway, BTC, 102, [2]));
      bytes[bytes.length - 1] = 0xff;
      socket.deliver(bytes);
    },
    ({ gateway, socket }) => socket.deliverBatch(quote(gateway, 101)),
  ],
  "another topic is asked for, and one that is not there": [
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 101, [1])),
    ({ client }) => void client.onTrades("binance:ETH-USDT", () => undefined),
    ({ client }) =>
      void client.onTrades("x:NOTHING", () => undefined, { onError: () => undefined }),
    ({ gateway, socket }) => socket.deliverBatch(trades(gateway, BTC, 102, [2])),
  ],
};

type Ending = {
  readonly told: readonly StreamEvent[];
  readonly subscribed: readonly string[];
  readonly counters: Client["counters"];
};

/** Plays a scenario on two topics and looks at what they were told. */
async function play(
  { client, gateway }: { client: Client; gateway: FakeGateway },
  steps: readonly Step[],
  before: (index: number) => Promise<void>,
): Promise<Ending> {
  const told: StreamEvent[] = [];
  client.subscribe([BTC, QUOTES], (event) => told.push(event));
  for (const [index, step] of [...steps, () => undefined].entries()) {
    await before(index);
    step({ gateway, socket: gateway.socket, client });
    await settle();
  }
  const sent = gateway.sockets.flatMap((socket) => socket.sent("subscribe"));
  const subscribed = sent.flatMap(({ topics }) => (topics ?? []).map((each) => each.topic ?? ""));
  return { told, subscribed, counters: { ...client.counters } };
}

/** What was told of a topic, or of none, with the fields in their order. */
function textOf({ told }: Ending, topic: string | undefined): string {
  const own = told.filter((event) => ("topic" in event ? event.topic : undefined) === topic);
  return JSON.stringify(own);
}

describe.each(Object.entries(SCENARIOS))("where %s", (_, steps) => {
  const moments = Array.from({ length: steps.length + 1 }, (_unused, index) => index);

  test.each(moments)("a client whose code comes before step %i says the same", async (moment) => {
    const session = await connectFake();
    serve(session.gateway, BTC, QUOTES, ETH);
    const expected = await play(session, steps, settle);
    const stand = await opened(BTC, QUOTES, ETH);
    const seen = await play(stand, steps, async (index) => {
      await settle();
      if (index === moment) await stand.arrive();
    });
    // What is told of one topic does not wait for what is told of another.
    for (const topic of [undefined, BTC, QUOTES]) {
      expect(textOf(seen, topic)).toBe(textOf(expected, topic));
    }
    expect(seen.subscribed).toEqual(expected.subscribed);
    expect(seen.counters).toEqual(expected.counters);
    expect(stand.gateway.sockets).toHaveLength(session.gateway.sockets.length);
    expect(seen.told.length).toBeGreaterThan(2);
  });
});

describe("a client that opens", () => {
  test("hands on events before the rest of its code is asked for", async () => {
    const stand = await opened(BTC);
    const stream = stand.client.trades("binance:BTC-USDT");
    await settle();
    stand.gateway.socket.deliverBatch(trades(stand.gateway, BTC, 101, [1050]));
    const [trade] = await take(stream, 1);
    expect([trade?.priceText, stand.loads]).toEqual(["10.5", 0]);
    expect(stand.client.stats()).toMatchObject({ events: { total: 1 }, batches: { total: 1 } });
    stand.clock.advance(1);
    expect(stand.loads).toBe(1);
  });

  test("asks for the rest of its code after a while, also where nothing happens", async () => {
    const stand = await opened();
    stand.clock.advance(1_999);
    expect(stand.loads).toBe(0);
    stand.clock.advance(1);
    expect(stand.loads).toBe(1);
  });

  test("goes on with the connection that it has, and says nothing of it", async () => {
    const stand = await opened(BTC);
    stand.client.trades("binance:BTC-USDT");
    const { sessionId, url, transport } = stand.client;
    await stand.arrive();
    const { client } = stand;
    expect([client.sessionId, client.url, client.transport]).toEqual([sessionId, url, transport]);
    expect([client.state, stand.states, stand.gateway.sockets.length]).toEqual([
      "connected",
      [],
      1,
    ]);
    expect(stand.gateway.socket.sent("hello")).toHaveLength(1);
    expect(stand.gateway.socket.sent("subscribe")).toHaveLength(1);
  });

  test("gives up what nobody wants any more once it can", async () => {
    const stand = await opened(BTC, ETH);
    const kept = stand.client.trades("binance:ETH-USDT");
    const left = stand.client.trades("binance:BTC-USDT");
    await settle();
    left.close();
    const never = stand.client.trades("binance:XRP-USDT");
    never.close();
    await stand.arrive();
    const { socket } = stand.gateway;
    expect(socket.sent("unsubscribe").map(({ topics }) => topics)).toEqual([[BTC]]);
    socket.deliverBatch(trades(stand.gateway, ETH, 101, [1]));
    expect(kept.buffered).toBe(1);
  });

  test("leaves patterns, books, views and more than 20 topics to the rest of its code", async () => {
    const stand = await opened(BTC, BOOK, ETH, QUOTES);
    const { client, gateway } = stand;
    gateway.offersViews = true;
    const names = Array.from({ length: 20 }, (_, index) => `a:COIN${index}`);
    serve(gateway, ...names.map((name) => `${name}/trades`));
    client.onTrades(names, () => undefined);
    await settle();
    expect(stand.loads).toBe(0);
    client.onTrades("a:COIN20", () => undefined, { onError: () => undefined });
    const book = client.book("binance:BTC-USDT");
    client.onTrades("binance:*", () => undefined);
    client.onQuotes("binance:BTC-USDT", () => undefined, { conflationIntervalMs: 100 });
    await settle();
    expect(stand.loads).toBe(1);
    expect(gateway.socket.sent("subscribe")).toHaveLength(1);
    await stand.arrive();
    const asked = gateway.socket
      .sent("subscribe")
      .slice(1)
      .flatMap(({ topics }) => topics ?? []);
    expect(asked.map(({ topic }) => topic)).toEqual([
      "a:COIN20/trades",
      BOOK,
      "binance:BTC-USDT/quotes",
      "binance:*/trades",
    ]);
    const place = { topicId: gateway.ids.get(BOOK)!, epoch: EPOCH, firstSequence: 101 };
    const change = { snapshot: true, bids: [[100, 1]], asks: [[101, 1]] } as const;
    gateway.socket.deliverBatch(booksBatch(place, [change]));
    expect((await take(book, 1))[0]?.bbo.bid?.priceText).toBe("100");
  });

  test("refuses other options for a topic that it has, at once", async () => {
    const { client } = await opened(BTC);
    client.trades("binance:BTC-USDT");
    const other = () => client.trades("binance:BTC-USDT", { conflationIntervalMs: 100 });
    expect(other).toThrow("other options need another client");
  });

  test("makes a call when its code has come", async () => {
    const stand = await opened();
    stand.gateway.onMessage = (_socket, message) => isPresent(message.call);
    const call = stand.client.rpc.getServerTime({});
    await settle();
    expect(stand.loads).toBe(1);
    await stand.arrive();
    const [sent] = stand.gateway.socket.sent("call");
    const response = tickwire.v1.GetServerTimeResponse.encode({ serverTimeUs: 5 }).finish();
    stand.gateway.socket.deliverMessage({
      reply: { callId: sent!.callId!, response, status: { code: 0 } },
    });
    expect((await call).serverTimeUs).toBe(5);
  });

  test("that is closed ends its streams and its socket, and loads nothing", async () => {
    const stand = await opened(BTC);
    const stream = stand.client.trades("binance:BTC-USDT");
    stand.client.close();
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(stand.gateway.socket.closedWith?.code).toBe(1000);
    expect([stand.client.state, stand.states]).toEqual(["closed", ["closed client-closed"]]);
    stand.clock.advance(60_000);
    expect(stand.loads).toBe(0);
    expect(() => stand.client.trades("binance:BTC-USDT")).toThrow("the client is closed");
  });

  test("slows down if its page was hidden before the code came", async () => {
    const listeners: (() => void)[] = [];
    const document = {
      visibilityState: "visible",
      addEventListener: (_type: string, listener: () => void) => listeners.push(listener),
      removeEventListener: () => undefined,
    };
    Object.assign(globalThis, { document });
    try {
      const stand = await opened(BTC);
      stand.client.trades("binance:BTC-USDT");
      document.visibilityState = "hidden";
      for (const listener of listeners) listener();
      await stand.arrive();
      stand.clock.advance(5_000);
      const [update] = stand.gateway.socket.sent("update");
      expect(update?.topics?.map((each) => each.conflationIntervalMs)).toEqual([1_000]);
    } finally {
      Reflect.deleteProperty(globalThis, "document");
    }
  });
});

describe("a connection that breaks before the code has come", () => {
  test("is made anew when it has, and goes on from where the topic was", async () => {
    const stand = await opened(BTC);
    const stream = stand.client.trades("binance:BTC-USDT");
    await settle();
    stand.gateway.socket.deliverBatch(trades(stand.gateway, BTC, 101, [1]));
    stand.gateway.socket.closeByServer(1006);
    await stand.arrive();
    expect(stand.states).toEqual(["reconnecting connection-lost"]);
    stand.clock.advance(1_000);
    await settle();
    expect(stand.states.at(-1)).toBe("connected welcome");
    const resume = stand.gateway.socket.sent("subscribe")[0]?.topics?.[0]?.resume;
    expect([Number(resume?.epoch), Number(resume?.sequence)]).toEqual([EPOCH, 101]);
    expect(stream.buffered).toBe(1);
  });

  test("closes the client if its code says so", async () => {
    const stand = await opened(BTC);
    const stream = stand.client.trades("binance:BTC-USDT");
    stand.gateway.socket.closeByServer(4504, "revoked");
    await stand.arrive();
    expect(stand.states).toEqual(["closed unauthenticated"]);
    await expect(stream.next()).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test.each([
    ["at the limit is waited for", 4 * 1024 * 1024, 1],
    ["beyond the limit is not", 4 * 1024 * 1024 + 1, 2],
  ])("what is kept %s", async (_, keptBytes, sockets) => {
    const stand = await opened(BTC);
    const { socket } = stand.gateway;
    // A field that nobody knows, to fill up with: its tag and length are 5 bytes.
    const filler = new Uint8Array(keptBytes);
    filler.set([0x7a, ...varint4(filler.length - 5)]);
    socket.deliver(filler);
    await stand.arrive();
    stand.clock.advance(2_000);
    await settle();
    expect(stand.gateway.sockets).toHaveLength(sockets);
  });
});

/** A length in four bytes. */
function varint4(value: number): number[] {
  return [
    (value & 127) | 128,
    ((value >> 7) & 127) | 128,
    ((value >> 14) & 127) | 128,
    value >> 21,
  ];
}

describe("code that cannot be loaded", () => {
  test("is told to who needs it, costs nobody else anything, and is tried again", async () => {
    const stand = await opened(BTC, BOOK);
    const stream = stand.client.trades("binance:BTC-USDT");
    await settle();
    const book = stand.client.book("binance:BTC-USDT").next();
    await settle();
    await stand.fail();
    await expect(book).rejects.toMatchObject({ code: "connect-failed", retryable: true });
    await expect(book).rejects.toBeInstanceOf(ConnectionError);
    expect([stand.client.state, stand.states, stand.loads]).toEqual(["connected", [], 3]);
    stand.gateway.socket.deliverBatch(trades(stand.gateway, BTC, 101, [1]));
    expect(stream.buffered).toBe(1);
    stand.client.onBook("binance:BTC-USDT", () => undefined);
    await stand.arrive();
    expect(stand.gateway.ids.has(BOOK)).toBe(true);
    expect(stand.gateway.sockets).toHaveLength(1);
  });

  test("fails a call with the reason", async () => {
    const stand = await opened();
    const call = stand.client.rpc.getServerTime({}, { timeoutMs: 60_000 });
    await settle();
    await stand.fail();
    await expect(call).rejects.toMatchObject({ code: "unavailable", retryable: true });
  });

  test("is a lost connection where what came waits for it, until it comes", async () => {
    const stand = await opened(BTC);
    const stream = stand.client.trades("binance:BTC-USDT");
    await settle();
    stand.gateway.socket.deliverBatch(trades(stand.gateway, BTC, 101, [1]));
    stand.gateway.socket.deliverMessage({ notice: { kind: 2, message: "late", lagMs: 9 } });
    await stand.fail();
    expect(stand.states).toEqual(["reconnecting connect-failed"]);
    expect(stand.gateway.socket.closedWith?.code).toBe(4000);
    stand.clock.advance(20_000);
    await stand.arrive();
    stand.clock.advance(2_000);
    await settle();
    expect(stand.states.at(-1)).toBe("connected welcome");
    stand.gateway.socket.deliverBatch(trades(stand.gateway, BTC, 102, [2]));
    expect(stream.buffered).toBe(2);
  });
});

describe("what an opening does not know", () => {
  test.each([
    ["an option", { pingIntervalMs: 1_000 }],
    ["a token that is asked for", { token: () => "secret" }],
  ])("is left to the rest of the code, which comes first: %s", async (_, options) => {
    const stand = new OpeningStand();
    const connecting = stand.connect(options);
    await settle();
    expect([stand.loads, stand.gateway.sockets.length]).toEqual([1, 0]);
    await stand.arrive();
    // What renews a token is a file of its own.
    const client = await connecting;
    expect(client.state).toBe("connected");
  });

  test("is why a gateway does not answer: the rest of the code says so", async () => {
    const stand = new OpeningStand();
    stand.gateway.welcomes = false;
    const connecting = stand.connect();
    connecting.catch(() => undefined);
    stand.gateway.socket.accept("http");
    await stand.arrive();
    stand.gateway.socket.accept("http");
    await expect(connecting).rejects.toMatchObject({ code: "unsupported-version" });
  });

  test("is why a WebSocket stays silent: what else there is comes first then", async () => {
    const stand = new OpeningStand();
    stand.gateway.welcomes = false;
    const asked: string[] = [];
    const fetch = (url: string) => {
      asked.push(new URL(url).pathname);
      return Promise.reject(new TypeError("no network"));
    };
    vi.stubGlobal("WebSocket", stand.gateway.WebSocket);
    const connecting = stand.connect({ webSocket: undefined, fetch: fetch as never });
    connecting.catch(() => undefined);
    stand.clock.advance(10_000);
    await stand.arrive();
    const hasAsked = () => {
      stand.clock.advance(0);
      expect(asked.length).toBeGreaterThan(0);
    };
    await vi.waitFor(hasAsked, { timeout: 20_000 });
    expect([asked[0]?.includes("sse"), stand.gateway.sockets.length]).toEqual([true, 1]);
    vi.unstubAllGlobals();
  });

  test("is told as an error if neither can be had", async () => {
    const stand = new OpeningStand();
    stand.gateway.welcomes = false;
    const connecting = stand.connect();
    connecting.catch(() => undefined);
    stand.gateway.socket.closeByServer(1006);
    await settle();
    await stand.fail();
    await expect(connecting).rejects.toMatchObject({ code: "connect-failed", retryable: true });
  });

  test("a bad option and a bad address are refused at once", async () => {
    const stand = new OpeningStand();
    await expect(stand.connect({ bufferEventsMax: 0 })).rejects.toThrow("bufferEventsMax 0");
    await expect(stand.connect({}, "nonsense")).rejects.toThrow("not the address of a gateway");
    expect([stand.loads, stand.gateway.sockets.length]).toEqual([0, 0]);
  });
});
