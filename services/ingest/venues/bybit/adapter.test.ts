import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { deriveBybitInstrument, parseBybitInstruments } from "./instruments.ts";
import { mergeBest } from "./book.ts";
import { type BybitCategory, parseBybitTopic } from "./requests.ts";
import { bybit } from "./adapter.ts";

const OPTIONS = { requestId: 5, bookDepth: 1000 };
const CALL = "BTC-25DEC26-100000-C";

function instrumentOf(category: BybitCategory, venueSymbol: string): Instrument {
  const instrument = deriveBybitInstrument(venueSymbol, category);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no instrument`);
  return instrument;
}

function wanted(
  category: BybitCategory,
  venueSymbol: string,
  channels: readonly Channel[],
): FeedSubscription[] {
  const instrument = instrumentOf(category, venueSymbol);
  return channels.map((channel) => ({ instrument, channel }));
}

function argsOf(frames: readonly string[]): unknown[] {
  return frames.map((frame) => (JSON.parse(frame) as { args: unknown }).args);
}

describe("planning connections", () => {
  test("each category has an address of its own, also for the same symbol", () => {
    const subscriptions = [
      ...wanted("linear", "BTCUSDT", ["book"]),
      ...wanted("spot", "BTCUSDT", ["book"]),
      ...wanted("inverse", "BTCUSD", ["book"]),
      ...wanted("option", CALL, ["book"]),
    ];
    const plans = bybit.planConnections(subscriptions, bybit.endpoints);
    const told = plans.map(({ url, subscriptions: [first] }) => [url, first?.instrument.symbol]);
    expect(told).toEqual([
      ["wss://stream.bybit.com/v5/public/spot", "BTC-USDT"],
      ["wss://stream.bybit.com/v5/public/linear", "BTC-USDT-PERP"],
      ["wss://stream.bybit.com/v5/public/inverse", "BTC-USD-PERP"],
      ["wss://stream.bybit.com/v5/public/option", "BTC-USDC-20261225-100000-C"],
    ]);
  });

  test.each([
    ["spot", "BTCUSDT", ["book", "candles", "quotes", "ticker", "trades"]],
    ["option", CALL, ["book", "mark-price", "open-interest", "ticker", "trades"]],
    [
      "linear",
      "BTC-25DEC26",
      "book candles liquidations mark-price open-interest quotes ticker trades".split(" "),
    ],
    ["inverse", "BTCUSD", bybit.channels.toSorted()],
  ] as const)("%s %s is asked only for what it can have", (category, venueSymbol, channels) => {
    const subscriptions = wanted(category, venueSymbol, bybit.channels);
    const plans = bybit.planConnections(subscriptions, bybit.endpoints);
    const planned = plans.flatMap((plan) => plan.subscriptions.map((each) => each.channel));
    expect(planned.toSorted()).toEqual(channels);
  });

  test("the topics of a full connection stay below the venue's 21,000 characters", () => {
    const max = bybit.limits.subscriptionsPerConnectionMax;
    const instruments = Array.from({ length: max }, (_, index) =>
      instrumentOf("option", `BTC-25DEC26-${100_000 + index}.5-C-USDT`),
    );
    const subscriptions = instruments.map((instrument) => ({
      instrument,
      channel: "book" as const,
    }));
    const [plan, ...others] = bybit.planConnections(subscriptions, bybit.endpoints);
    expect(others).toEqual([]);
    const args = argsOf(bybit.subscribeFrames(plan?.subscriptions ?? [], OPTIONS));
    expect(JSON.stringify(args.flat()).length).toBeLessThan(21_000);
  });
});

describe("subscribing", () => {
  test("all that a ticker tells is one topic, and liquidations have a request of their own", () => {
    const subscriptions = wanted("linear", "BTCUSDT", bybit.channels);
    expect(argsOf(bybit.subscribeFrames(subscriptions, OPTIONS))).toEqual([
      [
        "publicTrade.BTCUSDT",
        "orderbook.1.BTCUSDT",
        "orderbook.1000.BTCUSDT",
        "tickers.BTCUSDT",
        "kline.1.BTCUSDT",
      ],
      ["allLiquidation.BTCUSDT"],
    ]);
  });

  test("trades of options are asked for once for a base asset, and not ended with one option", () => {
    const subscriptions = [
      ...wanted("option", CALL, ["trades", "book"]),
      ...wanted("option", "BTC-25DEC26-90000-P", ["trades", "book"]),
    ];
    expect(argsOf(bybit.subscribeFrames(subscriptions, OPTIONS))).toEqual([
      [`orderbook.100.${CALL}`],
      ["orderbook.100.BTC-25DEC26-90000-P"],
      ["publicTrade.BTC"],
    ]);
    expect(argsOf(bybit.unsubscribeFrames(subscriptions, OPTIONS))).toEqual([
      [`orderbook.100.${CALL}`],
      ["orderbook.100.BTC-25DEC26-90000-P"],
    ]);
  });

  test.each([
    [1, 50],
    [50, 50],
    [51, 200],
    [200, 200],
    [201, 1000],
    [5000, 1000],
  ])("a book of %i levels is asked for with %i", (bookDepth, depth) => {
    const subscriptions = wanted("spot", "BTCUSDT", ["book"]);
    const frames = bybit.subscribeFrames(subscriptions, { requestId: 1, bookDepth });
    expect(argsOf(frames)).toEqual([[`orderbook.${depth}.BTCUSDT`]]);
  });

  test("answers to more requests than are remembered are signs of life", () => {
    const catalog = new InstrumentCatalog({ venue: "bybit", instrumentsMax: 9 });
    const url = "wss://stream.bybit.com/v5/public/spot";
    const decoder = bybit.createDecoder({ catalog, bookDepth: 50, url });
    for (let id = 0; id <= 1024; id++) {
      const args = [`publicTrade.A${id}USDT`];
      decoder.sent?.(JSON.stringify({ req_id: String(id), op: "subscribe", args }));
    }
    const events: FeedEvent[] = [];
    for (const id of ["0", "1"]) {
      const answer = { success: true, ret_msg: "", conn_id: "c", req_id: id, op: "subscribe" };
      decoder.decode(JSON.stringify(answer), 1, (event) => events.push(event));
    }
    expect(events).toMatchObject([
      { kind: "heartbeat" },
      { kind: "subscribed", venueSymbol: "A1USDT", venueMarket: "spot" },
    ]);
  });
});

describe("instruments", () => {
  test.each([
    ["spot", "BTCUSDT", "BTC-USDT"],
    ["spot", "USDCUSDT", "USDC-USDT"],
    ["spot", "ETHBTC", "ETH-BTC"],
    ["linear", "BTCUSDT", "BTC-USDT-PERP"],
    ["linear", "BTCPERP", "BTC-USDC-PERP"],
    ["linear", "BTC-2JAN26", "BTC-USDC-20260102"],
    ["linear", "BTCUSDT-25DEC26", "BTC-USDT-20261225"],
    ["inverse", "BTCUSD", "BTC-USD-PERP"],
    ["option", "BTC-2JAN26-90000-P", "BTC-USDC-20260102-90000-P"],
    ["option", "SOL-25DEC26-1.5-C-USDT", "SOL-USDT-20261225-1.5-C"],
  ] as const)("%s %s is %s", (category, venueSymbol, symbol) => {
    const instrument = instrumentOf(category, venueSymbol);
    expect(instrument).toMatchObject({ symbol, venueSymbol, venueMarket: category });
  });

  test.each([
    ["spot", "USDT"],
    ["spot", "BTC"],
    ["linear", "BTCUSD"],
    ["linear", "BTC-31FEB26"],
    ["linear", "BTC-25DEC26-100000-C"],
    // The day is not in the name.
    ["inverse", "BTCUSDZ26"],
    ["option", "BTC-25DEC26-100000"],
    ["option", "BTC-25DEC26-100000-C-USDT-2"],
    ["novelty", "BTCUSDT"],
    [undefined, "BTCUSDT"],
  ])("%s %s cannot be derived", (category, venueSymbol) => {
    expect(deriveBybitInstrument(venueSymbol, category)).toBeUndefined();
  });

  test("sizes of inverse contracts count dollars, all others the base asset", () => {
    expect(instrumentOf("inverse", "BTCUSD")).toMatchObject({ inverse: true, sizeUnit: "quote" });
    expect(instrumentOf("linear", "BTCPERP")).toMatchObject({ inverse: false, sizeUnit: "base" });
    expect(instrumentOf("option", CALL)).toMatchObject({ sizeUnit: "base", settle: "USDC" });
  });

  test("the details come out of the list", () => {
    const listed = {
      symbol: "BTCUSDT-25DEC26",
      status: "Trading",
      contractType: "LinearFutures",
      baseCoin: "BTC",
      quoteCoin: "USDT",
      settleCoin: "USDT",
      deliveryTime: "1798185600000",
      priceFilter: { tickSize: "0.10" },
      lotSizeFilter: { qtyStep: "0.001" },
    };
    const body = JSON.stringify({ retCode: 0, result: { category: "linear", list: [listed] } });
    const url = "https://api.bybit.com/v5/market/instruments-info?category=linear&limit=1000";
    expect(parseBybitInstruments(body, url)?.instruments).toMatchObject([
      {
        symbol: "BTC-USDT-20261225",
        priceIncrement: "0.1",
        sizeIncrement: "0.001",
        expiryTimeUs: 1_798_185_600_000_000,
      },
    ]);
    expect(parseBybitInstruments('{"retCode":10006,"result":{}}', url)).toBeUndefined();
  });

  test("every category has its lists, options one for each base asset", () => {
    const urls = bybit.instrumentsRequests(bybit.endpoints).map(({ url }) => url);
    const base = "https://api.bybit.com/v5/market/instruments-info?category=";
    expect(urls.slice(0, 5)).toEqual([
      `${base}spot`,
      `${base}linear&limit=1000`,
      `${base}linear&status=PreLaunch&limit=1000`,
      `${base}inverse&limit=1000`,
      `${base}option&baseCoin=BTC&limit=1000`,
    ]);
    expect(new Set(urls).size).toBe(urls.length);
  });

  test("pages follow the cursor, whether or not it is encoded, until there is none", () => {
    const first = { url: "https://x/v5/market/instruments-info?category=linear", weight: 1 };
    const page = (nextPageCursor: string): string =>
      JSON.stringify({ retCode: 0, result: { category: "linear", list: [], nextPageCursor } });
    const second = bybit.nextInstrumentsRequest?.(first, page("first%3DA%26last%3DB"));
    expect(second?.url).toBe(`${first.url}&cursor=first%3DA%26last%3DB`);
    const third = second && bybit.nextInstrumentsRequest?.(second, page("a=b&c"));
    expect(third?.url).toBe(`${first.url}&cursor=a%3Db%26c`);
    expect(third && bybit.nextInstrumentsRequest?.(third, page(""))).toBeUndefined();
    expect(bybit.nextInstrumentsRequest?.(first, "{}")).toBeUndefined();
  });
});

test("a topic that is not asked for is none", () => {
  for (const topic of ["", "orderbook", "orderbook.BTCUSDT", "kline.BTCUSDT", "tickers."]) {
    expect(parseBybitTopic(topic)).toBeUndefined();
  }
});

describe("the book of one level", () => {
  const before = {
    bid: { price: "10", size: "1" },
    ask: { price: "11", size: "2" },
    updateId: 5,
  };
  const none = { price: undefined, size: undefined };

  test("a removal of another level than the best leaves the best alone", () => {
    const data = { u: 6, b: [["9", "0"]], a: [["11", "0.000"]] };
    expect(mergeBest(before, data, false)).toEqual({
      best: { bid: before.bid, ask: none, updateId: 6 },
      isGap: false,
    });
  });

  test("behind a hole a side is unknown until it is mentioned", () => {
    const first = mergeBest(before, { u: 8, b: [["9", "3"]], a: [] }, false);
    expect(first).toEqual({
      best: { bid: { price: "9", size: "3" }, ask: undefined, updateId: 8 },
      isGap: true,
    });
    const second = first && mergeBest(first.best, { u: 9, b: [], a: [["12", "0"]] }, false);
    expect(second).toEqual({
      best: { bid: { price: "9", size: "3" }, ask: none, updateId: 9 },
      isGap: false,
    });
  });

  test("a snapshot says both sides, whatever its number", () => {
    expect(mergeBest(before, { u: 1, b: [], a: [["12", "1"]] }, true)).toEqual({
      best: { bid: none, ask: { price: "12", size: "1" }, updateId: 1 },
      isGap: false,
    });
  });

  test.each([
    { b: [], a: [] },
    { u: 6, b: [] },
    { u: 6, b: [], a: [1] },
  ])("%j is damaged", (data) => {
    expect(mergeBest(before, data, false)).toBeUndefined();
  });
});

test("recent trades are asked for by category, the clock is read to the microsecond", () => {
  const endpoints = bybit.endpoints;
  const urlOf = (instrument: Instrument): string | undefined =>
    bybit.tradesRequest?.(instrument, { afterTradeId: "5", endpoints })?.url;
  const base = "https://api.bybit.com/v5/market/recent-trade";
  expect(urlOf(instrumentOf("spot", "BTCUSDT"))).toBe(
    `${base}?category=spot&symbol=BTCUSDT&limit=60`,
  );
  expect(urlOf(instrumentOf("linear", "BTCUSDT"))).toBe(
    `${base}?category=linear&symbol=BTCUSDT&limit=1000`,
  );
  const parse = (body: string): number | undefined => bybit.parseServerTimeUs?.(body);
  const body =
    '{"retCode":0,"result":{"timeSecond":"1700000000","timeNano":"1700000000123456789"}}';
  expect(parse(body)).toBe(1_700_000_000_123_456);
  for (const wrong of ["", "{}", '{"result":{"timeNano":"17"}}'])
    expect(parse(wrong)).toBeUndefined();
});
