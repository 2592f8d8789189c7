import { compareMantissa, rescaleMantissa } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture } from "#test/support/decode-capture.ts";
import { binanceUsdm } from "./usdm/adapter.ts";
import { binance } from "./adapter.ts";

/** Steps of price between neighbouring trades of one moment and one side, in all. */
const SWEEPS = [
  ["binance-btcusdt-345s", binance, 2_572],
  ["binance-usdm-btcusdt-345s", binanceUsdm, 5_011],
] as const;

/** Where a trade's price stands to the one before it, at one scale. */
function stepOf(before: Trade, after: Trade): number {
  const scale = Math.max(before.priceScale, after.priceScale);
  const [from, to] = [before, after].map(({ priceMantissa, priceScale }) =>
    rescaleMantissa(priceMantissa, priceScale, scale),
  );
  return compareMantissa(to ?? 0, from ?? 0);
}

// An order that takes several levels trades at ever worse prices: a buyer's rise, a seller's fall.
// That is a fact of the prices alone, and knows nothing of the maker's flag.
describe.each(SWEEPS)("%s", (name, adapter, steps) => {
  const path = capturePath(name);

  test.skipIf(path === undefined)("orders that sweep go the way of their aggressor", async () => {
    const { events } = await decodeCapture(adapter, path ?? "");
    const trades = events.filter((event): event is Trade => event.kind === "trade");
    const [rightly, wrongly] = [{ count: 0 }, { count: 0 }];
    for (const [index, trade] of trades.entries()) {
      const before = trades[index - 1];
      if (before?.venueTimeUs !== trade.venueTimeUs) continue;
      if (before?.aggressorSide !== trade.aggressorSide) continue;
      const step = stepOf(before, trade);
      if (step === 0) continue;
      if (step > 0 === (trade.aggressorSide === "buyer")) rightly.count += 1;
      else wrongly.count += 1;
    }
    expect(rightly.count + wrongly.count).toBe(steps);
    // Two orders may fall into one millisecond.
    expect(wrongly.count).toBeLessThan(10);
  });
});
