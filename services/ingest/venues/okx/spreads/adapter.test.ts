import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { okxSpreads } from "./adapter.ts";

function spread(venueSymbol: string): Instrument {
  const instrument = okxSpreads.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no spread`);
  return instrument;
}

describe("spreads", () => {
  test.each([
    [
      "BTC-USDT_BTC-USDT-SWAP",
      { symbol: "BTC-USDT_BTC-USDT-PERP", settle: "USDT", inverse: false, sizeUnit: "base" },
    ],
    [
      "ETH-USD-SWAP_ETH-USD-261225",
      {
        symbol: "ETH-USD-PERP_ETH-USD-20261225",
        settle: "ETH",
        inverse: true,
        sizeUnit: "quote",
        expiryTimeUs: Date.UTC(2026, 11, 25, 8) * 1000,
      },
    ],
    ["BTC-USDT-270326_BTC-USDT-261225", { expiryTimeUs: Date.UTC(2026, 11, 25, 8) * 1000 }],
    [
      "BTC-USD_UM-SWAP_BTC-USD_UM-261225",
      { symbol: "BTC-USD_UM-PERP_BTC-USD_UM-20261225", base: "BTC", quote: "USD" },
    ],
  ])("%s says what it is", (name, fields) => {
    expect(spread(name)).toMatchObject({ kind: "combo", ...fields });
  });

  test.each(["", "BTC-USDT", "BTC-USDT_", "_BTC-USDT", "BTC-USDT_BTC", "BTC-USDT_X_BTC-USDT-SWAP"])(
    "%j is none",
    (name) => {
      expect(okxSpreads.deriveInstrument(name)).toBeUndefined();
    },
  );

  test("without an end have none, whatever the list says of one", () => {
    const body = JSON.stringify({
      code: "0",
      data: [
        {
          sprdId: "BTC-USDT_BTC-USDT-SWAP",
          state: "live",
          baseCcy: "BTC",
          quoteCcy: "USDT",
          szCcy: "BTC",
          expTime: "1597029999085",
        },
      ],
    });
    const [listed] = okxSpreads.parseInstruments(body, "")?.instruments ?? [];
    expect(listed).toMatchObject({ sizeUnit: "base", state: "trading", stateWord: "live" });
    expect(listed).not.toHaveProperty("expiryTimeUs");
  });
});

test("a book's best levels are compared where prices are below zero too", () => {
  const probe = okxSpreads.bookProbe;
  const { url } = probe?.request(spread("BTC-USDT_BTC-USDT-SWAP"), okxSpreads.endpoints) ?? {};
  expect(url).toBe("https://www.okx.com/api/v5/sprd/books?sprdId=BTC-USDT_BTC-USDT-SWAP&sz=5");
  const side = (...prices: string[]) => prices.map((price) => [price, "2", "1"]);
  const book = { asks: side("0", "1.50"), bids: side("-3", "-0.1"), ts: "1670324386802" };
  const levels = probe?.levels(JSON.stringify({ code: "0", msg: "", data: [book] }));
  expect(levels).toBe("-0.1 2, -3 2 / 0 2, 1.5 2");
});

describe("requests", () => {
  test("each spread has one, with all its channels", () => {
    const channels: readonly Channel[] = ["trades", "quotes", "book", "ticker", "candles"];
    const names = ["BTC-USDT_BTC-USDT-SWAP", "ETH-USDT_ETH-USDT-SWAP"];
    const wanted = names.flatMap((name) =>
      channels.map((channel) => ({ instrument: spread(name), channel })),
    );
    const frames = okxSpreads.subscribeFrames(wanted, { requestId: 7, bookDepth: 100 });
    expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual(
      names.map((sprdId, index) => ({
        id: String(7 + index),
        op: "subscribe",
        args: [
          "sprd-public-trades",
          "sprd-bbo-tbt",
          "sprd-books-l2-tbt",
          "sprd-tickers",
          "sprd-candle1m",
        ].map((channel) => ({ channel, sprdId })),
      })),
    );
  });

  test("go to the address of business, or to its other port", () => {
    const wanted = [{ instrument: spread("BTC-USDT_BTC-USDT-SWAP"), channel: "book" as const }];
    expect(okxSpreads.planConnections(wanted, okxSpreads.endpoints)).toEqual([
      {
        url: "wss://ws.okx.com/ws/v5/business",
        fallbackUrl: "wss://ws.okx.com:8443/ws/v5/business",
        subscriptions: wanted,
      },
    ]);
    const own = { webSocket: "ws://127.0.0.1/ws/v5/", rest: "http://127.0.0.1" };
    expect(okxSpreads.planConnections(wanted, own)).toEqual([
      { url: "ws://127.0.0.1/ws/v5/business", subscriptions: wanted },
    ]);
  });
});
