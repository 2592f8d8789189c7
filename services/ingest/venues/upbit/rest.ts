// https://docs.upbit.com/kr/reference/list-pair-trades
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { bestProbeOf } from "../../reading/book-probe.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

/** What recorded addresses were asked for. */
export const upbitRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/v1\/market\/all$/ },
  { kind: "trades", path: /\/v1\/trades\/ticks$/, symbolIn: "market" },
]);

/** The most trades that may be asked for. */
const TRADES_MAX = 500;

export function upbitMarketsRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/v1/market/all?is_details=true`, weight: 1 };
}

/** The latest trades of the day, which begins at midnight UTC. */
export function upbitTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
  count = TRADES_MAX,
): RestRequest {
  const query = `market=${encodeURIComponent(venueSymbol)}&count=${count}`;
  return { url: `${rest}/v1/trades/ticks?${query}`, weight: 1 };
}

export const UPBIT_BOOK_PROBE = bestProbeOf(
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
