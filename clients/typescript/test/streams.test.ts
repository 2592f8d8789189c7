import { describe, expect, test } from "vitest";
import {
  encodeBatches,
  encodeFrame,
  isPresent,
  quotesBatch,
  settle,
  tradesBatch,
  type FakeGateway,
} from "./fake-gateway.ts";
import { connectFake, reconnect, take } from "./fake-session.ts";
import type { TopicRefusal } from "../src/errors.ts";
import type { NoticeEvent, StreamEvent } from "../src/events/stream-events.ts";

const BTC = "binance:BTC-USDT/trades";
const ETH = "binance:ETH-USDT/trades";
const BOOK = "binance:BTC-USDT/book";

async function connectWith(topics: readonly string[]) {
  const session = await connectFake();
  for (const topic of topics) session.gateway.topics.set(topic, { epoch: 7, sequence: 100 });
  return session;
}

function idOf(gateway: FakeGateway, topic: string): number {
  return gateway.ids.get(topic) ?? 0;
}

describe("trades", () => {
  test("arrive once, in order, exact and as numbers", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT");
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [1050, 99]));
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 103 }, [200]));
    const trades = await take(stream, 3);
    expect(trades.map((trade) => trade.sequence)).toEqual([101, 102, 103]);
    expect(trades.map((trade) => trade.priceText)).toEqual(["10.5", "0.99", "2"]);
    expect(trades.map((trade) => trade.price)).toEqual([10.5, 0.99, 2]);
    expect(trades[0]).toMatchObject({
      type: "trade",
      topic: BTC,
      venue: "binance",
      symbol: "BTC-USDT",
      venueSymbol: "BTCUSDT",
      epoch: 7,
      priceMantissa: 1050,
      priceScale: 2,
      size: 1,
      aggressorSide: "buyer",
      tradeId: "101",
      historical: false,
      initial: false,
      receivedTimeUs: 1_700_000_000_000_000,
      publishedTimeUs: 1_700_000_000_000_500,
    });
  });

  test("a time that the venue does not give stays absent", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT");
    await settle();
    const head = { topicId: idOf(gateway, BTC), epoch: 7, firstSequence: 101 };
    gateway.socket.deliverBatch(tradesBatch({ ...head, venueTimeUs: undefined }, [1]));
    const [trade] = await take(stream, 1);
    expect(trade?.venueTimeUs).toBeUndefined();
    expect(JSON.stringify(trade)).not.toContain("venueTimeUs");
  });

  test("two frames in one message are one frame", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT");
    gateway.onMessage = (_socket, message) => isPresent(message.subscribe);
    await settle();
    const [subscribe] = gateway.socket.sent("subscribe");
    const result = gateway.topicResult(BTC, 0, undefined);
    const answer = { subscribeResult: { requestId: subscribe?.requestId ?? 0, topics: [result] } };
    const head = { topicId: result.topicId!, epoch: 7, firstSequence: 101 };
    const frames = [
      // The batch comes first on the wire: messages are handled before batches all the same.
      encodeBatches(tradesBatch(head, [1, 2])),
      encodeFrame({ messages: [answer] }),
    ];
    gateway.socket.deliver(Buffer.concat(frames));
    expect((await take(stream, 2)).map((trade) => trade.sequence)).toEqual([101, 102]);
  });

  test("several topics and patterns go out in one request", async () => {
    const { client, gateway } = await connectWith([BTC, ETH]);
    client.trades(["binance:BTC-USDT", "binance:*/trades"]);
    client.quotes("binance:BTC-USDT");
    await settle();
    const requests = gateway.socket.sent("subscribe");
    expect(requests).toHaveLength(1);
    expect(requests[0]?.topics?.map((topic) => topic.topic)).toEqual([
      BTC,
      "binance:BTC-USDT/quotes",
      "binance:*/trades",
    ]);
  });

  test.each([
    [2, [2]],
    [3, [3]],
    [4, [3, 1]],
  ])("%i topics are cut into requests of at most topicsPerRequestMax 3", async (count, sizes) => {
    const session = await connectWith([]);
    const { client, gateway } = session;
    gateway.limits = { ...gateway.limits, topicsPerRequestMax: 3 };
    await reconnect(session);
    const topics = Array.from({ length: count }, (_, index) => `binance:A${index}`);
    client.trades(topics, { onRefused: () => undefined });
    await settle();
    const requests = gateway.socket.sent("subscribe");
    expect(requests.map((request) => request.topics?.length)).toEqual(sizes);
  });

  test("one event reaches a consumer of the topic and of a matching pattern once each", async () => {
    const { client, gateway } = await connectWith([BTC, ETH]);
    const exact = client.trades("binance:BTC-USDT");
    const all = client.trades("binance:*");
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    expect([exact.buffered, all.buffered]).toEqual([1, 1]);
    expect(client.counters.events).toBe(1);
  });

  test("a batch with an id that was never given is dropped and counted", async () => {
    const { client, gateway } = await connectWith([BTC]);
    gateway.socket.deliverBatch(tradesBatch({ topicId: 99, epoch: 7, firstSequence: 1 }, [5]));
    expect(client.counters).toMatchObject({ unknownTopicBatches: 1, events: 0 });
    expect(client.state).toBe("connected");
  });
});

