import type { Instrument, Ticker, Trade } from "@tickwire/client";
import { expect, test } from "vitest";
import { marketOf } from "../market/market-rows.ts";
import { headingOf } from "./heading.ts";

const INSTRUMENT = {
  venue: "fake",
  symbol: "A-USDT",
  venueSymbol: "AUSDT",
  base: "A",
  quote: "USDT",
  kind: "spot",
  priceIncrementText: "0.01",
  channels: ["trades", "ticker"],
} as unknown as Instrument;

function marketWith(receivedTimeUs: number) {
  const ticker = { lastPrice: 10, lastPriceText: "10", openPrice: 8, receivedTimeUs } as Ticker;
  return { ...marketOf(INSTRUMENT), ticker };
}

const trade = { price: 12, priceText: "12", receivedTimeUs: 50 } as Trade;

test("the last price is that of the last trade, and the change is of it", () => {
  const { name, change, title } = headingOf(marketWith(40), trade);
  expect(name.last).toBe("12.00");
  expect(change).toBeCloseTo(0.5);
  expect(title).toBe("12.00 A-USDT · Tickwire");
});

test("a ticker that came after the last trade counts", () => {
  expect(headingOf(marketWith(51), trade).name.last).toBe("10.00");
  expect(headingOf(marketWith(51), undefined).name.last).toBe("10.00");
});

test("facts are named after the quote asset of the market", () => {
  expect(headingOf(marketWith(0), undefined).facts.at(-1)?.[0]).toBe("24 h volume USDT");
  expect(headingOf(marketOf(INSTRUMENT), undefined).title).toBe("fake:A-USDT · Tickwire");
});

test("what cannot be traded is said, by the last news or by the list", () => {
  const listed = marketOf({ ...INSTRUMENT, state: "halted" });
  expect(headingOf(listed, undefined).name.state).toBe("halted");
  expect(headingOf(listed, undefined, "trading").name.state).toBe("");
  expect(headingOf(listed, undefined, "post-only").name.state).toBe("post only");
  expect(headingOf(listed, undefined, "delisted").name.state).toBe("not listed any more");
  expect(headingOf(marketOf(INSTRUMENT), undefined).name.state).toBe("");
});
