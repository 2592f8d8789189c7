import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bookChecksum, CHECKSUM_LEVELS_MAX } from "./book-checksum.ts";
import { fromBigInt } from "./decimal.ts";

const NO_LEVELS = { prices: [], sizes: [] };

test("is that of the text which the specification gives as an example", () => {
  const bids = { prices: [10_000, 9_995], sizes: [5_000, 200] };
  const asks = { prices: [10_005], sizes: [1_500] };
  const text = "100:5,99.95:0.2,|100.05:1.5,";
  expect(bookChecksum({ priceScale: 2, sizeScale: 3, bids, asks })).toBe(crc32(text));
});

test("of a book without levels is that of the bar between its sides", () => {
  const empty = { priceScale: 5, sizeScale: 0, bids: NO_LEVELS, asks: NO_LEVELS };
  expect(bookChecksum(empty)).toBe(crc32("|"));
});

const SIDE = fc
  .array(
    fc.tuple(
      fc.integer({ min: -9_999, max: 99_999 }),
      fc.bigInt({ min: 1n, max: 10n ** 20n }).map(fromBigInt),
    ),
  )
  .map((levels) => ({
    prices: levels.map(([price]) => price),
    sizes: levels.map(([, size]) => size),
  }));

test("says the same of the same levels at every scale", () => {
  fc.assert(
    fc.property(SIDE, SIDE, fc.integer({ min: 0, max: 9 }), (bids, asks, padding) => {
      const scaled = ({ prices, sizes }: typeof bids) => ({
        prices: prices.map((price) => fromBigInt(BigInt(price) * 10n ** BigInt(padding))),
        sizes: sizes.map((size) => fromBigInt(BigInt(size) * 10n ** BigInt(padding))),
      });
      const plain = bookChecksum({ priceScale: 2, sizeScale: 4, bids, asks });
      const scales = { priceScale: 2 + padding, sizeScale: 4 + padding };
      expect(bookChecksum({ ...scales, bids: scaled(bids), asks: scaled(asks) })).toBe(plain);
    }),
  );
});

test.each([CHECKSUM_LEVELS_MAX - 1, CHECKSUM_LEVELS_MAX, CHECKSUM_LEVELS_MAX + 1])(
  "of %i levels covers the best CHECKSUM_LEVELS_MAX of each side",
  (count) => {
    const prices = Array.from({ length: count }, (_, index) => index + 1);
    const levels = { prices, sizes: prices.map(() => 1) };
    const covered = prices.slice(0, 1_000).map((price) => `${price}:1,`);
    const scales = { priceScale: 0, sizeScale: 0 };
    const text = `${covered.join("")}|${covered.join("")}`;
    expect(bookChecksum({ ...scales, bids: levels, asks: levels })).toBe(crc32(text));
  },
);
