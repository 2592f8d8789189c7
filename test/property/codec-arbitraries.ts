import type { BookRow, QuoteRow, TradeRow } from "@tickwire/proto/codec";
import fc from "fast-check";

const fromBigInt = (value: bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value;

/**
 * Mantissas of every size: near 0, safe, around 2^53, up to 63 bits, and beyond (which travel as
 * text).
 */
export function mantissas(options: { readonly negative: boolean }): fc.Arbitrary<number | bigint> {
  const magnitudes = fc.oneof(
    { weight: 8, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 40n }) },
    { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 53n + 5n }) },
    { weight: 2, arbitrary: fc.bigInt({ min: 2n ** 62n, max: 2n ** 63n - 1n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 63n, max: 2n ** 70n }) },
  );
  const signs = options.negative ? fc.constantFrom(1n, 1n, 1n, -1n) : fc.constant(1n);
  return fc.tuple(magnitudes, signs).map(([value, sign]) => fromBigInt(value * sign));
}

/** Mostly one scale, as in real feeds; sometimes anything. */
export const scales = fc.oneof(
  { weight: 4, arbitrary: fc.constant(8) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 1, arbitrary: fc.integer({ min: 13, max: 40 }) },
);

const receivedTimes = fc.integer({ min: 1_700_000_000_000_000, max: 1_900_000_000_000_000 });

const times = fc.record({
  receivedTimeUs: receivedTimes,
  venueTimeUs: fc.option(receivedTimes, { nil: undefined, freq: 4 }),
});

const tradeIdLists = fc.constantFrom<fc.Arbitrary<string>>(
  fc.nat().map(String),
  fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
  fc.constant("0"),
  fc.constant(""),
  fc.uuid(),
  fc.string({ unit: "grapheme" }),
  fc.oneof(fc.nat().map(String), fc.constant("007"), fc.constant("")),
);

const tradeOf = (tradeId: fc.Arbitrary<string>): fc.Arbitrary<TradeRow> =>
  fc
    .tuple(
      times,
      fc.record({
        priceMantissa: mantissas({ negative: true }),
        priceScale: scales,
        sizeMantissa: mantissas({ negative: false }),
        sizeScale: scales,
        aggressorSide: fc.constantFrom("buyer" as const, "seller" as const, "none" as const),
        tradeId,
        historical: fc.boolean(),
      }),
    )
    .map(([time, trade]) => ({ ...time, ...trade }));

export const tradeRows: fc.Arbitrary<TradeRow[]> = tradeIdLists.chain((ids) =>
  fc.array(tradeOf(ids), { maxLength: 20 }),
);

export const quoteRows: fc.Arbitrary<QuoteRow[]> = fc.array(
  fc
    .tuple(
      times,
      fc.record({
        priceScale: scales,
        sizeScale: scales,
        bidPriceMantissa: mantissas({ negative: true }),
        bidSizeMantissa: mantissas({ negative: false }),
        askPriceMantissa: mantissas({ negative: true }),
        askSizeMantissa: mantissas({ negative: false }),
      }),
    )
    .map(([time, quote]) => ({ ...time, ...quote })),
  { maxLength: 20 },
);

const levels: fc.Arbitrary<BookRow["bids"]> = fc
  .array(fc.tuple(mantissas({ negative: true }), mantissas({ negative: false })), { maxLength: 8 })
  .map((pairs) => ({
    prices: pairs.map(([price]) => price),
    sizes: pairs.map(([, size]) => size),
  }));

export const bookRows: fc.Arbitrary<BookRow[]> = fc.array(
  fc
    .tuple(
      times,
      fc.record({
        snapshot: fc.boolean(),
        priceScale: scales,
        sizeScale: scales,
        bids: levels,
        asks: levels,
      }),
    )
    .map(([time, book]) => ({ ...time, ...book })),
  { maxLength: 10 },
);

export const headers = fc.record({
  epoch: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  firstSequence: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  previousSequence: fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
  snapshot: fc.boolean(),
  publishedTimeUs: fc.integer({ min: -(2 ** 52), max: Number.MAX_SAFE_INTEGER }),
});
