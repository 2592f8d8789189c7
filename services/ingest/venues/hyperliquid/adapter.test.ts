import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedSubscription } from "../../feed/feed-adapter.ts";
import { hyperliquid } from "./adapter.ts";

const OPTIONS = { requestId: 1, bookDepth: 100 };

function instrument(venueSymbol: string): Instrument {
  const derived = hyperliquid.deriveInstrument(venueSymbol);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

const PERPETUAL = instrument("kPEPE");
const SPOT = instrument("PURR/USDC");

function wanted(of: Instrument, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: of, channel }));
}

describe("what is asked of Hyperliquid", () => {
  test("each subscription is a frame of its own, and the state of a market is asked for once", () => {
    const frames = hyperliquid.subscribeFrames(wanted(PERPETUAL, hyperliquid.channels), OPTIONS);
    const subscriptions = frames.map(
      (frame) => (JSON.parse(frame) as { subscription: unknown }).subscription,
    );
    expect(subscriptions).toEqual([
      { type: "trades", coin: "kPEPE" },
      { type: "bbo", coin: "kPEPE" },
      { type: "l2Book", coin: "kPEPE" },
      { type: "activeAssetCtx", coin: "kPEPE" },
      { type: "candle", coin: "kPEPE", interval: "1m" },
    ]);
  });

  test("a subscription is ended by the same words", () => {
    expect(hyperliquid.unsubscribeFrames(wanted(SPOT, ["book"]), OPTIONS)).toEqual([
      '{"method":"unsubscribe","subscription":{"type":"l2Book","coin":"PURR/USDC"}}',
    ]);
  });

  test("spot has nothing of perpetuals", () => {
    const plans = hyperliquid.planConnections(
      wanted(SPOT, hyperliquid.channels),
      hyperliquid.endpoints,
    );
    expect(plans.flatMap((plan) => plan.subscriptions.map(({ channel }) => channel))).toEqual([
      "trades",
      "quotes",
      "book",
      "ticker",
      "candles",
    ]);
  });

  test("both lists and the latest trades are asked for by POST at one address", () => {
    const lists = hyperliquid.instrumentsRequests(hyperliquid.endpoints);
    const trades = hyperliquid.tradesRequest?.(PERPETUAL, {
      afterTradeId: "1",
      endpoints: hyperliquid.endpoints,
    });
    const requests = [...lists, ...(trades === undefined ? [] : [trades])];
    expect(requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", "https://api.hyperliquid.xyz/info", '{"type":"meta"}'],
      ["POST", "https://api.hyperliquid.xyz/info", '{"type":"spotMeta"}'],
      [
        "POST",
        "https://api.hyperliquid.xyz/info#recentTrades=kPEPE",
        '{"type":"recentTrades","coin":"kPEPE"}',
      ],
    ]);
    expect(requests.map(({ url }) => hyperliquid.recordedRequest(url))).toEqual([
      { kind: "instruments" },
      { kind: "instruments" },
      { kind: "trades", venueSymbol: "kPEPE" },
    ]);
  });
});

describe("the instruments of Hyperliquid", () => {
  test.each([
    ["BTC", "BTC-USDC-PERP", "perpetual"],
    ["kPEPE", "kPEPE-USDC-PERP", "perpetual"],
    ["PURR", "PURR-USDC-PERP", "perpetual"],
    ["PURR/USDC", "PURR-USDC", "spot"],
  ])("%s is %s", (venueSymbol, symbol, kind) => {
    expect(hyperliquid.deriveInstrument(venueSymbol)).toMatchObject({ symbol, venueSymbol, kind });
  });

  test.each(["@107", "xyz:TSLA", "#5", "A/B/C", "/USDC", "PURR/", ""])(
    "%s cannot be told by its name",
    (venueSymbol) => {
      expect(hyperliquid.deriveInstrument(venueSymbol)).toBeUndefined();
    },
  );

  test("sizes have the decimals of the base token; prices have no step of their own", () => {
    const universe = [{ name: "BTC", szDecimals: 5 }];
    const parsed = hyperliquid.parseInstruments(JSON.stringify({ universe }), "");
    expect(parsed?.instruments[0]).toMatchObject({ sizeIncrement: "0.00001", sizeUnit: "base" });
    expect(parsed?.instruments[0]).not.toHaveProperty("priceIncrement");
  });
});

describe("exchanges that others run on Hyperliquid", () => {
  const SPOT = {
    tokens: [
      { name: "USDC", index: 0, szDecimals: 8 },
      { name: "PURR", index: 1, szDecimals: 0 },
      { name: "USDH", index: 360, szDecimals: 8 },
    ],
    universe: [
      { name: "PURR/USDC", tokens: [1, 0] },
      { name: "@230", tokens: [360, 0] },
      { name: "@232", tokens: [1, 360] },
    ],
  };
  const DEXS = [null, { name: "xyz", fullName: "XYZ" }, { name: "no name!" }, { name: "flx" }];

  /** Every request from the spot pairs on, with what it asks for. */
  function follow(answers: readonly unknown[]): { readonly url: string; readonly body: unknown }[] {
    const [, spot] = hyperliquid.instrumentsRequests(hyperliquid.endpoints);
    const requests = [];
    let request = spot;
    for (const answer of answers) {
      if (request === undefined) break;
      request = hyperliquid.nextInstrumentsRequest?.(request, JSON.stringify(answer));
      if (request !== undefined) requests.push({ url: request.url, body: request.body });
    }
    return requests;
  }

  test("are asked for by name, one after the other, behind the spot pairs", () => {
    const requests = follow([SPOT, DEXS, { universe: [] }, { universe: [] }]);
    expect(requests.map(({ body }) => body)).toEqual([
      '{"type":"perpDexs"}',
      '{"type":"meta","dex":"xyz"}',
      '{"type":"meta","dex":"flx"}',
    ]);
    const [address] = hyperliquid.endpoints.rest.split("#");
    for (const { url } of requests) {
      expect(url.split("#")[0]).toBe(`${address}/info`);
      expect(hyperliquid.recordedRequest(url)).toEqual({ kind: "instruments" });
    }
  });

  test("are priced in the token that their list names by number, or left out and counted", () => {
    const [, xyz, flx] = follow([SPOT, DEXS, { universe: [] }]);
    const list = (url: string, collateralToken: number, name: string) =>
      hyperliquid.parseInstruments(
        JSON.stringify({ universe: [{ name, szDecimals: 3 }], collateralToken }),
        url,
      );
    expect(list(xyz?.url ?? "", 0, "xyz:TSLA")?.instruments).toEqual([
      {
        venue: "hyperliquid",
        symbol: "TSLA-USDC_xyz-PERP",
        venueSymbol: "xyz:TSLA",
        kind: "perpetual",
        base: "TSLA",
        quote: "USDC",
        settle: "USDC",
        inverse: false,
        sizeUnit: "base",
        sizeIncrement: "0.001",
      },
    ]);
    expect(list(flx?.url ?? "", 360, "flx:TSLA")?.instruments).toMatchObject([
      { symbol: "TSLA-USDH_flx-PERP", quote: "USDH", settle: "USDH" },
    ]);
    expect(list(flx?.url ?? "", 4711, "flx:TSLA")).toEqual({ instruments: [], skipped: 1 });
  });

  test("an answer that names nothing usable ends the lists", () => {
    expect(follow([SPOT, [null]])).toHaveLength(1);
    expect(follow([SPOT, "damaged"])).toHaveLength(1);
    expect(hyperliquid.parseInstruments(JSON.stringify(DEXS), "")).toEqual({
      instruments: [],
      skipped: 0,
    });
  });
});
