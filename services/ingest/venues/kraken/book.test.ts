import { crc32 as zlibCrc32 } from "node:zlib";
import { OrderBook } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import type { TickLevels } from "#core/tick-levels.ts";
import { createPrng, type Prng } from "#test/support/prng.ts";
import { krakenChecksum, nearestBookDepth } from "./book.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";

type Level = readonly [price: string, size: string];

function bookOf(bids: readonly Level[], asks: readonly Level[]): OrderBook {
  const book = new OrderBook();
  apply(book, new ScaleTracker({ keepTrailingZeros: true }), { bids, asks, snapshot: true });
  return book;
}

function apply(
  book: OrderBook,
  tracker: ScaleTracker,
  change: { bids: readonly Level[]; asks: readonly Level[]; snapshot: boolean },
): void {
  const columns = tracker.book(change.bids, change.asks);
  if (typeof columns === "string") throw new Error(columns);
  const { priceScale, sizeScale } = tracker;
  const event = { priceScale, sizeScale, ...columns };
  if (change.snapshot) book.applySnapshot(event);
  else book.applyDelta(event);
}

test("the checksum of the documentation's v1 example comes out", () => {
  // https://docs.kraken.com/exchange/guides/websockets/book-checksum-v1
  const asks = [5005, 5010, 5015, 5020, 5025, 5030, 5035, 5040, 5045, 5050];
  const bids = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950];
  const level = (price: number): Level => [`0.0${price}`, "0.00000500"];
  expect(krakenChecksum(bookOf(bids.map(level), asks.map(level)))).toBe(974_947_235);
});

test("the published v2 sample of ALGO/USD comes out, before and after its update", () => {
  const bids: Level[] = [
    ["0.12291", "27039.62776299"],
    ["0.12290", "8136.33288180"],
    ["0.12287", "10984.20817349"],
    ["0.12283", "28027.05025639"],
    ["0.12280", "9705.60000000"],
    ["0.12279", "15215.53522714"],
    ["0.12275", "4067.00000000"],
    ["0.12274", "30639.39949109"],
    ["0.12268", "2531.96119986"],
    ["0.12267", "16299.00000000"],
  ];
  const asks: Level[] = [
    ["0.12307", "600.00000000"],
    ["0.12308", "4042.11919517"],
    ["0.12312", "10284.53891000"],
    ["0.12314", "16155.08885299"],
    ["0.12315", "5186.05778473"],
    ["0.12316", "32828.24000000"],
    ["0.12317", "7751.65718582"],
    ["0.12318", "32298.82000000"],
    ["0.12319", "1864.66899600"],
    ["0.12322", "4718.99755630"],
  ];
  const book = new OrderBook();
  const tracker = new ScaleTracker({ keepTrailingZeros: true });
  apply(book, tracker, { bids, asks, snapshot: true });
  expect(krakenChecksum(book)).toBe(2_375_857_985);
  apply(book, tracker, { bids: [["0.12275", "6597.51731160"]], asks: [], snapshot: false });
  expect(krakenChecksum(book)).toBe(1_100_635_717);
});

test("what it comes to is the same where only what changed is looked at", () => {
  const prng = createPrng(21);
  const book = new OrderBook();
  const none = { prices: [], sizes: [] };
  book.applySnapshot({ priceScale: 2, sizeScale: 3, bids: none, asks: none });
  krakenChecksum(book);
  const wrong: unknown[] = [];
  for (let round = 0; round < 3_000; round += 1) {
    const change = { bids: someLevels(prng, 1_000), asks: someLevels(prng, 1_040) };
    const bids = columnsOf(change.bids);
    const asks = columnsOf(change.asks);
    book.applyDelta({ priceScale: 2, sizeScale: 3, bids, asks });
    book.truncate(25);
    const sum = krakenChecksum(book, undefined, undefined, change);
    const best = [book.asks(10), book.bids(10)];
    const text = best.flatMap(({ prices, sizes }) =>
      prices.map((price, at) => `${price}${sizes[at]}`),
    );
    if (sum !== zlibCrc32(text.join(""))) wrong.push({ round, text });
  }
  expect(wrong).toEqual([]);
});

/** None to two levels near a price, some of them removed. */
function someLevels(prng: Prng, near: number): TickLevels {
  const count = prng.below(3);
  const prices = Float64Array.from({ length: 3 }, () => near + prng.below(40));
  const sizes = Float64Array.from({ length: 3 }, () => (prng.chance(0.3) ? 0 : prng.below(9_999)));
  return { prices, sizes, count };
}

function columnsOf({ prices, sizes, count }: TickLevels) {
  return { prices: [...prices].slice(0, count), sizes: [...sizes].slice(0, count) };
}

test("only the best ten levels of a side count, and an empty side is nothing", () => {
  const asks = Array.from({ length: 12 }, (_, index): Level => [`1.${index + 10}`, "1.0"]);
  const eleven = bookOf([], asks.slice(0, 11));
  expect(krakenChecksum(eleven)).toBe(krakenChecksum(bookOf([], asks.slice(0, 10))));
  expect(krakenChecksum(eleven)).not.toBe(krakenChecksum(bookOf([], asks.slice(0, 9))));
  expect(krakenChecksum(bookOf([], []))).toBe(0);
});

test.each([
  [1, 10],
  [9, 10],
  [10, 10],
  [11, 25],
  [1000, 1000],
  [1001, 1000],
])("for %i levels the depth %i is asked for", (wanted, depth) => {
  expect(nearestBookDepth(wanted)).toBe(depth);
});
