import { describe, expect, test } from "vitest";
import { BATCH_EVENTS_MAX } from "../limits.ts";
import { BatchWriter } from "./batch-writer.ts";
import { readBusEvents } from "./bus-batch-events.ts";
import {
  EVENTS_ROOM_KEPT_MAX,
  LEVELS_ROOM_KEPT_MAX,
  PendingBooks,
  PendingQuotes,
  PendingTrades,
  ROOM_MIN,
  SideCode,
} from "./pending-columns.ts";
import { rowsOfPending } from "./pending-rows.ts";

const EPOCH = 1_767_225_600_000_000;

function quotesOf(count: number): PendingQuotes {
  const quotes = new PendingQuotes();
  quotes.priceScale = 2;
  for (let index = 0; index < count; index += 1) {
    quotes.reserve();
    quotes.receivedTimesUs[index] = EPOCH + index;
    quotes.venueTimesUs[index] = NaN;
    quotes.bidPrices[index] = 100 + index;
    quotes.bidSizes[index] = 3;
    quotes.askPrices[index] = 101 + index;
    quotes.askSizes[index] = 4;
    quotes.count = index + 1;
  }
  return quotes;
}

describe("columns that wait for a batch", () => {
  test.each([ROOM_MIN - 1, ROOM_MIN, ROOM_MIN + 1, 1_000])("hold %i quotes as written", (count) => {
    const quotes = quotesOf(count);
    expect(quotes.count).toBe(count);
    const { rows } = rowsOfPending(quotes);
    expect(rows).toHaveLength(count);
    expect(rows[count - 1]).toEqual({
      venueTimeUs: undefined,
      receivedTimeUs: EPOCH + count - 1,
      priceScale: 2,
      sizeScale: 0,
      bidPriceMantissa: 99 + count,
      bidSizeMantissa: 3,
      askPriceMantissa: 100 + count,
      askSizeMantissa: 4,
    });
  });

  test("give back what a burst took, and keep what they often need", () => {
    const quotes = quotesOf(EVENTS_ROOM_KEPT_MAX);
    quotes.clear();
    expect([quotes.count, quotes.bidSizes.length]).toEqual([0, EVENTS_ROOM_KEPT_MAX]);
    const many = quotesOf(EVENTS_ROOM_KEPT_MAX + 1);
    const taken = many.bidSizes.length;
    expect(taken).toBeGreaterThan(EVENTS_ROOM_KEPT_MAX);
    // The next batch may be as large.
    many.clear();
    expect(many.bidSizes.length).toBe(taken);
    many.count = EVENTS_ROOM_KEPT_MAX;
    many.clear();
    const rooms = [many.receivedTimesUs, many.venueTimesUs, many.bidPrices, many.askSizes];
    expect(rooms.map(({ length }) => length)).toEqual(rooms.map(() => EVENTS_ROOM_KEPT_MAX));
    expect(many.priceScale).toBe(2);
  });

  test("give back the room of many levels with the first batch that does not need it", () => {
    const books = new PendingBooks();
    books.reserveLevels(LEVELS_ROOM_KEPT_MAX + 1);
    expect(books.sizes.length).toBeGreaterThan(LEVELS_ROOM_KEPT_MAX);
    const taken = books.sizes.length;
    books.levelCount = LEVELS_ROOM_KEPT_MAX + 1;
    books.clear();
    expect([books.levelCount, books.sizes.length]).toEqual([0, taken]);
    books.levelCount = LEVELS_ROOM_KEPT_MAX;
    books.clear();
    expect([books.levelCount, books.prices.length]).toEqual([0, LEVELS_ROOM_KEPT_MAX]);
  });

  test("hold as many events as a batch may have, and refuse one more", () => {
    const quotes = quotesOf(BATCH_EVENTS_MAX);
    expect(() => {
      quotes.reserve();
    }).toThrow(`${BATCH_EVENTS_MAX + 1} events exceed BATCH_EVENTS_MAX ${BATCH_EVENTS_MAX}`);
  });

  test("hold ids that are numbers beside ids that are none", () => {
    const trades = new PendingTrades();
    for (const [index, id] of [7, NaN, 9].entries()) {
      trades.reserve();
      trades.receivedTimesUs[index] = EPOCH;
      trades.venueTimesUs[index] = EPOCH - 5;
      trades.prices[index] = -1;
      trades.sides[index] = [SideCode.None, SideCode.Buyer, SideCode.Seller][index] as number;
      trades.ids[index] = id;
      trades.count = index + 1;
    }
    trades.idTexts[1] = "0x7f";
    const { rows } = rowsOfPending(trades);
    expect(rows).toMatchObject([
      { tradeId: "7", aggressorSide: "none", venueTimeUs: EPOCH - 5, historical: false },
      { tradeId: "0x7f", aggressorSide: "buyer", priceMantissa: -1 },
      { tradeId: "9", aggressorSide: "seller" },
    ]);
    trades.clear();
    expect(trades.idTexts).toEqual([]);
  });

  test.each([1, 2, 3])("can be read where %i events have no level at all", (count) => {
    const writer = new BatchWriter({ kind: "books", epoch: EPOCH });
    const books = new PendingBooks();
    for (const levels of [1, 0]) {
      books.clear();
      for (let index = 0; index < count; index += 1) {
        books.reserve();
        books.receivedTimesUs[index] = EPOCH;
        books.venueTimesUs[index] = NaN;
        books.prices[index] = 10;
        books.sizes[index] = 1;
        books.bidCounts[index] = levels;
        books.askCounts[index] = 0;
        books.count = index + 1;
      }
      books.levelCount = levels * count;
      const batch = writer.writeColumns(books, { publishedTimeUs: EPOCH });
      const bidCounts = Array.from({ length: count }, () => levels);
      expect(readBusEvents(batch)).toMatchObject({ columns: { bidCounts } });
    }
  });

  test("hold the levels of each event, bids first", () => {
    const books = new PendingBooks();
    books.reserve();
    books.reserveLevels(3);
    books.receivedTimesUs[0] = EPOCH;
    books.venueTimesUs[0] = NaN;
    books.prices.set([10, 12, 13]);
    books.sizes.set([1, 0, 5]);
    books.bidCounts[0] = 1;
    books.askCounts[0] = 2;
    books.levelCount = 3;
    books.count = 1;
    expect(rowsOfPending(books).rows).toMatchObject([
      { snapshot: false, bids: { prices: [10], sizes: [1] } },
    ]);
    const writer = new BatchWriter({ kind: "books", epoch: EPOCH });
    expect(writer.writeColumns(books, { publishedTimeUs: EPOCH }).count).toBe(1);
  });
});
