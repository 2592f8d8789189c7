// https://docs.bitfinex.com/reference/rest-public-conf
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const TRADES_MAX = 1000;

/** Of a budget of 30 a minute; lists of trades may be asked for 15 times a minute. */
const TRADES_WEIGHT = 2;

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
  const path = `trades/${encodeURIComponent(venueSymbol)}/hist?limit=${TRADES_MAX}`;
  return get(rest, path, TRADES_WEIGHT);
}

function get(rest: string, path: string, weight = 1): RestRequest {
  return { url: `${rest}/v2/${path}`, weight };
}
