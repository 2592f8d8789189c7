// https://www.bitget.com/docs/uta/quick-start
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { clockAt } from "../../reading/server-clocks.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { marketOf } from "./requests.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What recorded addresses were asked for. REST has the names of the venue's parts in capitals. */
export const bitgetRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v3\/market\/instruments$/ },
  {
    kind: "trades",
    path: /\/api\/v3\/market\/fills$/,
    symbolIn: "symbol",
    marketIn: "category",
    venueMarketOf: (category) => category.toLowerCase(),
  },
]);

/** The latest trades of an instrument. */
export function bitgetTradesRequest(instrument: Instrument, endpoints: FeedEndpoints): RestRequest {
  const category = marketOf(instrument).toUpperCase();
  const symbol = encodeURIComponent(instrument.venueSymbol);
  const path = `/api/v3/market/fills?category=${category}&symbol=${symbol}&limit=100`;
  return { url: endpoints.rest + path, weight: 1 };
}

export function bitgetTimeRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/api/v2/public/time`, weight: 1 };
}

/** Milliseconds as text. */
export const parseBitgetTimeUs = clockAt(["data", "serverTime"], epochTimeUs);

export const BITGET_BOOK_PROBE = bookProbeOf(
  (instrument, { rest }) => {
    const category = marketOf(instrument).toUpperCase();
    const symbol = encodeURIComponent(instrument.venueSymbol);
    const path = `/api/v3/market/orderbook?category=${category}&symbol=${symbol}&limit=5`;
    return { url: rest + path, weight: 1 };
  },
  { at: ["data"], bids: "b", asks: "a" },
);

/** Candles of the past 90 days, newest first. */
export const bitgetCandles = candleHistory({
  intervals: renamedIntervals("1m=1m 3m=3m 5m=5m 15m=15m 30m=30m 1H=1h 4H=4h 6H=6h 12H=12h 1D=1d"),
  rowsMax: 100,
  request: ({ instrument, name, fromMs, lastMs, rows }, endpoints) => {
    const category = marketOf(instrument).toUpperCase();
    const symbol = encodeURIComponent(instrument.venueSymbol);
    const range = `startTime=${fromMs}&endTime=${lastMs}&limit=${rows}`;
    const query = `category=${category}&symbol=${symbol}&interval=${name}&type=MARKET&${range}`;
    return { url: `${endpoints.rest}/api/v3/market/history-candles?${query}`, weight: 1 };
  },
  rowsOf: rowsAt("data"),
  columnsOf: () => ({
    openTime: 0,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
    volume: 5,
    quoteVolume: 6,
  }),
});
