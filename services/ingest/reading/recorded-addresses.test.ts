import { expect, test } from "vitest";
import { recordedRequestOf } from "./recorded-addresses.ts";

const recordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/pairs\/?$/ },
  { kind: "book-snapshot", path: /\/book$/, symbolIn: "pair" },
  { kind: "trades", path: /\/trades\/([^/]+)$/, venueSymbolOf: (name) => name.toLowerCase() },
  {
    kind: "trades",
    path: /\/fills$/,
    symbolIn: "pair",
    marketIn: "part",
    venueMarketOf: (part) => part.toLowerCase(),
  },
  { kind: "poll", channel: "ticker", path: /\/tickers(?:\/([^/]+))?$/ },
]);

test.each([
  ["https://host/v1/pairs", { kind: "instruments" }],
  ["https://host/v1/pairs/?all=true#now", { kind: "instruments" }],
  ["https://host/v1/book?depth=5&pair=A%2FB", { kind: "book-snapshot", venueSymbol: "A/B" }],
  ["https://host/v1/trades/A%2FB", { kind: "trades", venueSymbol: "a/b" }],
  [
    "https://host/fills?pair=A&part=SPOT",
    { kind: "trades", venueSymbol: "A", venueMarket: "spot" },
  ],
  ["https://host/fills?pair=A", { kind: "trades", venueSymbol: "A" }],
  ["https://host/tickers/A", { kind: "poll", channel: "ticker", venueSymbol: "A" }],
  ["https://host/tickers", { kind: "poll", channel: "ticker", venueSymbol: undefined }],
  // Without the symbol that such an address has, it is none of them.
  ["https://host/v1/book?depth=5", undefined],
  ["https://host/v1/books?pair=A", undefined],
  ["https://host/time", undefined],
  ["", undefined],
])("%s was asked for %o", (url, request) => {
  expect(recordedRequest(url)).toEqual(request);
});

test("an address that cannot be read names something that no venue has", () => {
  const request = recordedRequest("https://host/trades/%E0%A4");
  expect(request).toEqual({ kind: "trades", venueSymbol: "%e0%a4" });
});
