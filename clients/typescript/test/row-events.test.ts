import { describe, expect, test } from "vitest";
import type { BatchRows, DecodedBatch, LiquidationRow } from "@tickwire/proto/codec";
import { Consumer } from "../src/topics/consumer.ts";
import { ROW_CHANNELS } from "../src/topics/row-channels.ts";
import type { MarketEvent, Liquidation, Ticker } from "../src/events/market-event.ts";

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

/** The event of a batch that has one row. */
function eventFrom(kind: BatchRows["kind"], row: object): MarketEvent {
  const batch = { ...BATCH, count: 1, kind, rows: [row] } as unknown as DecodedBatch;
  const events: MarketEvent[] = [];
  const event = (given: MarketEvent) => events.push(given);
  const consumers = [new Consumer([INFO.topic], { event, end: () => undefined })];
  const part = ROW_CHANNELS.find(({ payloads }) => payloads.at(-1)?.kind === kind)!;
  const host = {
    info: INFO,
    stage: "live",
    consumers,
    step: noStep,
    loseContinuity: noStep,
  } as const;
  part.open(host).deliver(batch, 0);
  return events[0]!;
}

const noStep = () => undefined;

type Case = {
  readonly event: MarketEvent;
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
    event: eventFrom("candles", candle),
    decimals: ["open", "high", "low", "close", "volume", "quoteVolume"],
  },
  {
    event: eventFrom("tickers", ticker),
    decimals: Object.keys(ticker).filter((key) => !(key in TIMES)),
  },
  {
    event: eventFrom("fundings", {
      ...TIMES,
      rate: TEXT,
      nextFundingTimeUs: 5,
      intervalMs: 6,
    }),
    decimals: ["rate"],
  },
  {
    event: eventFrom("markPrices", { ...TIMES, markPrice: TEXT, indexPrice: TEXT }),
    decimals: ["markPrice", "indexPrice"],
  },
  {
    event: eventFrom("openInterests", {
      ...TIMES,
      openInterest: TEXT,
      openInterestValue: TEXT,
    }),
    decimals: ["openInterest", "openInterestValue"],
  },
  { event: eventFrom("liquidations", liquidation), decimals: ["price", "size"] },
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
    const event = eventFrom("tickers", { ...ticker, lastPrice: undefined }) as Ticker;
    expect([event.lastPrice, event.lastPriceText]).toEqual([undefined, undefined]);
  });

  test("that are none are no number, and never an exception in the middle of a frame", () => {
    const event = eventFrom("liquidations", {
      ...liquidation,
      price: "",
      size: "?",
    }) as Liquidation;
    expect([event.price, event.size, event.sizeText]).toEqual([NaN, NaN, "?"]);
  });
});
