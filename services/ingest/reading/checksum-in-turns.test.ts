import { crc32 } from "node:zlib";
import { formatDecimal, type Mantissa, OrderBook } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { ChecksumInTurns } from "./checksum-in-turns.ts";

const LEVEL_TEXT = (_book: OrderBook, price: Mantissa, size: Mantissa, isBid: boolean): string =>
  `${isBid ? "b" : "a"}${price}x${size}`;

// Python: zlib.crc32 of the text as a signed integer.
test.each([
  { levelsMax: 25, text: "b5x7:a6x1:b4x8", checksum: 1958464449 },
  { levelsMax: 1, text: "b5x7:a6x1", checksum: 1637618539 },
  { levelsMax: 0, text: "", checksum: 0 },
])("over $levelsMax levels the checksum is that of $text", ({ levelsMax, checksum }) => {
  const book = new OrderBook();
  book.applySnapshot({
    priceScale: 0,
    sizeScale: 0,
    bids: { prices: [5, 4], sizes: [7, 8] },
    asks: { prices: [6], sizes: [1] },
  });
  const sums = new ChecksumInTurns(LEVEL_TEXT);
  expect(sums.of(book, levelsMax)).toBe(checksum);
  expect(sums.of(book, levelsMax)).toBe(checksum);
});

test("sums books of any numbers and scales as if the text were joined", () => {
  const prng = createPrng(6);
  const textOf = (book: OrderBook, price: Mantissa, size: Mantissa, isBid: boolean) =>
    `${isBid ? "" : "-"}${formatDecimal(price, book.priceScale)}:${formatDecimal(size, book.sizeScale)}`;
  const sums = new ChecksumInTurns(textOf);
  const wrong: unknown[] = [];
  for (let round = 0; round < 2_000; round += 1) {
    const side = (first: number, step: number) => {
      const prices = Array.from({ length: prng.below(8) }, (_, index) => first + step * index);
      const sizes = prices.map(() => {
        if (prng.chance(0.02)) return 2n ** 60n;
        return prng.chance(0.02) ? 10 ** 15 + prng.below(9) : 1 + prng.below(5);
      });
      return { prices, sizes };
    };
    const scales = { priceScale: prng.below(3), sizeScale: prng.chance(0.01) ? 80 : prng.below(3) };
    const change = { ...scales, bids: side(100, -1), asks: side(101, 1) };
    const book = new OrderBook();
    book.applySnapshot(change);
    const texts: string[] = [];
    for (let level = 0; level < 5; level += 1) {
      for (const [isBid, { prices, sizes }] of [
        [true, book.bids()],
        [false, book.asks()],
      ] as const) {
        const [price, size] = [prices[level], sizes[level]];
        if (price !== undefined && size !== undefined) texts.push(textOf(book, price, size, isBid));
      }
    }
    if (sums.of(book, 5) !== (crc32(texts.join(":")) | 0)) wrong.push(change);
  }
  expect(wrong).toEqual([]);
});