describe("the end of a stream", () => {
  test("an abort ends the loop cleanly and unsubscribes", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const controller = new AbortController();
    const stream = client.trades("binance:BTC-USDT", { signal: controller.signal });
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    controller.abort();
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(gateway.socket.sent("unsubscribe")[0]?.topics).toEqual([BTC]);
    // What was on its way is dropped without being counted as unknown.
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 102 }, [5]));
    expect(client.counters.unknownTopicBatches).toBe(0);
  });

  test("a signal that was aborted before subscribes nothing", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT", { signal: AbortSignal.abort() });
    await settle();
    expect(await stream.next()).toMatchObject({ done: true });
    expect(gateway.socket.sent("subscribe")).toHaveLength(0);
  });

  test("after an abort the loop ends, and a stream of an ended client ends by its signal too", async () => {
    const { client } = await connectWith([BTC]);
    const controller = new AbortController();
    const stream = client.trades("binance:BTC-USDT", { signal: controller.signal });
    controller.abort();
    let seen = 0;
    for await (const _trade of stream) seen += 1;
    expect(seen).toBe(0);
    client.close();
    const late = client.trades("binance:BTC-USDT", { signal: controller.signal });
    expect(await late.next()).toMatchObject({ done: true });
  });

  test("a second loop over one stream is refused, and takes nothing from the first", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT");
    await settle();
    const iterator = stream[Symbol.asyncIterator]();
    const second = async () => {
      for await (const trade of stream) return trade;
      return undefined;
    };
    await expect(second()).rejects.toMatchObject({ code: "stream-consumed", retryable: false });
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    expect((await iterator.next()).value?.sequence).toBe(101);
  });

  test("leaving the loop unsubscribes", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT");
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    for await (const trade of stream) {
      expect(trade.sequence).toBe(101);
      break;
    }
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(1);
  });

  test("a channel that this client does not know is passed over", async () => {
    const { client, gateway } = await connectWith([BTC, "binance:BTC-USDT/greeks"]);
    const types: string[] = [];
    client.subscribe("binance:BTC-USDT/*", (event) => types.push(event.type));
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [1050]));
    const unknownId = idOf(gateway, "binance:BTC-USDT/greeks");
    const head = { topicId: unknownId, epoch: 7, firstSequence: 101 };
    gateway.socket.deliverBatch(tradesBatch(head, [1]));
    expect(client.state).toBe("connected");
    expect(types).toEqual(["continuity", "trade"]);
    expect(client.counters.unknownTopicBatches).toBe(0);
  });

  test("a second consumer of a running topic is told of its start", async () => {
    const { client, gateway } = await connectWith([BTC]);
    client.onTrades("binance:BTC-USDT", () => undefined);
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [1050]));
    const notices: NoticeEvent[] = [];
    const onNotice = (notice: NoticeEvent) => notices.push(notice);
    client.onTrades("binance:BTC-USDT", () => undefined, { onNotice });
    await settle();
    expect(notices).toMatchObject([{ continuity: "new", epoch: 7, sequence: 101 }]);
  });

  test("one of two consumers leaving does not unsubscribe", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const first = client.trades("binance:BTC-USDT");
    const second = client.trades("binance:BTC-USDT");
    await settle();
    first.close();
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(0);
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    expect(second.buffered).toBe(1);
    second.close();
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(1);
  });

  test("a pattern that goes does not take a topic that is wanted by name", async () => {
    const { client, gateway } = await connectWith([BTC, ETH]);
    const all = client.trades("binance:*");
    await settle();
    const exact = client.trades("binance:BTC-USDT");
    await settle();
    all.close();
    await settle();
    expect(gateway.socket.sent("unsubscribe")[0]?.topics).toEqual(["binance:*/trades"]);
    const again = gateway.socket.sent("subscribe").at(-1)?.topics;
    expect(again?.map((topic) => [topic.topic, Number(topic.resume?.sequence)])).toEqual([
      [BTC, 100],
    ]);
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    expect(exact.buffered).toBe(1);
  });

  test("unsubscribing before the answer came leaves nothing behind", async () => {
    const { client, gateway } = await connectWith([BTC]);
    gateway.onMessage = (_socket, message) => isPresent(message.subscribe);
    const stream = client.trades("binance:BTC-USDT");
    await settle();
    stream.close();
    const [subscribe] = gateway.socket.sent("subscribe");
    gateway.answerSubscribe(gateway.socket, subscribe!);
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    await settle();
    expect(gateway.socket.sent("unsubscribe")[0]?.topics).toEqual([BTC]);
    expect(client.counters).toMatchObject({ events: 0, unknownTopicBatches: 0 });
  });

  test("unsubscribing before the request left sends nothing at all", async () => {
    const { client, gateway } = await connectWith([BTC]);
    client.trades("binance:BTC-USDT").close();
    await settle();
    expect(gateway.socket.received.map((message) => Object.keys(message))).toEqual([["hello"]]);
  });

  test("a new consumer right after the last one left gets a subscription of its own", async () => {
    const { client, gateway } = await connectWith([BTC]);
    client.trades("binance:BTC-USDT");
    const first = client.trades("binance:BTC-USDT");
    await settle();
    first.close();
    client.trades("binance:BTC-USDT").close();
    const again = client.trades("binance:BTC-USDT");
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    expect(again.buffered).toBe(1);
  });
});

