import { describe, expect, test } from "vitest";
import { marketOf, marketRows, visibleRange } from "./market-rows.ts";

type Instrument = Parameters<typeof marketOf>[0];

const market = (venue: string, base: string) =>
  marketOf({ venue, symbol: `${base}-USD`, venueSymbol: base, base, quote: "USD" } as Instrument);

describe("the list of markets", () => {
  const all = [market("a", "BTC"), market("b", "ETH"), market("b", "BTC")];
  const request = { search: "", sort: "name", venue: "", onlyFavourites: false } as const;

  test("finds by every word, whatever the order, and shows favourites first", () => {
    const favourites = new Set(["b:ETH-USD"]);
    const topics = (search: string) =>
      marketRows(all, { ...request, favourites, search }).map(({ topic }) => topic);
    expect(topics("usd b:")).toEqual(["b:ETH-USD", "b:BTC-USD"]);
    expect(topics("btcusd")).toEqual(["a:BTC-USD", "b:BTC-USD"]);
    expect(topics("")).toEqual(["b:ETH-USD", "a:BTC-USD", "b:BTC-USD"]);
  });

  test("shows what is on the screen and a little more, however long the list is", () => {
    const range = visibleRange({ scrollTop: 4_000, height: 400, rowHeight: 40, count: 10_000 });
    expect(range).toEqual({ first: 94, end: 116 });
  });
});
