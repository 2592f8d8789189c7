import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import { checkClock, chooseInstruments, CLOCK_SKEW_MS_MAX } from "./doctor-checks.ts";

describe("the clock", () => {
  test.each([
    [CLOCK_SKEW_MS_MAX + 19, "ok"],
    [CLOCK_SKEW_MS_MAX + 20, "ok"],
    [CLOCK_SKEW_MS_MAX + 21, "warn"],
    [-CLOCK_SKEW_MS_MAX - 21, "warn"],
  ])("%i ms off, with 20 ms of doubt, is %s", (skewMs, verdict) => {
    expect(checkClock({ skewMs, roundTripMs: 40 }).verdict).toBe(verdict);
  });

  test("ahead and behind are told apart", () => {
    expect(checkClock({ skewMs: 12, roundTripMs: 40 }).text).toBe(
      "ours is 12 ms ahead (round trip 40 ms)",
    );
    expect(checkClock({ skewMs: -7, roundTripMs: 3 }).text).toBe(
      "ours is 7 ms behind (round trip 3 ms)",
    );
  });
});

describe("the instruments to try a venue with", () => {
  const listed = (symbol: string, kind: Instrument["kind"]): Instrument => {
    const [base = "", quote = ""] = symbol.split("-");
    const common = { venue: "somewhere", venueSymbol: symbol, settle: quote, inverse: false };
    return { ...common, symbol, kind, base, quote };
  };

  test("are those that are surely traded", () => {
    const all = [
      listed("AAA-USDT", "spot"),
      listed("BTC-USD-20261225-100000-C", "option"),
      listed("ETH-USDT", "spot"),
      listed("BTC-EUR", "spot"),
      listed("BTC-USDT", "spot"),
    ];
    expect(chooseInstruments(all).map(({ symbol }) => symbol)).toEqual(["BTC-USDT", "ETH-USDT"]);
  });

  test("are the first two where none of those is listed", () => {
    const all = ["AAA-XYZ", "BBB-XYZ", "CCC-XYZ"].map((symbol) => listed(symbol, "spot"));
    expect(chooseInstruments(all).map(({ symbol }) => symbol)).toEqual(["AAA-XYZ", "BBB-XYZ"]);
  });
});
