import { inspect } from "node:util";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  isPresent,
  booksBatch,
  settle,
  type FakeBookChange,
  type FakeGateway,
} from "./fake-gateway.ts";
import { connectFake, reconnect, take } from "./fake-session.ts";
import type { LiveBook } from "../src/events/book.ts";

const TOPIC = "binance:BTC-USDT/book";
const SNAPSHOT: FakeBookChange = {
  snapshot: true,
  bids: [
    [100, 1],
    [99, 2],
  ],
  asks: [
    [101, 3],
    [102, 4],
  ],
};

function books(gateway: FakeGateway, first: number, changes: readonly FakeBookChange[], more = {}) {
  const topicId = gateway.ids.get(TOPIC) ?? 0;
  return booksBatch({ topicId, epoch: 7, firstSequence: first, ...more }, changes);
}

async function subscribed() {
  const session = await connectFake();
  session.gateway.topics.set(TOPIC, { epoch: 7, sequence: 10 });
  const stream = session.client.book("binance:BTC-USDT");
  await settle();
  return { ...session, stream };
}

const texts = (book: LiveBook | undefined) => ({
  bids: book?.bids.map((level) => [level.priceText, level.sizeText]),
  asks: book?.asks.map((level) => [level.priceText, level.sizeText]),
});

async function nextBook(stream: AsyncIterableIterator<LiveBook>): Promise<LiveBook> {
  const [book] = await take(stream, 1);
  if (book === undefined) throw new Error("the stream ended");
  return book;
}

