import { expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import { bithumb } from "./adapter.ts";

function instrument(venueSymbol: string): Instrument {
  const derived = bithumb.deriveInstrument(venueSymbol);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

test("everything is asked for in one list, in which quotes are those of the book", () => {
  const subscriptions = bithumb.channels.map((channel) => ({
    instrument: instrument("KRW-BTC"),
    channel,
  }));
  const [frame = ""] = bithumb.subscribeFrames(subscriptions, { requestId: 3, bookDepth: 100 });
  expect(JSON.parse(frame)).toEqual([
    { ticket: "tickwire-3" },
    { type: "trade", codes: ["KRW-BTC"] },
    { type: "orderbook", codes: ["KRW-BTC"] },
    { type: "ticker", codes: ["KRW-BTC"] },
    { format: "DEFAULT" },
  ]);
});

test("the quote asset comes first in a name", () => {
  expect(instrument("KRW-BTC")).toMatchObject({ symbol: "BTC-KRW", base: "BTC", quote: "KRW" });
});

test.each(["BTC_KRW", "KRW-", "KRW-A-B", ""])("%j cannot be told by its name", (venueSymbol) => {
  expect(bithumb.deriveInstrument(venueSymbol)).toBeUndefined();
});

test("candles are not offered, since nobody says that the venue streams them", () => {
  const wanted = [{ instrument: instrument("KRW-BTC"), channel: "candles" as const }];
  expect(bithumb.planConnections(wanted, bithumb.endpoints)).toEqual([]);
});

test("the best of a quiet book can be asked for", () => {
  const request = bithumb.bookProbe?.request(instrument("KRW-BTC"), bithumb.endpoints);
  expect(request?.url).toBe("https://api.bithumb.com/v1/orderbook?markets=KRW-BTC");
  const body =
    '[{"market":"KRW-BTC","orderbook_units":[{"ask_price":155140000,"bid_price":155130000,"ask_size":0.05,"bid_size":0.0}]}]';
  expect(bithumb.bookProbe?.levels(body)).toBe(" / 155140000 0.05");
  expect(bithumb.bookProbe?.levels("{}")).toBeUndefined();
});
