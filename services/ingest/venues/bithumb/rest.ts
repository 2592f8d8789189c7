// https://apidocs.bithumb.com/reference/최근-체결-내역
import { bestProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

/** What recorded addresses were asked for. */
export const bithumbRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/v1\/market\/all$/ },
  { kind: "trades", path: /\/v1\/trades\/ticks$/, symbolIn: "market" },
]);

export function bithumbMarketsRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/v1/market/all?isDetails=true`, weight: 1 };
}

/** The latest trades. The most that may be asked for is not documented; 100 are not many. */
export function bithumbTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const query = `market=${encodeURIComponent(venueSymbol)}&count=100`;
  return { url: `${rest}/v1/trades/ticks?${query}`, weight: 1 };
}

export const BITHUMB_BOOK_PROBE = bestProbeOf(
  ({ venueSymbol }, { rest }) => ({
    url: `${rest}/v1/orderbook?markets=${encodeURIComponent(venueSymbol)}`,
    weight: 1,
  }),
  {
    at: [0, "orderbook_units", 0],
    bid: ["bid_price", "bid_size"],
    ask: ["ask_price", "ask_size"],
  },
);