describe("refused topics", () => {
  test("an unknown topic is thrown to the loop, if there is no other", async () => {
    const { client } = await connectWith([BTC]);
    const next = client.trades(["binance:NO-SUCH", "binance:NO-SUCH-2"]).next();
    await expect(next).rejects.toMatchObject({
      code: "topic-unknown-symbol",
      refusals: [{ topic: "binance:NO-SUCH/trades" }, { topic: "binance:NO-SUCH-2/trades" }],
    });
  });

  test("candles of a length that there is not are refused with those that there are", async () => {
    const [candles, other] = ["binance:BTC-USDT/candles", "binance:ETH-USDT/candles"];
    const { client, gateway } = await connectWith([candles, other]);
    gateway.topics.get(candles)!.candleIntervalsMs = [60_000];
    gateway.topics.get(other)!.candleIntervalsMs = [7, 60_000];
    const code = "topic-unknown-interval";
    const refusal = { topic: candles, code, alternatives: ["60000"] };
    const none = client.candles("binance:BTC-USDT", { intervalMs: 7 });
    await expect(none.next()).rejects.toMatchObject({ code, refusals: [refusal] });
    client.candles("binance:BTC-USDT", { intervalMs: 60_000 });
    const refused: TopicRefusal[] = [];
    client.candles("binance:*", {
      intervalMs: 7,
      onRefused: (given) => refused.push(given),
    });
    await settle();
    expect(refused).toEqual([expect.objectContaining(refusal)]);
    expect([...gateway.ids.keys()].toSorted()).toEqual([candles, other]);
    // Whoever comes later is asked no less.
    const late = client.candles("binance:BTC-USDT", { intervalMs: 7 });
    await expect(late.next()).rejects.toMatchObject({ code });
    expect(() => client.candles("binance:BTC-USDT", { intervalMs: 0 })).toThrow(RangeError);
  });

  test("does not end the others, and is told where somebody listens", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const told: string[] = [];
    const topics = ["binance:BTC-USDT", "binance:NO-SUCH"];
    const quiet = client.trades(topics);
    const heard = client.trades(topics, {
      onRefused: ({ topic }) => told.push(topic),
      onNotice: (notice) => notice.type === "refused" && told.push(notice.code),
    });
    const events: string[] = [];
    const onError = () => events.push("error");
    const full = topics.map((topic) => `${topic}/trades`);
    const all = client.subscribe(full, ({ type }) => events.push(type), { onError });
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    expect([quiet.buffered, heard.buffered]).toEqual([1, 1]);
    expect(told).toEqual(["binance:NO-SUCH/trades", "topic-unknown-symbol"]);
    expect(events).toEqual(["continuity", "refused", "trade"]);
    const refusal = { topic: "binance:NO-SUCH/trades", code: "topic-unknown-symbol" };
    for (const { refusals } of [quiet, heard, all]) expect(refusals).toMatchObject([refusal]);
  });

  test("of a pattern that finds no room for all leave it what it got", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const LIMIT_EXCEEDED = 4;
    gateway.onMessage = (socket, { subscribe }) => {
      if (!isPresent(subscribe)) return false;
      const topic = subscribe.topics?.[0]?.topic ?? "";
      const room = topic === "binance:*/trades";
      const refused = { error: LIMIT_EXCEEDED, errorMessage: "raise gateway.subscriptionsMax" };
      const topics = room
        ? [gateway.topicResult(BTC, 0, undefined), { topic: "binance:XRP-USDT/trades", ...refused }]
        : [{ topic, ...refused }];
      socket.deliverMessage({ subscribeResult: { requestId: subscribe.requestId ?? 0, topics } });
      return true;
    };
    const stream = client.trades("binance:*");
    await settle();
    const none = client.trades("kraken:*");
    await settle();
    gateway.socket.deliverBatch(
      tradesBatch({ topicId: idOf(gateway, BTC), epoch: 7, firstSequence: 101 }, [5]),
    );
    expect(stream.buffered).toBe(1);
    const message = expect.stringContaining("raise gateway.subscriptionsMax");
    expect(stream.refusals).toMatchObject([{ code: "topic-limit-exceeded", message }]);
    await expect(none.next()).rejects.toMatchObject({ code: "topic-limit-exceeded", message });
  });

  test("are what a gateway grants otherwise than it was asked to", async () => {
    const { client, gateway } = await connectWith([BOOK, BTC]);
    const book = client.book("binance:BTC-USDT", { depth: 10 });
    const trades = client.trades("binance:*", { conflationIntervalMs: 50 });
    const message =
      "depth 10 and conflationIntervalMs 0 were asked for, and the gateway offers 0 and 0";
    await expect(book.next()).rejects.toMatchObject({ code: "topic-unsupported-option" });
    await expect(trades.next()).rejects.toMatchObject({ code: "topic-unsupported-option" });
    expect(book.refusals).toMatchObject([{ topic: BOOK, message }]);
    await settle();
    expect(gateway.ids.size).toBe(0);
  });

  test.each(["BTC-USDT", "a:b c", "a:b/", "binance:BTC-USDT/quotes", ""])(
    "%j is no topic of trades, said at once",
    async (topic) => {
      const { client } = await connectWith([]);
      expect(() => client.trades(topic)).toThrow(
        expect.objectContaining({ code: "topic-malformed" }),
      );
    },
  );

  test("a channel that there is not is named with those that there are, at once", async () => {
    const { client } = await connectWith([]);
    const refused = () => client.subscribe("binance:BTC-USDT/nonsense", () => undefined);
    const alternatives = expect.arrayContaining(["trades", "book"]) as unknown;
    const refusal = expect.objectContaining({ alternatives }) as unknown;
    expect(refused).toThrow(
      expect.objectContaining({ code: "topic-unknown-channel", refusals: [refusal] }),
    );
  });

  test.each([
    ["kraken:BTC/USD", "kraken:BTC/USD/trades"],
    ["kraken:BTC/USD/trades", "kraken:BTC/USD/trades"],
    ["bitfinex:tBTCF0:USTF0", "bitfinex:tBTCF0:USTF0/trades"],
  ])("a symbol of the venue's own may hold what separates: %s", async (text, topic) => {
    const { client, gateway } = await connectWith([]);
    client.trades(text);
    await settle();
    const [subscribe] = gateway.socket.sent("subscribe");
    expect(subscribe?.topics?.map((request) => request.topic)).toEqual([topic]);
  });

  test("a topic that is unavailable now is asked for again", async () => {
    const session = await connectWith([BTC]);
    const { client, gateway, clock } = session;
    gateway.onMessage = (socket, message) => {
      if (!isPresent(message.subscribe)) return false;
      const topics = [{ requestIndex: 0, topic: BTC, error: 6 }];
      socket.deliverMessage({
        subscribeResult: { requestId: message.subscribe.requestId ?? 0, topics },
      });
      return true;
    };
    const notices: NoticeEvent[] = [];
    const stream = client.trades("binance:BTC-USDT", { onNotice: (event) => notices.push(event) });
    await settle();
    expect(notices).toMatchObject([{ type: "continuity", continuity: "unavailable", topic: BTC }]);
    gateway.onMessage = () => false;
    clock.advance(500);
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5]));
    expect(stream.buffered).toBe(1);
  });

  test("other options for a topic that is subscribed are refused", async () => {
    const { client } = await connectWith([BTC]);
    client.trades("binance:BTC-USDT");
    const again = () => client.trades("binance:BTC-USDT", { conflationIntervalMs: 100 });
    expect(again).toThrow(expect.objectContaining({ code: "options-conflict" }));
  });

  test("a topic that ends is thrown to the loop", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT");
    await settle();
    const notice = { kind: 4, topicId: idOf(gateway, BTC), message: "delisted" };
    gateway.socket.deliverMessage({ notice });
    await expect(stream.next()).rejects.toMatchObject({ code: "topic-unknown-symbol" });
  });
});

