import { type Mantissa, OrderBook } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import { checksumInTurns } from "./checksum-in-turns.ts";

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
  expect(checksumInTurns(book, levelsMax, LEVEL_TEXT)).toBe(checksum);
});
