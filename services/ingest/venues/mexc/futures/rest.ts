// https://mexcdevelop.github.io/apidocs/contract_v1_en/#market-endpoints
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../../feed/feed-adapter.ts";
import { bookProbeOf } from "../../../reading/book-probe.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";

/** What recorded addresses were asked for. */
export const mexcFuturesRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v1\/contract\/detail$/ },
  { kind: "book-snapshot", path: /\/api\/v1\/contract\/depth\/([^/]+)$/ },
]);

export function mexcContractsRequest({ rest }: FeedEndpoints): RestRequest {
  // Once in five seconds; everything else may be asked for twenty times in two.
  return { url: `${rest}/api/v1/contract/detail`, weight: 10 };
}

export function mexcFuturesTimeRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/api/v1/contract/ping`, weight: 1 };
}

/** The whole book. */
export function mexcFuturesBookRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const symbol = encodeURIComponent(venueSymbol);
  return { url: `${rest}/api/v1/contract/depth/${symbol}`, weight: 1 };
}

/** The whole book, as at its beginning: a recording must not take five levels for it. */
export const MEXC_FUTURES_BOOK_PROBE = bookProbeOf(mexcFuturesBookRequest, {
  at: ["data"],
  bids: "bids",
  asks: "asks",
});
