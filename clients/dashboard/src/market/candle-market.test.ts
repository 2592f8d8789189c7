import type { Instrument } from "@tickwire/client";
import { expect, test } from "vitest";
import { candleLengths, candleMarketOf } from "./candle-market.ts";
import { marketOf } from "./market-rows.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function marketAt(venue: string, candleIntervalsMs: readonly number[]) {
  const instrument = { venue, symbol: "A-USD", base: "A", quote: "USD" };
  const lengths = { candleIntervalsMs, candleHistoryIntervalsMs: [] };
  return marketOf({ ...instrument, ...lengths } as unknown as Instrument);
}

const mapOf = (...markets: ReturnType<typeof marketAt>[]) =>
  new Map(markets.map((market) => [market.topic, market]));

test("a market without candles has those that are made of its trades", () => {
  const [plain, derived] = [marketAt("one", []), marketAt("one-derived", [1_000, MINUTE_MS])];
  const other = marketAt("two-derived", [MINUTE_MS]);
  const markets = mapOf(plain, derived, other);
  expect(candleLengths(plain, markets).slice(0, 3)).toEqual([1_000, MINUTE_MS, 5 * MINUTE_MS]);
  const made = { market: derived, partMs: MINUTE_MS };
  expect(candleMarketOf(plain, markets, HOUR_MS)).toEqual(made);
});

test("the venue's own candles come first, lengths that it lacks are made here", () => {
  const [own, derived] = [marketAt("one", [MINUTE_MS]), marketAt("one-derived", [1_000, HOUR_MS])];
  const markets = mapOf(own, derived);
  expect(candleMarketOf(own, markets, HOUR_MS)).toEqual({ market: own, partMs: MINUTE_MS });
  expect(candleMarketOf(own, markets, 1_000)).toEqual({ market: derived, partMs: 1_000 });
});

test("without either there are none", () => {
  const plain = marketAt("one", []);
  expect(candleLengths(plain, mapOf(plain))).toEqual([]);
  expect(candleMarketOf(plain, mapOf(plain), MINUTE_MS)).toBeUndefined();
});
