import { BatchWriter, readBusEvents, rowsOf, type BatchRows } from "@tickwire/proto/codec";
import { expect, test } from "vitest";
import { EventJson, type EventType, type TypedRow } from "#wire/event-json.ts";
import { formatEventText } from "./event-text.ts";

const SOURCE = { venue: "binance", symbol: "BTC-USDT", venueSymbol: "BTCUSDT" };
const POSITION = { epoch: 1_600_000_000_000_000, sequence: 7 };
const TIMES = { venueTimeUs: 1_618_678_132_385_815, receivedTimeUs: 1_618_678_132_400_000 };
const HEAD = { ...SOURCE, ...POSITION };

const TRADE = {
  type: "trade",
  row: {
    ...TIMES,
    priceMantissa: 11_17n * 10n ** 17n,
    priceScale: 20,
    sizeMantissa: 150,
    sizeScale: 2,
    aggressorSide: "seller",
    tradeId: "27",
    historical: false,
  },
} as const satisfies TypedRow;

/** One of each type, with what is expected of it beside the head. */
const EVENTS: readonly (readonly [TypedRow, object])[] = [
  [
    TRADE,
    {
      price: "1.117",
      size: "1.5",
      aggressorSide: "seller",
      tradeId: "27",
      historical: false,
    },
  ],
  [
    {
      type: "quote",
      row: {
        ...TIMES,
        priceScale: 1,
        sizeScale: 8,
        bidPriceMantissa: 0,
        bidSizeMantissa: 0,
        askPriceMantissa: 600_001,
        askSizeMantissa: 1,
      },
    },
    { bidPrice: "0", bidSize: "0", askPrice: "60000.1", askSize: "0.00000001" },
  ],
  [
    {
      type: "quote",
      row: {
        ...TIMES,
        priceScale: 2,
        sizeScale: 0,
        bidPriceMantissa: -1250,
        bidSizeMantissa: 3,
        askPriceMantissa: -5,
        askSizeMantissa: 1,
      },
    },
    { bidPrice: "-12.5", bidSize: "3", askPrice: "-0.05", askSize: "1" },
  ],
  [
    {
      type: "book",
      row: {
        ...TIMES,
        snapshot: false,
        priceScale: 2,
        sizeScale: 3,
        bids: { prices: [100, 99], sizes: [1500, 0] },
        asks: { prices: [], sizes: [] },
      },
    },
    {
      snapshot: false,
      bids: [
        ["1", "1.5"],
        ["0.99", "0"],
      ],
      asks: [],
    },
  ],
  [
    {
      type: "candle",
      row: {
        ...TIMES,
        intervalMs: 60_000,
        openTimeUs: 1_618_678_080_000_000,
        open: "1",
        high: "2.5",
        low: "0.5",
        close: "2",
        volume: "1000",
        quoteVolume: undefined,
        tradeCount: 12,
        closed: true,
      },
    },
    {
      intervalMs: 60_000,
      openTimeUs: 1_618_678_080_000_000,
      open: "1",
      high: "2.5",
      low: "0.5",
      close: "2",
      volume: "1000",
      tradeCount: 12,
      closed: true,
    },
  ],
  [
    {
      type: "ticker",
      row: {
        ...TIMES,
        lastPrice: "5",
        lastSize: undefined,
        openPrice: "4",
        highPrice: "6",
        lowPrice: "3",
        volume: "100",
        quoteVolume: undefined,
        bidPrice: "4.9",
        askPrice: "5.1",
      },
    },
    {
      lastPrice: "5",
      openPrice: "4",
      highPrice: "6",
      lowPrice: "3",
      volume: "100",
      bidPrice: "4.9",
      askPrice: "5.1",
    },
  ],
  [
    {
      type: "funding",
      row: {
        ...TIMES,
        rate: "-0.0001",
        nextFundingTimeUs: 1_618_704_000_000_000,
        intervalMs: undefined,
      },
    },
    { rate: "-0.0001", nextFundingTimeUs: 1_618_704_000_000_000 },
  ],
  [
    { type: "mark-price", row: { ...TIMES, markPrice: "5.01", indexPrice: "5" } },
    { markPrice: "5.01", indexPrice: "5" },
  ],
  [
    { type: "open-interest", row: { ...TIMES, openInterest: "9", openInterestValue: undefined } },
    { openInterest: "9" },
  ],
  [
    {
      type: "liquidation",
      row: { ...TIMES, price: "5", size: "2", aggressorSide: "buyer", liquidationId: "x" },
    },
    { price: "5", size: "2", aggressorSide: "buyer", liquidationId: "x" },
  ],
  [
    {
      type: "status",
      row: {
        venueTimeUs: undefined,
        receivedTimeUs: TIMES.receivedTimeUs,
        channel: "mark-price",
        state: "gap",
        reason: "sequence-gap",
        sinceTimeUs: TIMES.receivedTimeUs,
      },
    },
    {
      channel: "mark-price",
      state: "gap",
      reason: "sequence-gap",
      sinceTimeUs: TIMES.receivedTimeUs,
    },
  ],
];

