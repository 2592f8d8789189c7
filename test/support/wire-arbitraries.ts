import type { BatchRows } from "@tickwire/proto/codec";
import { formatDecimal, fromBigInt } from "@tickwire/proto/model";
import fc from "fast-check";

/**
 * Mantissas of every size: near 0, safe, around 2^53, up to 63 bits, and beyond (which travel as
 * text).
 */
function mantissas(options: { readonly negative: boolean }): fc.Arbitrary<number | bigint> {
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
const scales = fc.oneof(
  { weight: 4, arbitrary: fc.constant(8) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 1, arbitrary: fc.integer({ min: 13, max: 40 }) },
);

const KINDS = [
  "trades",
  "quotes",
  "books",
  "candles",
  "tickers",
  "fundings",
  "markPrices",
  "openInterests",
  "liquidations",
  "statuses",
  "listings",
] as const satisfies readonly BatchRows["kind"][];

const START_US = 1_767_225_600_000_000;

/** Mostly soon after one another, sometimes backwards, sometimes anything that is safe. */
const steps = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 5_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: -60_000_000, max: 0 }) },
  { weight: 1, arbitrary: fc.integer({ min: -START_US, max: 2 ** 52 }) },
);

const extremes = fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0, -1);

const times = fc.record({
  receivedTimeUs: fc.oneof(
    { weight: 30, arbitrary: steps.map((step) => START_US + step) },
    { weight: 1, arbitrary: extremes },
  ),
  venueTimeUs: fc.oneof(
    { weight: 8, arbitrary: steps.map((step) => START_US - 40_000 + step) },
    { weight: 8, arbitrary: steps.map((step) => Math.round((START_US + step) / 1_000) * 1_000) },
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: extremes },
  ),
});

const prices = mantissas({ negative: true });
const sizes = mantissas({ negative: false });
const sides = fc.constantFrom("buyer" as const, "seller" as const, "none" as const);

const decimals = fc
  .tuple(prices, scales)
  .map(([mantissa, scale]) => formatDecimal(mantissa, scale));
