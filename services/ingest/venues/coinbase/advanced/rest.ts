// https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/list-public-products
import { bookProbeOf } from "../../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";
import { clockAt } from "../../../reading/server-clocks.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../../reading/candle-history.ts";

const TRADES_MAX = 1000;

/** What recorded addresses were asked for. */
export const advancedRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/brokerage\/market\/products\/?$/ },
  { kind: "trades", path: /\/market\/products\/([^/]+)\/ticker$/ },
]);

export function advancedProductsRequest(endpoints: FeedEndpoints): RestRequest {
  return get(endpoints, "market/products");
}

/** The latest trades of a product. */
export function advancedTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const product = encodeURIComponent(venueSymbol);
  return get(endpoints, `market/products/${product}/ticker?limit=${TRADES_MAX}`);
}

export function advancedTimeRequest(endpoints: FeedEndpoints): RestRequest {
  return get(endpoints, "time");
}

/** Milliseconds as text. */
export const parseAdvancedTimeUs = clockAt(["epochMillis"], epochTimeUs);

function get(endpoints: FeedEndpoints, path: string): RestRequest {
  return { url: `${endpoints.rest}/api/v3/brokerage/${path}`, weight: 1 };
}

export const ADVANCED_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, endpoints) => {
    const product = encodeURIComponent(venueSymbol);
    return get(endpoints, `market/product_book?product_id=${product}&limit=5`);
  },
  { at: ["pricebook"], bids: "bids", asks: "asks", price: "price", size: "size" },
);

const GRANULARITIES =
  "ONE_MINUTE=1m FIVE_MINUTE=5m FIFTEEN_MINUTE=15m THIRTY_MINUTE=30m " +
  "ONE_HOUR=1h TWO_HOUR=2h SIX_HOUR=6h ONE_DAY=1d";

/** Candles of the past; how many the venue gives at most is said to be 350. */
export const advancedCandles = candleHistory({
  intervals: renamedIntervals(GRANULARITIES),
  rowsMax: 300,
  request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
    const product = encodeURIComponent(instrument.venueSymbol);
    const range = `start=${fromMs / 1000}&end=${lastMs / 1000}`;
    return get(endpoints, `market/products/${product}/candles?${range}&granularity=${name}`);
  },
  rowsOf: rowsAt("candles"),
  columnsOf: () => ({
    openTime: "start",
    open: "open",
    high: "high",
    low: "low",
    close: "close",
    volume: "volume",
  }),
});