describe("a maintained book", () => {
  test("starts with the snapshot and follows the deltas, best levels first", async () => {
    const { gateway, stream } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const book = await nextBook(stream);
    expect(book.state).toBe("live");
    expect(texts(book)).toEqual({
      bids: [
        ["100", "1"],
        ["99", "2"],
      ],
      asks: [
        ["101", "3"],
        ["102", "4"],
      ],
    });
    gateway.socket.deliverBatch(books(gateway, 11, [{ bids: [[100, 0]], asks: [[101, 9]] }]));
    const changed = await nextBook(stream);
    expect(changed.bbo.bid).toMatchObject({ price: 99, size: 2, priceText: "99" });
    expect(changed.bbo.ask).toMatchObject({ price: 101, size: 9 });
    expect(changed.topAsks(1)).toHaveLength(1);
    expect([changed.epoch, changed.sequence]).toEqual([7, 11]);
  });

  test("a slow loop sees the newest state, not every change", async () => {
    const { gateway, stream } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    for (let sequence = 11; sequence < 20; sequence++) {
      gateway.socket.deliverBatch(
        books(gateway, sequence, [{ bids: [[100, sequence]], asks: [] }]),
      );
    }
    expect(stream.buffered).toBe(1);
    expect((await nextBook(stream)).bbo.bid?.size).toBe(19);
    expect(stream.dropped).toBe(9);
  });

  test("levels that were handed out do not change", async () => {
    const { gateway, stream } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const { bids } = await nextBook(stream);
    gateway.socket.deliverBatch(books(gateway, 11, [{ bids: [[100, 5]], asks: [] }]));
    expect(bids[0]?.size).toBe(1);
  });

  test("its snapshot is the book of that moment, and cannot be changed", async () => {
    const { gateway, stream } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const book = await nextBook(stream);
    const whole = book.snapshot();
    gateway.socket.deliverBatch(books(gateway, 11, [{ bids: [[100, 0]], asks: [] }]));
    expect(whole).toMatchObject({
      type: "book-snapshot",
      topic: TOPIC,
      state: "live",
      epoch: 7,
      sequence: 10,
      bids: [{ price: 100, sizeText: "1" }, { price: 99 }],
    });
    expect(book.snapshot(1).bids.map(({ price }) => price)).toEqual([99]);
    for (const part of [whole, whole.bids, whole.bids[0]]) expect(Object.isFrozen(part)).toBe(true);
    expect(JSON.stringify(structuredClone(whole))).toBe(JSON.stringify(whole));
    expect(JSON.parse(JSON.stringify(book))).toEqual(JSON.parse(JSON.stringify(book.snapshot())));
  });

  test("shows on a console where it stands, and its best levels", async () => {
    const { gateway, stream } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const shown = inspect(await nextBook(stream));
    for (const part of [TOPIC, "'live'", "sequence: 10", "1 @ 100", "3 @ 101"]) {
      expect(shown).toContain(part);
    }
  });

  test("a gap empties it until a fresh snapshot comes", async () => {
    const { gateway, stream } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    await nextBook(stream);
    gateway.topics.set(TOPIC, { epoch: 8, sequence: 50 });
    gateway.socket.deliverBatch(books(gateway, 12, [{ bids: [[98, 1]], asks: [] }]));
    const lost = await nextBook(stream);
    expect([lost.state, lost.bids.length, lost.bbo.bid]).toEqual(["resyncing", 0, undefined]);
    await settle();
    const whole = { snapshot: true, bids: [[200, 1]], asks: [[201, 1]] } as const;
    gateway.socket.deliverBatch(books(gateway, 50, [whole], { snapshot: true, epoch: 8 }));
    let book = await nextBook(stream);
    while (book.state !== "live") book = await nextBook(stream);
    expect(book.bbo.bid?.price).toBe(200);
    expect(book.bids).toHaveLength(1);
  });

  test("a delta before any snapshot is not shown, but asked about", async () => {
    const { gateway, client } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 11, [{ bids: [[98, 1]], asks: [] }]));
    await settle();
    expect(client.counters.gaps).toBe(1);
    const again = gateway.socket.sent("subscribe")[1]?.topics?.[0];
    expect(again?.topic).toBe(TOPIC);
    expect(!isPresent(again?.resume)).toBe(true);
  });

  test("it is empty while disconnected and goes on after a resume", async () => {
    const session = await subscribed();
    const { gateway, stream, clock } = session;
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const book = await nextBook(stream);
    gateway.socket.closeByServer(1006);
    expect([book.state, book.asks.length]).toEqual(["disconnected", 0]);
    clock.advanceTo(clock.nextUs!);
    await settle();
    expect(book.state).toBe("live");
    gateway.socket.deliverBatch(books(gateway, 11, [{ bids: [[100, 7]], asks: [] }]));
    expect(book.bbo.bid?.size).toBe(7);
    expect(book.bids).toHaveLength(2);
  });

  test("a reported gap empties it until the gateway rebases it", async () => {
    const { gateway, stream } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const book = await nextBook(stream);
    const topicId = gateway.ids.get(TOPIC) ?? 0;
    const notice = { kind: 3, topicId, missingFirst: 11, missingLast: 20 };
    gateway.socket.deliverMessage({ notice });
    expect(book.state).toBe("resyncing");
    gateway.socket.deliverBatch(books(gateway, 20, [SNAPSHOT], { snapshot: true }));
    expect([book.state, book.sequence]).toEqual(["live", 20]);
    expect(gateway.socket.sent("subscribe")).toHaveLength(1);
  });

  test("that comes to what the gateway says is left alone, at no other position is it compared", async () => {
    const { gateway, stream, client } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const book = await nextBook(stream);
    const topicId = gateway.ids.get(TOPIC) ?? 0;
    const right = crc32("100:1,99:2,|101:3,102:4,");
    for (const value of [
      { epoch: 7, sequence: 10, crc32: right },
      { epoch: 7, sequence: 9, crc32: 1 },
      { epoch: 8, sequence: 10, crc32: 1 },
    ]) {
      gateway.socket.deliverMessage({ bookChecksum: { topicId, ...value } });
    }
    expect([book.state, client.counters.checksumMismatches]).toEqual(["live", 0]);
  });

  test("that comes to something else is asked for whole, at its position, and counted", async () => {
    const { gateway, stream, client } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const book = await nextBook(stream);
    const topicId = gateway.ids.get(TOPIC) ?? 0;
    const wrong = { topicId, epoch: 7, sequence: 10, crc32: crc32("100:1,|101:3,") };
    gateway.socket.deliverMessage({ bookChecksum: wrong });
    expect([book.state, book.bids.length]).toEqual(["resyncing", 0]);
    await settle();
    expect(client.counters.checksumMismatches).toBe(1);
    const again = gateway.socket.sent("subscribe")[1]?.topics?.[0];
    expect(again).toMatchObject({ topic: TOPIC, snapshot: 2 });
    expect([Number(again?.resume?.epoch), Number(again?.resume?.sequence)]).toEqual([7, 10]);
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    expect([book.state, book.bids.length]).toEqual(["live", 2]);
  });

  test("a second consumer starts with the whole book", async () => {
    const { gateway, client } = await subscribed();
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const view = client.book("binance:BTC-USDT");
    const events = client.bookEvents("binance:BTC-USDT");
    await settle();
    expect((await nextBook(view)).bids).toHaveLength(2);
    gateway.socket.deliverBatch(books(gateway, 11, [{ bids: [[100, 0]], asks: [] }]));
    const [whole, delta] = await take(events, 2);
    expect([whole?.snapshot, whole?.sequence, whole?.initial]).toEqual([true, 10, true]);
    expect(whole?.bids.map(({ priceText, sizeText }) => [priceText, sizeText])).toEqual([
      ["100", "1"],
      ["99", "2"],
    ]);
    expect(JSON.parse(JSON.stringify(delta))).toMatchObject({
      type: "book",
      snapshot: false,
      bids: [{ price: 100, priceText: "100", size: 0, sizeText: "0" }],
      asks: [],
    });
  });

  test("the depth goes to the gateway", async () => {
    const { client, gateway } = await connectFake();
    client.book("binance:BTC-USDT", { depth: 10 });
    await settle();
    expect(gateway.socket.sent("subscribe")[0]?.topics?.[0]?.depth).toBe(10);
  });

  test("it stays right over many reconnects", async () => {
    const session = await subscribed();
    const { gateway, stream } = session;
    gateway.socket.deliverBatch(books(gateway, 10, [SNAPSHOT], { snapshot: true }));
    const book = await nextBook(stream);
    for (let sequence = 11; sequence < 60; sequence++) {
      await reconnect(session);
      gateway.socket.deliverBatch(
        books(gateway, sequence, [{ bids: [[100, sequence]], asks: [] }]),
      );
      expect(book.bbo.bid?.size).toBe(sequence);
    }
  });
});
