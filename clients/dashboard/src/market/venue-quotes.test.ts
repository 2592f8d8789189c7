import type { Client, Instrument, Quote, Status, Ticker } from "@tickwire/client";
import { expect, test } from "vitest";
import { marketOf, type Market } from "./market-rows.ts";
import { VenueQuotes } from "./venue-quotes.ts";

function marketAt(venue: string, channels: readonly string[], bidPrice?: number): Market {
  const instrument = { venue, symbol: "A-USD", base: "A", quote: "USD", channels };
  const market = marketOf(instrument as unknown as Instrument);
  if (bidPrice !== undefined)
    market.ticker = { bidPrice, bidPriceText: String(bidPrice) } as Ticker;
  return market;
}

function quoteAt(venue: string, bidSize = 1): Quote {
  const bid = { bidPrice: 7, bidPriceText: "7", bidSize };
  return { venue, symbol: "A-USD", ...bid, askPrice: 8, askPriceText: "8", askSize: 1 } as Quote;
}

type Last = {
  quote: (quote: Quote) => void;
  error: (error: { code: string }) => void;
  status: (status: Status) => void;
  closed: number;
};

/** A client of which the last subscription can be spoken for. */
function fakeClient() {
  const followed: string[][] = [];
  const nothing = () => undefined;
  const last: Last = { quote: nothing, error: nothing, status: nothing, closed: 0 };
  const client = {
    onQuotes: (topics: string[], callback: Last["quote"], options: object) => {
      followed.push(topics);
      last.quote = callback;
      last.error = (options as { onError: Last["error"] }).onError;
      return { close: () => (last.closed += 1) };
    },
    onStatus: (_topics: string[], callback: Last["status"]) => {
      last.status = callback;
      return { close: () => undefined };
    },
  } as unknown as Client;
  return { client, followed, last };
}

test("quotes count before tickers, and a side that is empty has no price", () => {
  const { client, followed, last } = fakeClient();
  const quotes = new VenueQuotes(() => undefined);
  const [one, two] = [marketAt("one", ["quotes", "ticker"], 3), marketAt("two", ["ticker"], 4)];
  quotes.follow(client, [one, two]);
  expect(followed).toEqual([["one:A-USD"]]);
  expect(quotes.pricesOf(one).bidPrice).toBe(3);
  last.quote(quoteAt("one"));
  expect(quotes.pricesOf(one)).toMatchObject({ bidPrice: 7, askPriceText: "8" });
  expect(quotes.pricesOf(two).bidPrice).toBe(4);
  last.quote(quoteAt("one", 0));
  expect(quotes.pricesOf(one).bidPrice).toBeUndefined();
});

test("the same markets are followed once, and others in their place", () => {
  const { client, followed, last } = fakeClient();
  const quotes = new VenueQuotes(() => undefined);
  const [one, two] = [marketAt("one", ["quotes"]), marketAt("two", ["quotes"])];
  quotes.follow(client, [one]);
  quotes.follow(client, [one]);
  last.quote(quoteAt("one"));
  quotes.follow(client, [two]);
  expect(followed).toEqual([["one:A-USD"], ["two:A-USD"]]);
  expect(last.closed).toBe(1);
  expect(quotes.pricesOf(one).bidPrice).toBeUndefined();
});

test("a window that took nothing for long follows them anew", () => {
  const { client, followed, last } = fakeClient();
  const quotes = new VenueQuotes(() => undefined);
  const one = marketAt("one", ["quotes"], 3);
  quotes.follow(client, [one]);
  last.quote(quoteAt("one"));
  last.error({ code: "buffer-overflow" });
  expect(quotes.pricesOf(one).bidPrice).toBe(3);
  quotes.follow(client, [one]);
  expect(followed).toHaveLength(2);
});

test("what is not live, does not trade or contradicts itself is set aside, with the word for it", () => {
  const { client, last } = fakeClient();
  const quotes = new VenueQuotes(() => undefined);
  const one = marketAt("one", ["quotes"]);
  const say = (channel: string, state: string, instrumentState?: string) =>
    last.status({ venue: "one", symbol: "A-USD", channel, state, instrumentState } as Status);
  quotes.follow(client, [one]);
  expect(quotes.asideReasonOf(one)).toBeUndefined();
  say("book", "gap");
  expect(quotes.asideReasonOf(one)).toBeUndefined();
  say("quotes", "stale");
  expect(quotes.asideReasonOf(one)).toBe("stale");
  say("quotes", "live");
  say("status", "live", "halted");
  expect(quotes.asideReasonOf(one)).toBe("halted");
  say("status", "live", "trading");
  last.quote({ ...quoteAt("one"), bidPrice: 9 });
  expect(quotes.asideReasonOf(one)).toBe("crossed");
});
