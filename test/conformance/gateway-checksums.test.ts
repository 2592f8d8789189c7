import { crc32 } from "node:zlib";
import { connect, type LiveBook, type NoticeEvent } from "@tickwire/client";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createPrng } from "#test/support/prng.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";
import type { RawClient } from "./gateway-raw-client.ts";

// Checksums of books over real sockets, in time that the test moves: what the gateway says of each
// view is what the ingestor has, in words of the specification; and a client that has something
// else starts that book anew, and nothing else.

const { ServerFrame } = tickwire.v1;
const BTC = "fake:BTC-USDT/book";
const ETH = "fake:ETH-USDT/book";

/** Makes the next checksum of one topic wrong, as a fault of the client's would. */
function spoilingSocket() {
  const spoil = { topicId: 0, spoiled: 0 };
  class SpoilingSocket extends WebSocket {
    override emit(event: string | symbol, ...given: unknown[]): boolean {
      const [data] = given;
      if (event !== "message" || spoil.topicId === 0) return super.emit(event, ...given);
      const frame = ServerFrame.decode(new Uint8Array(data as ArrayBuffer));
      const said = frame.messages.find(({ bookChecksum }) => {
        return bookChecksum?.topicId === spoil.topicId;
      });
      const { bookChecksum } = said ?? {};
      if (bookChecksum === null || bookChecksum === undefined) return super.emit(event, ...given);
      bookChecksum.crc32 = (Number(bookChecksum.crc32) ^ 1) >>> 0;
      spoil.topicId = 0;
      spoil.spoiled += 1;
      const bytes = ServerFrame.encode(frame).finish();
      return super.emit(event, Uint8Array.from(bytes).buffer, true);
    }
  }
  return { spoil, SpoilingSocket };
}

describe.each(TRANSPORTS)("checksums of books over %s", (transport) => {
  let rig: Rig;
  let random: () => number;

  beforeEach(async () => {
    const lags = { lagNoticeMs: 3_600_000, lagMsMax: 7_200_000 };
    rig = await Rig.start(transport, { config: lags });
    const prng = createPrng(11);
    random = () => prng.next();
  });

  afterEach(async () => {
    await rig.stop();
  });

  function trade(symbol: string, events: number): void {
    for (let event = 0; event < events; event += 1) {
      const price = 9_000 + Math.floor(random() * 20);
      rig.ingestor.publish([rig.ingestor.book(symbol, price, Math.floor(random() * 4))]);
    }
  }

  /** The checksum of the best bids as the ingestor has them; it has no asks. */
  function expected(symbol: string, depth: number): number {
    const bids = [...rig.ingestor.bids(symbol)]
      .sort(([one], [other]) => Number(other) - Number(one))
      .slice(0, depth === 0 ? undefined : depth)
      .map(([price, size]) => `${Number(price) / 100}:${size},`);
    return crc32(`${bids.join("")}|`);
  }

  const checksumsOf = (client: RawClient) =>
    client.messages.flatMap(({ bookChecksum }) => (bookChecksum ? [bookChecksum] : []));

  test.each([
    { depth: 0, conflationIntervalMs: 0 },
    { depth: 5, conflationIntervalMs: 0 },
    { depth: 10, conflationIntervalMs: 100 },
    { depth: 0, conflationIntervalMs: 2_000 },
  ])("of $depth levels every $conflationIntervalMs ms say what was sent", async (view) => {
    trade("BTC-USDT", 40);
    const client = await rig.client();
    const [result] = await client.subscribe({ topic: BTC, checksum: true, ...view });
    for (let second = 0; second < 6; second += 1) {
      trade("BTC-USDT", 7);
      await rig.settle();
      rig.clock.advance(2_000);
      await rig.settle();
      rig.clock.advance(1_000);
      for (let turn = 0; turn < 5; turn += 1) await rig.settle();
      const last = checksumsOf(client).at(-1);
      expect(last?.topicId).toBe(result?.topicId);
      expect(Number(last?.sequence)).toBe(rig.ingestor.position("book", "BTC-USDT"));
      expect(Number(last?.crc32)).toBe(expected("BTC-USDT", view.depth));
    }
    const count = checksumsOf(client).length;
    // A book that does not change is not checked again.
    for (let second = 0; second < 10; second += 1) rig.clock.advance(1_000);
    await client.roundTrip();
    expect(checksumsOf(client).length).toBeLessThanOrEqual(count + 1);
  });

  test("are sent to nobody who did not ask, and of no other channel", async () => {
    const client = await rig.client();
    const quotes = { topic: "fake:BTC-USDT/quotes", checksum: true };
    await client.subscribe({ topic: BTC }, quotes, { topic: ETH, depth: 5 });
    trade("BTC-USDT", 5);
    trade("ETH-USDT", 5);
    rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 5)]);
    for (let second = 0; second < 5; second += 1) {
      await rig.settle();
      rig.clock.advance(1_000);
    }
    await client.roundTrip();
    expect(checksumsOf(client)).toEqual([]);
    expect(await rig.metric("tickwire_gateway_book_checksums_total")).toBe(0);
  });

  test("that do not fit start one book anew, which is counted and told; others go on", async () => {
    const { spoil, SpoilingSocket } = spoilingSocket();
    trade("BTC-USDT", 20);
    trade("ETH-USDT", 20);
    const client = await connect(`ws://127.0.0.1:${rig.gateway.port}`, {
      pingIntervalMs: 0,
      webSocket: SpoilingSocket,
      reconnect: { baseMs: 1, maxMs: 1 },
    });
    const books = new Map<string, LiveBook>();
    const notices: string[] = [];
    client.onBook(["fake:BTC-USDT", "fake:ETH-USDT"], (book) => books.set(book.topic, book), {
      checksum: true,
      depth: 10,
      conflationIntervalMs: 100,
      onNotice: (notice: NoticeEvent) => {
        if (notice.type !== "continuity") notices.push(notice.type);
        else notices.push(`${notice.topic} ${notice.continuity} ${notice.reason}`);
      },
    });
    const shown = (topic: string) => {
      const bids = books.get(topic)?.bids ?? [];
      return crc32(
        `${bids.map(({ priceText, sizeText }) => `${priceText}:${sizeText},`).join("")}|`,
      );
    };
    const until = async (isSo: () => boolean): Promise<void> => {
      for (let turn = 0; turn < 2_000 && !isSo(); turn += 1) {
        trade("BTC-USDT", 1);
        trade("ETH-USDT", 1);
        await rig.settle();
        rig.clock.advance(100);
        await rig.settle();
      }
      expect(isSo()).toBe(true);
    };
    await until(() => books.size === 2 && books.get(BTC)?.state === "live");
    // Topics are numbered in the order in which they were asked for.
    spoil.topicId = 1;
    await until(() => spoil.spoiled === 1);
    await until(() => notices.some((notice) => notice.includes("resumed")));
    for (let turn = 0; turn < 50; turn += 1) await rig.settle();
    rig.clock.advance(100);
    for (let turn = 0; turn < 20; turn += 1) await rig.settle();
    expect(notices.slice(2)).toEqual([
      `${BTC} resyncing checksum-mismatch`,
      `${BTC} resumed subscribed`,
    ]);
    expect(client.counters).toMatchObject({ checksumMismatches: 1, gaps: 1 });
    expect([shown(BTC), shown(ETH)]).toEqual([expected("BTC-USDT", 10), expected("ETH-USDT", 10)]);
    client.close();
  }, 60_000);
});
