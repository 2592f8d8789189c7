import { expect, test } from "vitest";
import { z } from "zod";
import { deriveConfig } from "./config.ts";

test("needs nothing to be set", () => {
  const config = deriveConfig();
  expect(config.candles.intervalsMs.map((each) => each / 1_000)).toEqual([
    1, 60, 300, 900, 3_600, 14_400, 86_400,
  ]);
  expect(config).toMatchObject({ enabled: false, consolidated: [], sharedPairsMax: 20 });
});

test.each([
  ["a symbol that is no pair", { consolidated: [{ symbol: "BTC" }] }],
  ["a symbol with a venue", { consolidated: [{ symbol: "binance:BTC-USD" }] }],
  ["a source without a venue", { consolidated: [{ symbol: "BTC-USD", sources: ["BTC-USD"] }] }],
  ["a source that is a topic", { consolidated: [{ symbol: "A-B", sources: ["x:A-B/quotes"] }] }],
  ["no source at all", { consolidated: [{ symbol: "A-B", sources: [] }] }],
  ["a length that does not divide a day", { candles: { intervalsMs: [7_000] } }],
  ["a length below a second", { candles: { intervalsMs: [100] } }],
  ["a shard beyond its count", { shard: "4/3" }],
  ["a key that there is not", { candle: {} }],
])("refuses %s", (_what, given) => {
  expect(() => deriveConfig(given as Parameters<typeof deriveConfig>[0])).toThrow(z.ZodError);
});

test.each(["binance:BTC-USDT", "*:BTC-USD", "kraken-v1:XBT-USD"])(
  "takes the source %s",
  (source) => {
    const { consolidated } = deriveConfig({
      consolidated: [{ symbol: "BTC-USD", sources: [source] }],
    });
    expect(consolidated[0]?.sources).toEqual([source]);
  },
);
