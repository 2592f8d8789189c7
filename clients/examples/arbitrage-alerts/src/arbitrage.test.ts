import { describe, expect, test } from "vitest";
import { ArbitrageWatch, type SourceQuote } from "./arbitrage.ts";

function quote(bid: string, ask: string, size = "1"): SourceQuote {
  return {
    bidPrice: Number(bid),
    bidPriceText: bid,
    bidSize: Number(size),
    bidSizeText: size,
    askPrice: Number(ask),
    askPriceText: ask,
    askSize: Number(size),
    askSizeText: size,
  };
}

function createWatch({ gainMin = 0, fee = 0, quietUs = 0 } = {}): ArbitrageWatch {
  return new ArbitrageWatch({ gainBasisPointsMin: gainMin, feeBasisPointsOf: () => fee, quietUs });
}

describe("an arbitrage", () => {
  test("opens where one source bids more than another one asks, with both legs", () => {
    const watch = createWatch();
    expect(watch.onQuote("a", quote("99", "100", "2"), 0)).toBeUndefined();
    expect(watch.onQuote("b", quote("101", "102", "3"), 1)).toEqual({
      type: "arbitrage.opened",
      buy: { source: "a", price: "100", size: "2" },
      sell: { source: "b", price: "101", size: "3" },
      gainBasisPoints: 100,
    });
  });

  test.each([
    { gainMin: 99, opens: true },
    { gainMin: 100, opens: true },
    { gainMin: 101, opens: false },
  ])("of 100 basis points opens from $gainMin on: $opens", ({ gainMin, opens }) => {
    const watch = createWatch({ gainMin });
    watch.onQuote("a", quote("99", "100"), 0);
    expect(watch.onQuote("b", quote("101", "102"), 0) !== undefined).toBe(opens);
  });

  test("is none when the fees take it", () => {
    const watch = createWatch({ fee: 50 });
    watch.onQuote("a", quote("99", "100"), 0);
    expect(watch.onQuote("b", quote("101", "102"), 0)).toBeUndefined();
  });

  test("is none within one source, and none with a side that is empty", () => {
    const watch = createWatch();
    expect(watch.onQuote("a", quote("101", "100"), 0)).toBeUndefined();
    expect(watch.onQuote("b", quote("102", "103", "0"), 0)).toBeUndefined();
  });

  test("is told once while it lasts, and closes with the most that it was", () => {
    const watch = createWatch();
    watch.onQuote("a", quote("99", "100"), 0);
    watch.onQuote("b", quote("101", "102"), 0);
    expect(watch.onQuote("b", quote("103", "104"), 0)).toBeUndefined();
    expect(watch.onQuote("b", quote("99", "104"), 0)).toMatchObject({
      type: "arbitrage.closed",
      gainBasisPoints: 300,
      sell: { price: "103" },
    });
  });

  test("that comes back within the quiet time is told when that is over", () => {
    const watch = createWatch({ quietUs: 10 });
    watch.onQuote("a", quote("99", "100"), 0);
    expect(watch.onQuote("b", quote("101", "102"), 5)?.type).toBe("arbitrage.opened");
    expect(watch.onQuote("b", quote("99", "102"), 6)?.type).toBe("arbitrage.closed");
    expect(watch.onQuote("b", quote("101", "102"), 14)).toBeUndefined();
    expect(watch.onQuote("b", quote("101", "102"), 15)?.type).toBe("arbitrage.opened");
  });

  test("closes when the connection is lost, and nothing is left of what was known", () => {
    const watch = createWatch();
    watch.onQuote("a", quote("99", "100"), 0);
    watch.onQuote("b", quote("101", "102"), 0);
    expect(watch.reset(1)?.type).toBe("arbitrage.closed");
    expect(watch.onQuote("b", quote("101", "102"), 2)).toBeUndefined();
  });
});
