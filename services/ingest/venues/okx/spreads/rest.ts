// https://www.okx.com/docs-v5/en/#spread-trading-rest-api-get-public-trades-public
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";

/** What recorded addresses were asked for. */
export const okxSpreadsRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v5\/sprd\/spreads$/ },
  { kind: "trades", path: /\/api\/v5\/sprd\/public-trades$/, symbolIn: "sprdId" },
]);

export function okxSpreadsRequests({ rest }: FeedEndpoints): readonly RestRequest[] {
  return [{ url: `${rest}/api/v5/sprd/spreads`, weight: 1 }];
}

/** The latest 500. */
export function okxSpreadTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const sprdId = encodeURIComponent(venueSymbol);
  return { url: `${rest}/api/v5/sprd/public-trades?sprdId=${sprdId}`, weight: 1 };
}