const KIND_OF_TYPE: Record<EventType, BatchRows["kind"]> = {
  trade: "trades",
  quote: "quotes",
  book: "books",
  candle: "candles",
  ticker: "tickers",
  funding: "fundings",
  "mark-price": "markPrices",
  "open-interest": "openInterests",
  liquidation: "liquidations",
  status: "statuses",
  listing: "listings",
};

test.each(EVENTS)("$type has exactly its keys, in exact plain decimals", (event, expected) => {
  const parsed: unknown = JSON.parse(new EventJson().format(SOURCE, POSITION, event));
  const { venueTimeUs, receivedTimeUs } = event.row;
  const times = venueTimeUs === undefined ? { receivedTimeUs } : { venueTimeUs, receivedTimeUs };
  expect(parsed).toEqual({ type: event.type, ...HEAD, ...times, ...expected });
});

test.each(EVENTS)("$type is the same before and after the wire", (event) => {
  const json = new EventJson();
  const batch = { kind: KIND_OF_TYPE[event.type], rows: [event.row] } as unknown as BatchRows;
  const writer = new BatchWriter({ kind: batch.kind, epoch: POSITION.epoch, sequence: 6 });
  const [written] = writer.write(batch, { publishedTimeUs: TIMES.receivedTimeUs });
  const received = rowsOf(readBusEvents(written!)).rows[0];
  const after = { type: event.type, row: received } as TypedRow;
  expect(json.format(SOURCE, POSITION, after)).toBe(json.format(SOURCE, POSITION, event));
});

test.each(EVENTS)("$type has each key once", (event) => {
  const line = new EventJson().format(SOURCE, POSITION, event);
  expect(JSON.stringify(JSON.parse(line))).toHaveLength(line.length);
});

test("keys come in one order", () => {
  expect(new EventJson().format(SOURCE, POSITION, TRADE)).toBe(
    '{"type":"trade","venue":"binance","symbol":"BTC-USDT","venueSymbol":"BTCUSDT",' +
      '"epoch":1600000000000000,"sequence":7,"venueTimeUs":1618678132385815,' +
      '"receivedTimeUs":1618678132400000,"price":"1.117","size":"1.5","aggressorSide":"seller",' +
      '"tradeId":"27","historical":false}',
  );
});

test("a time that the venue does not give is absent, not filled in", () => {
  const event = { ...TRADE, row: { ...TRADE.row, venueTimeUs: undefined } };
  expect(JSON.parse(new EventJson().format(SOURCE, POSITION, event))).not.toHaveProperty(
    "venueTimeUs",
  );
});

test.each(['"', "\\", "\n", "\u0000", "é", "\ud800", "🙂"])(
  "text that JSON must escape stays what it is: %j",
  (tradeId) => {
    const event = { ...TRADE, row: { ...TRADE.row, tradeId } };
    const source = { ...SOURCE, venueSymbol: tradeId };
    expect(JSON.parse(new EventJson().format(source, POSITION, event))).toMatchObject({
      tradeId,
      venueSymbol: tradeId,
    });
  },
);

test("instruments of the same object keep their own head per type", () => {
  const json = new EventJson();
  const other = { ...SOURCE, symbol: "ETH-USDT" };
  expect(json.format(SOURCE, POSITION, TRADE)).toContain('"symbol":"BTC-USDT"');
  expect(json.format(other, POSITION, TRADE)).toContain('"symbol":"ETH-USDT"');
  expect(json.format(SOURCE, POSITION, TRADE)).toContain('"symbol":"BTC-USDT"');
});

test.each(EVENTS)("$type has a line for people", (event) => {
  const line = formatEventText(SOURCE, POSITION, event);
  expect(line).toMatch(
    new RegExp(`^2021-04-17T16:48:52\\.\\d{6}Z binance:BTC-USDT ${event.type} `),
  );
  expect(line).not.toMatch(/undefined|NaN|\n/);
});