describe("callbacks", () => {
  test("get every event until closed", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const sequences: number[] = [];
    const subscription = client.onTrades("binance:BTC-USDT", (trade) => {
      sequences.push(trade.sequence);
    });
    await settle();
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5, 6]));
    subscription.close();
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 103 }, [5]));
    expect(sequences).toEqual([101, 102]);
    expect(subscription.closed).toBe(true);
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(1);
  });

  test("a callback that throws loses neither the next event nor the connection", async () => {
    const { client, gateway } = await connectWith([BTC]);
    const original = globalThis.queueMicrotask;
    const uncaught: unknown[] = [];
    const seen: number[] = [];
    client.onTrades("binance:BTC-USDT", ({ sequence }) => {
      seen.push(sequence);
      throw new Error(`mine ${sequence}`);
    });
    await settle();
    globalThis.queueMicrotask = (callback) => {
      try {
        callback();
      } catch (error) {
        uncaught.push(error);
      }
    };
    const topicId = idOf(gateway, BTC);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, [5, 6]));
    globalThis.queueMicrotask = original;
    expect(seen).toEqual([101, 102]);
    expect(uncaught).toMatchObject([{ message: "mine 101" }, { message: "mine 102" }]);
    expect(client.state).toBe("connected");
  });

  test("errors go to onError", async () => {
    const { client } = await connectWith([]);
    const errors: string[] = [];
    const onError = ({ code }: { code: string }) => errors.push(code);
    client.onTrades("binance:NO-SUCH", () => undefined, { onError });
    await settle();
    expect(errors).toEqual(["topic-unknown-symbol"]);
  });

  test("subscribe() hands on several channels with their notices in place", async () => {
    const quotes = "binance:BTC-USDT/quotes";
    const { client, gateway } = await connectWith([BTC, quotes]);
    const events: string[] = [];
    client.subscribe([BTC, quotes], (event: StreamEvent) => events.push(event.type));
    await settle();
    const head = { epoch: 7, firstSequence: 101 };
    gateway.socket.deliverBatch(
      tradesBatch({ topicId: idOf(gateway, BTC), ...head }, [5]),
      quotesBatch({ topicId: idOf(gateway, quotes), ...head }, 100, 101),
    );
    expect(events).toEqual(["continuity", "continuity", "trade", "quote"]);
    expect(() => client.subscribe("binance:BTC-USDT", () => undefined)).toThrow("names no channel");
  });
});

