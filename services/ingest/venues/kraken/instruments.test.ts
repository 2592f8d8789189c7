import { expect, test } from "vitest";
import { deriveKrakenInstrument, modernPairName } from "./instruments.ts";

test("old asset names become new ones, on either side of a pair", () => {
  expect(modernPairName("XBT/USD")).toBe("BTC/USD");
  expect(modernPairName("XDG/XBT")).toBe("DOGE/BTC");
  expect(modernPairName("ETH/EUR")).toBe("ETH/EUR");
});

test("an instrument is derived from a pair under either name, and from nothing else", () => {
  const expected = { symbol: "DOGE-BTC", venueSymbol: "XDG/XBT", base: "DOGE", quote: "BTC" };
  expect(deriveKrakenInstrument("XDG/XBT", "kraken-v1")).toMatchObject(expected);
  for (const text of ["", "BTC", "BTC/", "/USD", "A/B/C", "B TC/USD", "BTC-USD", "Ä/USD"]) {
    expect(deriveKrakenInstrument(text, "kraken")).toBeUndefined();
  }
});
