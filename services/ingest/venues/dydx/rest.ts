// https://docs.dydx.xyz/indexer-client/http
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

/** What recorded addresses were asked for. */
export const dydxRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/v4\/perpetualMarkets$/ },
  { kind: "trades", path: /\/v4\/trades\/perpetualMarket\/([^/]+)$/ },
]);

export function dydxMarketsRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/perpetualMarkets`, weight: 1 };
}

export function dydxTimeRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/time`, weight: 1 };
}

/** The latest trades of a market. */
export function dydxTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const market = encodeURIComponent(venueSymbol);
  return { url: `${rest}/trades/perpetualMarket/${market}?limit=1000`, weight: 1 };
}