const someDecimals = fc.option(decimals, { nil: undefined, freq: 6 });
const someIntegers = fc.option(
  fc.oneof(fc.nat(), fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  { nil: undefined, freq: 6 },
);

const tradeIds = fc.constantFrom<fc.Arbitrary<string>>(
  fc.integer({ min: 1_000, max: 1_003 }).map(String),
  fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
  fc.constantFrom("0", String(2n ** 63n - 1n), String(2n ** 63n), "9007199254740993"),
  fc.constant(""),
  fc.uuid(),
  fc.nat().map((tail) => `202611260042${String(tail).padStart(15, "0")}`),
  fc.nat({ max: 300 }).map((tail) => `T-${String(tail).padStart(3, "0")}`),
  fc.string({ unit: "grapheme" }),
  fc.oneof(fc.nat().map(String), fc.constantFrom("007", "", "-1", "1e3")),
);

function withTimes<Row extends object>(rows: fc.Arbitrary<Row>): fc.Arbitrary<object> {
  return fc.tuple(times, rows).map(([time, row]) => ({ ...time, ...row }));
}

const levels = fc
  .array(fc.tuple(prices, fc.oneof(sizes, fc.constant(0))), { maxLength: 6 })
  .map((pairs) => ({
    prices: pairs.map(([price]) => price),
    sizes: pairs.map(([, size]) => size),
  }));

const instrumentStates = fc.constantFrom("trading", "pre-open", "halted");

function rowOf(kind: BatchRows["kind"], ids: fc.Arbitrary<string>): fc.Arbitrary<object> {
  switch (kind) {
    case "trades":
      return fc.record({
        priceMantissa: prices,
        priceScale: scales,
        sizeMantissa: sizes,
        sizeScale: scales,
        aggressorSide: sides,
        tradeId: ids,
        historical: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.boolean()),
      });
    case "quotes":
      return fc.record({
        priceScale: scales,
        sizeScale: scales,
        bidPriceMantissa: prices,
        bidSizeMantissa: sizes,
        askPriceMantissa: prices,
        askSizeMantissa: sizes,
      });
    case "books":
      return fc.record({
        snapshot: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.boolean()),
        priceScale: scales,
        sizeScale: scales,
        bids: levels,
        asks: levels,
      });
    case "candles":
      return fc.record({
        intervalMs: fc.constantFrom(60_000, 3_600_000),
        openTimeUs: fc.nat(),
        open: decimals,
        high: decimals,
        low: decimals,
        close: decimals,
        volume: decimals,
        quoteVolume: someDecimals,
        tradeCount: someIntegers,
        closed: fc.boolean(),
      });
    case "tickers":
      return fc.record({
        lastPrice: someDecimals,
        lastSize: someDecimals,
        openPrice: fc.constantFrom("100", "100.5"),
        highPrice: fc.constant(undefined),
        lowPrice: someDecimals,
        volume: decimals,
        quoteVolume: fc.constant("0"),
        bidPrice: decimals,
        askPrice: decimals,
      });
    case "fundings":
      return fc.record({
        rate: decimals,
        nextFundingTimeUs: someIntegers,
        intervalMs: someIntegers,
      });
    case "markPrices":
      return fc.record({ markPrice: decimals, indexPrice: someDecimals });
    case "openInterests":
      return fc.record({ openInterest: decimals, openInterestValue: someDecimals });
    case "liquidations":
      return fc.record({
        price: decimals,
        size: decimals,
        aggressorSide: sides,
        liquidationId: fc.option(fc.uuid(), { nil: undefined }),
      });
    case "statuses":
      return fc.record({
        channel: fc.constantFrom("trades", "mark-price"),
        state: fc.constantFrom("live", "gap", "down"),
        reason: fc.constantFrom("data", "sequence-gap"),
        sinceTimeUs: fc.nat(),
        instrumentState: fc.option(instrumentStates, { nil: undefined }),
        stateWord: fc.option(fc.constantFrom("BREAK", "auction_mode"), { nil: undefined }),
      });
    case "listings":
      return fc.record({
        change: fc.constantFrom("added", "changed", "removed"),
        symbol: fc.constantFrom("BTC-USDT", "ETH-USD-PERP"),
        venueSymbol: fc.constantFrom("BTCUSDT", "ETHUSD"),
        instrumentKind: fc.constantFrom("spot", "perpetual"),
        baseAsset: fc.constantFrom("BTC", "ETH"),
        quoteAsset: fc.constant("USD"),
        instrumentState: fc.option(instrumentStates, { nil: undefined }),
        stateWord: fc.option(fc.constantFrom("BREAK", "TRADING"), { nil: undefined }),
        reason: fc.constantFrom("listed", "delisted"),
      });
  }
}

/** Events of one topic in the order in which they come, cut into what is written at once. */
export const topicHistories: fc.Arbitrary<readonly BatchRows[]> = fc
  .tuple(fc.constantFrom(...KINDS), tradeIds)
  .chain(([kind, ids]) =>
    fc
      .array(fc.array(withTimes(rowOf(kind, ids)), { minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 12,
      })
      .map((lists) => lists.map((rows) => ({ kind, rows }) as unknown as BatchRows)),
  );

/** Ordinary trades, whose numbers go on from one another; for long histories. */
export function plainTrades(first: number, count: number): BatchRows {
  const rows = Array.from({ length: count }, (_, index) => ({
    receivedTimeUs: START_US + (first + index) * 700,
    venueTimeUs: START_US + (first + index) * 700 - 450,
    priceMantissa: 4_200_000 + ((first + index) % 7),
    priceScale: 2,
    sizeMantissa: 1 + ((first + index) % 50),
    sizeScale: 3,
    aggressorSide: (first + index) % 2 === 0 ? ("buyer" as const) : ("seller" as const),
    tradeId: String(1_000 + first + index),
    historical: false,
  }));
  return { kind: "trades", rows };
}
