import { describe, expect, test } from "vitest";
import { firstMarket, MarketOrder, marketOf, visibleRange } from "./market-rows.ts";

type Instrument = Parameters<typeof marketOf>[0];

const market = (venue: string, base: string) =>
  marketOf({ venue, symbol: `${base}-USD`, venueSymbol: base, base, quote: "USD" } as Instrument);

const mapOf = (...markets: ReturnType<typeof market>[]) =>
  new Map(markets.map((each) => [each.topic, each]));

describe("the list of markets", () => {
  const all = mapOf(market("a", "BTC"), market("b", "ETH"), market("b", "BTC"));
  const request = { search: "", sort: "name", venue: "", onlyFavourites: false } as const;

  test("finds by every word, whatever the order, and shows favourites first", () => {
    const favourites = new Set(["b:ETH-USD"]);
    const topics = (search: string) => {
      const order = new MarketOrder();
      order.find(all, { ...request, favourites, search });
      return order.markets.map(({ topic }) => topic);
    };
    expect(topics("usd b:")).toEqual(["b:ETH-USD", "b:BTC-USD"]);
    expect(topics("btcusd")).toEqual(["a:BTC-USD", "b:BTC-USD"]);
    expect(topics("")).toEqual(["b:ETH-USD", "a:BTC-USD", "b:BTC-USD"]);
  });

  test("follows prices without searching anew; what nobody knows the price of comes last", () => {
    const order = new MarketOrder();
    order.find(all, { ...request, sort: "volume", favourites: new Set(), search: "btc" });
    const [first, second] = order.markets;
    second!.ticker = { quoteVolume: 5 } as ReturnType<typeof market>["ticker"];
    order.sort();
    expect(order.markets).toEqual([second, first]);
  });

  test("candles that are made of a market's trades are listed where somebody asks for them", () => {
    const made = mapOf(market("a", "BTC"), market("a-derived", "BTC"), market("c-derived", "BTC"));
    const found = (search: string, venue = "", favourites = new Set<string>()) => {
      const order = new MarketOrder();
      order.find(made, { ...request, favourites, search, venue });
      return [order.total, ...order.markets.map(({ instrument }) => instrument.venue)];
    };
    // Of the last one the market itself is not there.
    expect(found("")).toEqual([2, "a", "c-derived"]);
    expect(found("deriv")).toEqual([2, "c-derived"]);
    expect(found("a-derived")).toEqual([3, "a-derived"]);
    expect(found("", "a-derived")).toEqual([3, "a-derived"]);
    expect(found("", "", new Set(["a-derived:BTC-USD"]))).toEqual([
      3,
      "a-derived",
      "a",
      "c-derived",
    ]);
  });

  test("begins with bitcoin against dollars on the spot, or with what comes near to it", () => {
    const of = (base: string, quote: string, kind = "spot") =>
      marketOf({ venue: "a", symbol: `${base}-${quote} ${kind}`, base, quote, kind } as Instrument);
    const wished = [
      of("BTC", "USD"),
      of("BTC", "USDT"),
      of("BTC", "XYZ"),
      of("BTC", "USD", "perpetual"),
    ];
    const others = [of("ETH", "USD"), of("AAA", "USD")];
    const made = marketOf({ ...of("BTC", "USD").instrument, venue: "consolidated" });
    expect(firstMarket([made, ...others, ...wished])).toBe(wished[0]);
    for (let from = 0; from < wished.length; from += 1) {
      const listed = [...others, ...wished.slice(from).toReversed()];
      expect(firstMarket(listed)?.topic).toBe(wished[from]?.topic);
    }
    expect(firstMarket(others)?.topic).toBe(others[0]?.topic);
    expect(firstMarket([])).toBeUndefined();
  });

  test("shows what is on the screen and a little more, however long the list is", () => {
    const range = visibleRange({ scrollTop: 4_000, height: 400, rowHeight: 40, count: 10_000 });
    expect(range).toEqual({ first: 94, end: 116 });
  });
});
