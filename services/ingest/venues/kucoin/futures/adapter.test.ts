import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { kucoin } from "../adapter.ts";
import { kucoinFutures } from "./adapter.ts";

function contract(venueSymbol: string): Instrument {
  const instrument = kucoinFutures.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no contract`);
  return instrument;
}

describe("contracts", () => {
  test.each([
    ["XBTUSDTM", { symbol: "BTC-USDT-PERP", settle: "USDT", inverse: false }],
    ["XBTUSDM", { symbol: "BTC-USD-PERP", settle: "BTC", inverse: true }],
    ["ETHUSDCM", { symbol: "ETH-USDC-PERP", settle: "USDC", inverse: false }],
    ["1000BONKUSDTM", { symbol: "1000BONK-USDT-PERP", base: "1000BONK" }],
  ])("%s says what it is", (name, fields) => {
    expect(contract(name)).toMatchObject({ ...fields, kind: "perpetual", sizeUnit: "contract" });
  });

  test.each(["", "USDTM", "XBTUSDT", "XBTMZ26", "xbt-usdtm", "XBT USDTM"])("%j is none", (name) => {
    expect(kucoinFutures.deriveInstrument(name)).toBeUndefined();
  });

  function listed(fields: object): Instrument | undefined {
    const entry = {
      symbol: "XBTUSDM",
      type: "FFWCSX",
      status: "Open",
      baseCurrency: "XBT",
      quoteCurrency: "USD",
      settleCurrency: "XBT",
      isInverse: true,
      multiplier: -1.0,
      tickSize: 0.5,
      lotSize: 1,
      expireDate: null,
      ...fields,
    };
    const body = JSON.stringify({ code: "200000", data: [entry] });
    const list = kucoinFutures.parseInstruments(body, "");
    return list?.instruments[0] ?? list?.paused?.[0];
  }

  test.each([
    ["Init", "pre-open"],
    ["Open", "trading"],
    ["Paused", "halted"],
    ["CancelOnly", "cancel-only"],
    ["BeingSettled", "settling"],
  ])("%s is %s", (status, state) => {
    expect(listed({ status })).toMatchObject({ state, stateWord: status });
  });

  test("an inverse one is worth so many dollars, whatever sign is before them", () => {
    expect(listed({})).toMatchObject({
      contractSize: "1",
      inverse: true,
      settle: "BTC",
      priceIncrement: "0.5",
      sizeIncrement: "1",
    });
  });

  test("one that ends does so at the time that the list says", () => {
    const dated = { symbol: "XBTMZ26", type: "FFICSX", expireDate: 1_798_185_600_000 };
    expect(listed(dated)).toMatchObject({
      symbol: "BTC-USD-20261225",
      kind: "future",
      expiryTimeUs: 1_798_185_600_000_000,
    });
    expect(listed({ ...dated, expireDate: null })).toBeUndefined();
  });

  test.each([
    { multiplier: 0 },
    { multiplier: null },
    { quoteCurrency: "USDT" },
    { status: "Closed" },
  ])("is left out with %j", (fields) => {
    expect(listed(fields)).toBeUndefined();
  });
});

test("the best levels of a book are those of the ticker", () => {
  const probe = kucoinFutures.bookProbe;
  const { url } = probe?.request(contract("XBTUSDTM"), kucoinFutures.endpoints) ?? {};
  expect(url).toBe("https://api-futures.kucoin.com/api/v1/ticker?symbol=XBTUSDTM");
  const bid = { bestBidSize: 4, bestBidPrice: "67269.10" };
  const body = JSON.stringify({ data: { ...bid, bestAskPrice: "67269.2", bestAskSize: 190 } });
  expect(probe?.levels(body)).toBe("67269.1 4 / 67269.2 190");
});

describe("requests", () => {
  test.each([
    ["trades", "/contractMarket/execution:XBTUSDTM"],
    ["quotes", "/contractMarket/tickerV2:XBTUSDTM"],
    ["book", "/contractMarket/level2:XBTUSDTM"],
    ["ticker", "/contractMarket/snapshot:XBTUSDTM"],
    ["candles", "/contractMarket/limitCandle:XBTUSDTM_1min"],
    ["mark-price", "/contract/instrument:XBTUSDTM"],
  ] as const)("%s is %s", (channel: Channel, topic) => {
    const wanted = [{ instrument: contract("XBTUSDTM"), channel }];
    const [frame = ""] = kucoinFutures.subscribeFrames(wanted, { requestId: 5, bookDepth: 100 });
    expect(JSON.parse(frame)).toMatchObject({ id: "5", type: "subscribe", topic, response: true });
  });

  test("marks and funding are asked for once", () => {
    const instrument = contract("XBTUSDTM");
    const wanted = (["mark-price", "funding"] as const).map((channel) => ({ instrument, channel }));
    expect(kucoinFutures.subscribeFrames(wanted, { requestId: 1, bookDepth: 1 }).length).toBe(1);
  });

  test("what ends has no funding, and open interest is not subscribed to", () => {
    const instrument = { ...contract("XBTUSDM"), kind: "future" } as const;
    const channels: readonly Channel[] = ["funding", "open-interest", "liquidations", "mark-price"];
    const wanted = channels.map((channel) => ({ instrument, channel }));
    const [plan, ...others] = kucoinFutures.planConnections(wanted, kucoinFutures.endpoints);
    expect(others).toEqual([]);
    expect(plan?.subscriptions.map(({ channel }) => channel)).toEqual(["mark-price"]);
  });

  test("spot and futures together keep to what an address may do", () => {
    const { address, connects, restWeight } = kucoinFutures.limits;
    expect(address?.name).toBeDefined();
    expect(kucoin.limits).toMatchObject({ address, connects, restWeight });
  });
});