describe("overflow", () => {
  async function fill(overflow: "error" | "drop-oldest" | "latest", count: number) {
    const { client, gateway } = await connectWith([BTC]);
    const stream = client.trades("binance:BTC-USDT", { bufferEventsMax: 20, overflow });
    await settle();
    const topicId = idOf(gateway, BTC);
    const prices = Array.from({ length: count }, (_, index) => index);
    gateway.socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: 101 }, prices));
    return { stream, gateway };
  }

  test.each([19, 20])("error: %i events fit a buffer of 20", async (count) => {
    const { stream } = await fill("error", count);
    expect(await take(stream, count)).toHaveLength(count);
    expect(stream.dropped).toBe(0);
  });

  test("error: one more ends the stream after what it holds, and unsubscribes", async () => {
    const { stream, gateway } = await fill("error", 21);
    const trades = await take(stream, 20);
    expect(trades.at(-1)?.sequence).toBe(120);
    await expect(stream.next()).rejects.toMatchObject({
      code: "buffer-overflow",
      bufferEventsMax: 20,
    });
    expect(await stream.next()).toMatchObject({ done: true });
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(1);
  });

  test.each([
    [19, 0, 101],
    [20, 0, 101],
    [21, 1, 102],
    [100, 80, 181],
  ])("drop-oldest: %i events drop %i", async (count, dropped, first) => {
    const { stream } = await fill("drop-oldest", count);
    expect(stream.dropped).toBe(dropped);
    const [trade] = await take(stream, 1);
    expect(trade?.sequence).toBe(first);
  });

  test("latest: only the newest event of a topic waits", async () => {
    const { stream } = await fill("latest", 30);
    expect([stream.buffered, stream.dropped]).toEqual([1, 29]);
    const [trade] = await take(stream, 1);
    expect(trade?.sequence).toBe(130);
  });

  test.each([0, -1, 1.5, Number.NaN])("bufferEventsMax %d is refused", async (bufferEventsMax) => {
    const { client } = await connectWith([BTC]);
    expect(() => client.trades("binance:BTC-USDT", { bufferEventsMax })).toThrow(RangeError);
  });

  test("quotes keep the latest of each topic by default", async () => {
    const topic = "binance:BTC-USDT/quotes";
    const session = await connectWith([topic]);
    const stream = session.client.quotes("binance:BTC-USDT");
    await settle();
    for (let index = 0; index < 5; index++) {
      const head = { topicId: idOf(session.gateway, topic), epoch: 7, firstSequence: 101 + index };
      session.gateway.socket.deliverBatch(quotesBatch(head, 100 + index, 200));
    }
    const [quote] = await take(stream, 1);
    expect(quote).toMatchObject({ bidPriceText: "1.04", bidPrice: 1.04, askPriceText: "2" });
    expect(stream.dropped).toBe(4);
    await reconnect(session);
    expect(session.client.state).toBe("connected");
  });
});
