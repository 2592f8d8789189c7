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
