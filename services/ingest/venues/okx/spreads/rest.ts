// https://www.okx.com/docs-v5/en/#spread-trading-rest-api-get-public-trades-public
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../../feed/feed-adapter.ts";
import { bookProbeOf } from "../../../reading/book-probe.ts";
import { candleHistory, rowsAt } from "../../../reading/candle-history.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";
import { OKX_CANDLE_INTERVALS } from "../rest.ts";

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

export const OKX_SPREAD_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, { rest }) => ({
    url: `${rest}/api/v5/sprd/books?sprdId=${encodeURIComponent(venueSymbol)}&sz=5`,
    weight: 1,
  }),
  { at: ["data", 0], bids: "bids", asks: "asks" },
);

/** Candles of the past, newest first; both ends of a range lie outside of it. */
export const okxSpreadCandles = candleHistory({
  intervals: OKX_CANDLE_INTERVALS,
  rowsMax: 100,
  request: ({ instrument, name, fromMs, lastMs, rows }, { rest }) => {
    const sprdId = encodeURIComponent(instrument.venueSymbol);
    const range = `after=${lastMs + 1}&before=${fromMs - 1}&limit=${rows}`;
    const query = `sprdId=${sprdId}&bar=${name}&${range}`;
    return { url: `${rest}/api/v5/market/sprd-history-candles?${query}`, weight: 1 };
  },
  rowsOf: rowsAt("data"),
  columnsOf: () => ({
    openTime: 0,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
    volume: 5,
    closed: { column: 6, word: "1" },
  }),
});
