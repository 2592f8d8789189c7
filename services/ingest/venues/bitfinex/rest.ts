// https://docs.bitfinex.com/reference/rest-public-conf
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const TRADES_MAX = 1000;

/** What recorded addresses were asked for. */
export const bitfinexRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/v2\/conf\/pub:/ },
  { kind: "trades", path: /\/v2\/trades\/([^/]+)\/hist/ },
]);

export function bitfinexInstrumentsRequests({ rest }: FeedEndpoints): readonly RestRequest[] {
  return ["exchange", "futures"].map((list) => get(rest, `conf/pub:list:pair:${list}`));
}

export function bitfinexTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  return get(rest, `trades/${encodeURIComponent(venueSymbol)}/hist?limit=${TRADES_MAX}`);
}

function get(rest: string, path: string): RestRequest {
  return { url: `${rest}/v2/${path}`, weight: 1 };
}
