// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-trades
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

/** What recorded addresses were asked for. */
export const cryptocomRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/public\/get-instruments$/ },
  { kind: "trades", path: /\/public\/get-trades$/, symbolIn: "instrument_name" },
]);

export function cryptocomInstrumentsRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/public/get-instruments`, weight: 1 };
}

/** The latest trades, of which the venue gives 150 at most. */
export function cryptocomTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const query = `instrument_name=${encodeURIComponent(venueSymbol)}&count=150`;
  return { url: `${rest}/public/get-trades?${query}`, weight: 1 };
}

export const CRYPTOCOM_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, { rest }) => {
    const query = `instrument_name=${encodeURIComponent(venueSymbol)}&depth=10`;
    return { url: `${rest}/public/get-book?${query}`, weight: 1 };
  },
  { at: ["result", "data", 0], bids: "bids", asks: "asks" },
);
