import { describe, expect, test } from "vitest";
import type { LiquidationRow } from "@tickwire/proto/codec";
import { Funding, Liquidation, MarkPrice, OpenInterest } from "../src/events/derivative-events.ts";
import { Candle, Ticker } from "../src/events/statistics-events.ts";

const INFO = {
  topic: "binance:BTC-USDT/candles",
  venue: "binance",
  symbol: "BTC-USDT",
  venueSymbol: "BTCUSDT",
  channel: "candles",
} as const;

const BATCH = {
  epoch: 1,
  firstSequence: 1,
  snapshot: false,
  publishedTimeUs: 3,
  receivedTimesUs: [2],
  venueTimesUs: [undefined],
};

const TIMES = { receivedTimeUs: 2, venueTimeUs: undefined };
// More digits than a double holds.
const TEXT = "1127313210.00855204";

type Case = {
  readonly event: Candle | Ticker | Funding | MarkPrice | OpenInterest | Liquidation;
  readonly decimals: readonly string[];
};

const candle = {
  ...TIMES,
  intervalMs: 60_000,
  openTimeUs: 1,
  open: TEXT,
  high: TEXT,
  low: TEXT,
  close: TEXT,
  volume: TEXT,
  quoteVolume: TEXT,
  tradeCount: 2,
  closed: true,
};
const ticker = {
  ...TIMES,
  lastPrice: TEXT,
  lastSize: TEXT,
  openPrice: TEXT,
  highPrice: TEXT,
  lowPrice: TEXT,
  volume: TEXT,
  quoteVolume: TEXT,
  bidPrice: TEXT,
  askPrice: TEXT,
};
const liquidation: LiquidationRow = {
  ...TIMES,
  price: TEXT,
  size: TEXT,
  aggressorSide: "seller",
  liquidationId: "9",
};

const CASES: readonly Case[] = [
  {
    event: new Candle(INFO, BATCH, 0, candle),
    decimals: ["open", "high", "low", "close", "volume", "quoteVolume"],
  },
  {
    event: new Ticker(INFO, BATCH, 0, ticker),
    decimals: Object.keys(ticker).filter((key) => !(key in TIMES)),
  },
  {
    event: new Funding(INFO, BATCH, 0, {
      ...TIMES,
      rate: TEXT,
      nextFundingTimeUs: 5,
      intervalMs: 6,
    }),
    decimals: ["rate"],
  },
  {
    event: new MarkPrice(INFO, BATCH, 0, { ...TIMES, markPrice: TEXT, indexPrice: TEXT }),
    decimals: ["markPrice", "indexPrice"],
  },
  {
    event: new OpenInterest(INFO, BATCH, 0, {
      ...TIMES,
      openInterest: TEXT,
      openInterestValue: TEXT,
    }),
    decimals: ["openInterest", "openInterestValue"],
  },
  { event: new Liquidation(INFO, BATCH, 0, liquidation), decimals: ["price", "size"] },
];

describe("decimals of slow channels", () => {
  test.each(CASES)("of a $event.type are numbers, and exact with Text", ({ event, decimals }) => {
    const fields = event as unknown as Record<string, unknown>;
    const both = decimals.map((name) => [name, fields[name], fields[`${name}Text`]]);
    expect(both).toEqual(decimals.map((name) => [name, Number(TEXT), TEXT]));
    // JSON has both.
    const json = JSON.parse(JSON.stringify(event)) as Record<string, unknown>;
    expect(decimals.map((name) => [json[name], json[`${name}Text`]])).toEqual(
      decimals.map(() => [Number(TEXT), TEXT]),
    );
  });

  test("that the venue does not give are undefined in both forms", () => {
    const event = new Ticker(INFO, BATCH, 0, { ...ticker, lastPrice: undefined });
    expect([event.lastPrice, event.lastPriceText]).toEqual([undefined, undefined]);
  });

  test("that are none are no number, and never an exception in the middle of a frame", () => {
    const event = new Liquidation(INFO, BATCH, 0, { ...liquidation, price: "", size: "?" });
    expect([event.price, event.size, event.sizeText]).toEqual([NaN, NaN, "?"]);
  });
});
