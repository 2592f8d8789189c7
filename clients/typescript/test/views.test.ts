import { afterEach, describe, expect, test, vi } from "vitest";
import type { NoticeEvent } from "../src/events/stream-events.ts";
import { booksBatch, settle, tradesBatch, type FakeGateway } from "./fake-gateway.ts";
import { connectFake, reconnect } from "./fake-session.ts";

const BOOK = "binance:BTC-USDT/book";
const TRADES = "binance:BTC-USDT/trades";

async function connectWith(topics: readonly string[]) {
  const session = await connectFake();
  session.gateway.offersViews = true;
  for (const topic of topics) session.gateway.topics.set(topic, { epoch: 7, sequence: 10 });
  return session;
}

/** The whole book of a view, at a sequence. */
function whole(gateway: FakeGateway, sequence: number, prices: readonly number[]) {
  const position = { topicId: gateway.ids.get(BOOK) ?? 0, epoch: 7, firstSequence: sequence };
  const bids = prices.map((price) => [price, 1] as const);
  return booksBatch({ ...position, snapshot: true }, [{ snapshot: true, bids, asks: [] }]);
}

const updates = (gateway: FakeGateway) =>
  gateway.socket.sent("update").flatMap(({ topics }) => {
    return (topics ?? []).map(({ topic, depth, conflationIntervalMs }) => {
      return `${topic} ${depth ?? 0} ${conflationIntervalMs ?? 0}`;
    });
  });

describe("a view", () => {
  test("is asked for, and may be more than what was asked for", async () => {
    const { client, gateway } = await connectWith([BOOK]);
    gateway.onMessage = (socket, { subscribe }) => {
      if (subscribe === undefined || subscribe === null) return false;
      const result = { ...gateway.topicResult(BOOK, 0, undefined), depth: 10 };
      const topics = [{ ...result, conflationIntervalMs: 100 }];
      socket.deliverMessage({ subscribeResult: { requestId: subscribe.requestId ?? 0, topics } });
      return true;
    };
    const book = client.book("binance:BTC-USDT", { depth: 7, conflationIntervalMs: 60 });
    await settle();
    const [topic] = gateway.socket.sent("subscribe")[0]?.topics ?? [];
    expect([topic?.depth, topic?.conflationIntervalMs]).toEqual([7, 60]);
    expect(book.refusals).toEqual([]);
  });

  test("that is less than what was asked for is refused", async () => {
    const { client, gateway } = await connectWith([BOOK, TRADES]);
    gateway.offersViews = false;
    const book = client.book("binance:BTC-USDT", { depth: 10 });
    const trades = client.trades("binance:BTC-USDT", { conflationIntervalMs: 50 });
    await expect(book.next()).rejects.toMatchObject({ code: "topic-unsupported-option" });
    await expect(trades.next()).rejects.toMatchObject({ code: "topic-unsupported-option" });
  });

  test("goes on from what it left out without a loss", async () => {
    const { client, gateway } = await connectWith([TRADES]);
    const notices: NoticeEvent[] = [];
    const options = {
      conflationIntervalMs: 100,
      onNotice: (each: NoticeEvent) => notices.push(each),
    };
    const stream = client.trades("binance:BTC-USDT", options);
    await settle();
    const topicId = gateway.ids.get(TRADES) ?? 0;
    const at = { topicId, epoch: 7, firstSequence: 18, skipped: 7 };
    gateway.socket.deliverBatch(tradesBatch(at, [5]));
    expect([stream.buffered, notices.length]).toEqual([1, 1]);
  });
});

