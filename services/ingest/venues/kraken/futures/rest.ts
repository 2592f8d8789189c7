// https://docs.kraken.com/api/docs/futures-api/trading/get-history
import { bookProbeOf } from "../../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";
import { isRecord, parseJson } from "../../../reading/text-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../../reading/venue-time.ts";
import { streamSymbolOf } from "./instruments.ts";
import { candleHistory, namedIntervals, rowsAt } from "../../../reading/candle-history.ts";

/** What recorded addresses were asked for. REST names contracts in the other case, too. */
export const futuresRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/derivatives\/api\/v3\/instruments\/?$/ },
  {
    kind: "trades",
    path: /\/v3\/history$/,
    symbolIn: "symbol",
    venueSymbolOf: streamSymbolOf,
  },
]);

export function futuresInstrumentsRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${baseOf(endpoints)}/instruments`, weight: 1 };
}

/** The latest trades of a contract. */
export function futuresTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const symbol = encodeURIComponent(venueSymbol);
  return { url: `${baseOf(endpoints)}/history?symbol=${symbol}`, weight: 1 };
}

/** Every answer of the interface has the venue's time; this is a short one. */
export function futuresTimeRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${baseOf(endpoints)}/instruments/status`, weight: 1 };
}

export function parseFuturesTimeUs(body: string): number | undefined {
  const answer = parseJson(body);
  const timeUs = isRecord(answer) ? parseIsoTimeUs(answer["serverTime"]) : undefined;
  return isBadTime(timeUs) ? undefined : timeUs;
}

function baseOf(endpoints: FeedEndpoints): string {
  return `${endpoints.rest}/derivatives/api/v3`;
}

export const FUTURES_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, endpoints) => {
    const symbol = encodeURIComponent(venueSymbol);
    return { url: `${baseOf(endpoints)}/orderbook?symbol=${symbol}`, weight: 1 };
  },
  { at: ["orderBook"], bids: "bids", asks: "asks" },
);

/** Candles of trades, out of the venue's service of charts. */
export const futuresCandles = candleHistory({
  intervals: namedIntervals("1m 5m 15m 30m 1h 4h 12h 1d 1w"),
  rowsMax: 2000,
  request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
    const symbol = encodeURIComponent(instrument.venueSymbol);
    const range = `from=${fromMs / 1000}&to=${lastMs / 1000}`;
    return { url: `${endpoints.rest}/api/charts/v1/trade/${symbol}/${name}?${range}`, weight: 1 };
  },
  rowsOf: rowsAt("candles"),
  columnsOf: () => ({
    openTime: "time",
    open: "open",
    high: "high",
    low: "low",
    close: "close",
    volume: "volume",
  }),
});
