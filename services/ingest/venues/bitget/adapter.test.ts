import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedSubscription } from "../../feed/feed-adapter.ts";
import { bitget } from "./adapter.ts";

const OPTIONS = { requestId: 1, bookDepth: 100 };

type Argument = Readonly<Record<"instType" | "topic" | "symbol" | "interval", string | undefined>>;

function instrument(venueSymbol: string, venueMarket: string): Instrument {
  const derived = bitget.deriveInstrument(venueSymbol, venueMarket);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

const SPOT = instrument("BTCUSDT", "spot");
const LINEAR = instrument("BTCUSDT", "usdt-futures");
const INVERSE = instrument("BTCUSD_CM", "coin-futures");

function wanted(of: Instrument, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: of, channel }));
}

function argumentsOf(frames: readonly string[]): readonly Argument[] {
  return frames.flatMap((frame) => (JSON.parse(frame) as { args: Argument[] }).args);
}

function many(count: number): Instrument[] {
  return Array.from({ length: count }, (_, index) => instrument(`C${index}USDT`, "usdt-futures"));
}

describe("what is asked of Bitget", () => {
  test("one topic serves the ticker, funding, mark price and open interest", () => {
    const channels = ["ticker", "funding", "mark-price", "open-interest"] as const;
    expect(argumentsOf(bitget.subscribeFrames(wanted(LINEAR, channels), OPTIONS))).toEqual([
      { instType: "usdt-futures", topic: "ticker", symbol: "BTCUSDT" },
    ]);
  });

  test("the same symbol is asked for in its own part of the venue", () => {
    const both = [...wanted(SPOT, ["book"]), ...wanted(LINEAR, ["book"])];
    expect(argumentsOf(bitget.subscribeFrames(both, OPTIONS))).toEqual([
      { instType: "spot", topic: "books", symbol: "BTCUSDT" },
      { instType: "usdt-futures", topic: "books", symbol: "BTCUSDT" },
    ]);
  });

  test("candles are those of a minute", () => {
    expect(argumentsOf(bitget.subscribeFrames(wanted(SPOT, ["candles"]), OPTIONS))).toEqual([
      { instType: "spot", topic: "kline", symbol: "BTCUSDT", interval: "1m" },
    ]);
  });

  test.each([9, 10, 11, 25])("%i arguments are in frames of at most ten", (count) => {
    const all = many(count).flatMap((each) => wanted(each, ["book"]));
    const frames = bitget.subscribeFrames(all, OPTIONS);
    const sizes = frames.map((frame) => argumentsOf([frame]).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    expect(argumentsOf(frames)).toHaveLength(count);
    expect(frames.filter((frame) => Buffer.byteLength(frame) > 4096)).toEqual([]);
  });

  test("liquidations are asked for once in each part, and never ended for one instrument", () => {
    const all = [...many(3), INVERSE].flatMap((each) => wanted(each, ["liquidations"]));
    expect(argumentsOf(bitget.subscribeFrames(all, OPTIONS))).toEqual([
      { instType: "usdt-futures", topic: "liquidation" },
      { instType: "coin-futures", topic: "liquidation" },
    ]);
    expect(bitget.unsubscribeFrames(all, OPTIONS)).toEqual([]);
  });
});

describe("the connections to Bitget", () => {
  test("carry fewer than 50 topics each, and liquidations of a part together", () => {
    const all = many(60).flatMap((each) => wanted(each, ["trades", "book", "liquidations"]));
    const plans = bitget.planConnections(all, bitget.endpoints);
    const liquidations = plans.filter(({ subscriptions }) =>
      subscriptions.some(({ channel }) => channel === "liquidations"),
    );
    expect(liquidations.map(({ subscriptions }) => subscriptions.length)).toEqual([60]);
    for (const plan of plans.filter((each) => !liquidations.includes(each))) {
      expect(plan.subscriptions.length).toBeLessThan(50);
    }
  });

  test("leave out what an instrument cannot have", () => {
    const future: Instrument = { ...LINEAR, symbol: "BTC-USDT-20260327", kind: "future" };
    const all = [SPOT, future].flatMap((each) => wanted(each, bitget.channels));
    const planned = bitget
      .planConnections(all, bitget.endpoints)
      .flatMap(({ subscriptions }) => subscriptions);
    const channelsOf = (of: Instrument): readonly Channel[] =>
      planned.filter((each) => each.instrument === of).map(({ channel }) => channel);
    expect(channelsOf(SPOT)).toEqual(["trades", "quotes", "book", "ticker", "candles"]);
    expect(channelsOf(future)).toEqual(bitget.channels.filter((each) => each !== "funding"));
  });

  test("are kept alive by the bare text that the venue expects", () => {
    expect(bitget.keepAlive?.frame(1)).toBe("ping");
  });
});

describe("the instruments of Bitget", () => {
  test.each([
    ["BTCUSDT", "spot", "BTC-USDT"],
    ["ETHBTC", "spot", "ETH-BTC"],
    ["BTCUSDT", "usdt-futures", "BTC-USDT-PERP"],
    ["BTCPERP", "usdc-futures", "BTC-USDC-PERP"],
    ["BTCUSD_CM", "coin-futures", "BTC-USD-PERP"],
    ["1000PEPEUSDT", "usdt-futures", "1000PEPE-USDT-PERP"],
  ])("%s of %s is %s", (venueSymbol, venueMarket, symbol) => {
    const derived = bitget.deriveInstrument(venueSymbol, venueMarket);
    expect(derived).toMatchObject({ symbol, venueSymbol, venueMarket });
  });

  test.each([
    ["BTCUSDT", undefined],
    ["BTCUSDT", "margin"],
    ["USDT", "spot"],
    ["BTCXYZ", "spot"],
    ["BTCUSDTH26", "usdt-futures"],
    ["BTCUSD", "coin-futures"],
    ["PERP", "usdc-futures"],
    ["BTC USDT", "spot"],
  ])("%s of %s cannot be derived", (venueSymbol, venueMarket) => {
    expect(bitget.deriveInstrument(venueSymbol, venueMarket)).toBeUndefined();
  });

  test("sizes count the base asset, but US dollars where coins are the margin", () => {
    expect([SPOT.sizeUnit, LINEAR.sizeUnit, INVERSE.sizeUnit]).toEqual(["base", "base", "quote"]);
    expect([LINEAR.settle, LINEAR.inverse]).toEqual(["USDT", false]);
    expect([INVERSE.settle, INVERSE.inverse]).toEqual(["BTC", true]);
  });

  test("the step is the multiplier, or a one in the last place", () => {
    const entry = { category: "USDT-FUTURES", quoteCoin: "USDT", status: "online" };
    const places = { pricePrecision: "1", quantityPrecision: "4" };
    const steps = { priceMultiplier: "0.50", quantityMultiplier: "0.001" };
    const data = [
      { ...entry, ...places, symbol: "AUSDT", baseCoin: "A" },
      { ...entry, ...places, ...steps, symbol: "BUSDT", baseCoin: "B" },
      { ...entry, symbol: "CUSDT", baseCoin: "C" },
    ];
    const parsed = bitget.parseInstruments(JSON.stringify({ data }), "");
    expect(parsed?.instruments.map((each) => [each.priceIncrement, each.sizeIncrement])).toEqual([
      ["0.1", "0.0001"],
      ["0.5", "0.001"],
      [undefined, undefined],
    ]);
  });
});

describe("what Bitget is asked over REST", () => {
  test("the latest trades of an instrument name its part of the venue", () => {
    const request = bitget.tradesRequest?.(LINEAR, {
      afterTradeId: "1",
      endpoints: bitget.endpoints,
    });
    expect(request?.url).toBe(
      "https://api.bitget.com/api/v3/market/fills?category=USDT-FUTURES&symbol=BTCUSDT&limit=100",
    );
  });

  test("the clock is in milliseconds", () => {
    const body = JSON.stringify({ code: "00000", data: { serverTime: "1767225600123" } });
    expect(bitget.parseServerTimeUs?.(body)).toBe(1_767_225_600_123_000);
    for (const wrong of ["", "[]", "{}", '{"data":{}}', '{"data":{"serverTime":"soon"}}']) {
      expect(bitget.parseServerTimeUs?.(wrong)).toBeUndefined();
    }
  });
});