describe("an update", () => {
  test("asks for another view of what is subscribed, and keeps what it leaves out", async () => {
    const { client, gateway } = await connectWith([BOOK]);
    const book = client.book("binance:BTC-USDT", { depth: 10 });
    await settle();
    book.update({ conflationIntervalMs: 250 });
    await settle();
    book.update({ depth: 0 });
    await settle();
    expect(updates(gateway)).toEqual([`${BOOK} 10 250`, `${BOOK} 0 250`]);
  });

  test("goes with the subscription, where that was not sent yet", async () => {
    const { client, gateway } = await connectWith([BOOK]);
    const book = client.book("binance:BTC-USDT");
    book.update({ depth: 20 });
    await settle();
    expect(gateway.socket.sent("subscribe")[0]?.topics?.[0]?.depth).toBe(20);
    expect(updates(gateway)).toEqual([]);
  });

  test("of a pattern names the pattern, and what was resumed by its name", async () => {
    const session = await connectWith([BOOK, "binance:ETH-USDT/book"]);
    const { client, gateway } = session;
    const subscription = client.onBook("binance:*", () => undefined);
    await settle();
    subscription.update({ depth: 5 });
    await settle();
    expect(updates(gateway)).toEqual(["binance:*/book 5 0"]);
    await reconnect(session);
    subscription.update({ depth: 1 });
    await settle();
    const all = ["binance:*/book 1 0", `${BOOK} 1 0`, "binance:ETH-USDT/book 1 0"];
    expect(updates(gateway).toSorted()).toEqual(all.toSorted());
  });

  test("shows the book of the new view when that has come", async () => {
    const { client, gateway } = await connectWith([BOOK]);
    const seen: number[] = [];
    const subscription = client.onBook("binance:BTC-USDT", ({ bids }) => seen.push(bids.length));
    await settle();
    gateway.socket.deliverBatch(whole(gateway, 10, [9, 8, 7]));
    subscription.update({ depth: 1 });
    await settle();
    gateway.socket.deliverBatch(whole(gateway, 10, [9]));
    expect(seen.slice(-2)).toEqual([3, 1]);
    expect(client.counters.gaps).toBe(0);
  });

  test("whose book has not come is made good after a reconnect, from the same position", async () => {
    const session = await connectWith([BOOK]);
    const { client, gateway } = session;
    const subscription = client.onBook("binance:BTC-USDT", () => undefined);
    await settle();
    gateway.socket.deliverBatch(whole(gateway, 10, [9, 8, 7]));
    subscription.update({ depth: 1 });
    await settle();
    await reconnect(session);
    const [again] = gateway.socket.sent("subscribe")[0]?.topics ?? [];
    // SNAPSHOT_MODE_WHOLE
    expect([again?.depth, again?.snapshot, Number(again?.resume?.sequence)]).toEqual([1, 2, 10]);
    gateway.socket.deliverBatch(whole(gateway, 10, [9]));
    await reconnect(session);
    expect(gateway.socket.sent("subscribe")[0]?.topics?.[0]?.snapshot ?? 0).toBe(0);
  });

  test("that is overtaken by another one waits for the book of the last", async () => {
    const session = await connectWith([BOOK]);
    const { client, gateway } = session;
    const held: (() => void)[] = [];
    gateway.onMessage = (socket, { update }) => {
      if (update === undefined || update === null) return false;
      held.push(() => gateway.answerUpdate(socket, update));
      return true;
    };
    const subscription = client.onBook("binance:BTC-USDT", () => undefined);
    await settle();
    gateway.socket.deliverBatch(whole(gateway, 10, [9, 8, 7]));
    subscription.update({ depth: 1 });
    await settle();
    subscription.update({ depth: 5 });
    await settle();
    held.shift()?.();
    gateway.socket.deliverBatch(whole(gateway, 10, [9]));
    await reconnect(session);
    expect(gateway.socket.sent("subscribe")[0]?.topics?.[0]?.snapshot).toBe(2);
  });

  test("with a value out of range throws and changes nothing", async () => {
    const { client, gateway } = await connectWith([BOOK]);
    const book = client.book("binance:BTC-USDT");
    await settle();
    expect(() => book.update({ conflationIntervalMs: 10_001 })).toThrow(RangeError);
    expect(() => book.update({ depth: -1 })).toThrow(RangeError);
    book.close();
    book.update({ depth: 5 });
    await settle();
    expect(updates(gateway)).toEqual([]);
  });
});

describe("a hidden page", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  /** A page that is hidden and shown by the test. */
  function page() {
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("document", document);
    return (state: "visible" | "hidden") => {
      document.visibilityState = state;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  }

  test("gets everything once a second, and as it was asked for when it is shown", async () => {
    const turn = page();
    const { client, gateway, clock } = await connectWith([BOOK, TRADES]);
    client.book("binance:BTC-USDT", { depth: 5 });
    client.trades("binance:BTC-USDT", { conflationIntervalMs: 2_000 });
    await settle();
    turn("hidden");
    clock.advance(5_000);
    await settle();
    expect(updates(gateway)).toEqual([`${BOOK} 5 1000`, `${TRADES} 0 2000`]);
    turn("visible");
    await settle();
    expect(updates(gateway).slice(2)).toEqual([`${BOOK} 5 0`, `${TRADES} 0 2000`]);
  });

  test("subscribes slowly what it begins meanwhile", async () => {
    const turn = page();
    const { client, gateway, clock } = await connectWith([BOOK]);
    turn("hidden");
    clock.advance(5_000);
    client.book("binance:BTC-USDT");
    await settle();
    expect(gateway.socket.sent("subscribe")[0]?.topics?.[0]?.conflationIntervalMs).toBe(1_000);
  });
});
