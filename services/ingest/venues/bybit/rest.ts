// https://bybit-exchange.github.io/docs/v5/market/recent-trade
// https://bybit-exchange.github.io/docs/v5/market/time
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { oldestFirst } from "../../reading/oldest-first.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { isRecord, parseJson, textOf, type JsonRecord } from "../../reading/text-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { categoryOf } from "./requests.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What recorded addresses were asked for. */
export const bybitRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/v5\/market\/instruments-info$/ },
  {
    kind: "trades",
    path: /\/v5\/market\/recent-trade$/,
    symbolIn: "symbol",
    marketIn: "category",
  },
]);

/** The latest trades: of a spot pair at most 60, of the others 1000. */
export function bybitTradesRequest(instrument: Instrument, endpoints: FeedEndpoints): RestRequest {
  const category = categoryOf(instrument);
  const limit = category === "spot" ? 60 : 1000;
  const symbol = encodeURIComponent(instrument.venueSymbol);
  const base = `${endpoints.rest}/v5/market/recent-trade`;
  return { url: `${base}?category=${category}&symbol=${symbol}&limit=${limit}`, weight: 1 };
}

/**
 * The trades of an answer in the form in which the stream tells of them, oldest first: the venue
 * lists the latest first. Undefined if there is no list.
 */
export function bybitTradesOf(body: unknown): readonly JsonRecord[] | undefined {
  const result = isRecord(body) ? body["result"] : undefined;
  const list = isRecord(result) ? result["list"] : undefined;
  if (!Array.isArray(list)) return undefined;
  const trades = (list as readonly unknown[]).map((item) => {
    const { symbol, side, time, price, size, execId } = isRecord(item) ? item : {};
    return { s: symbol, S: side, T: time, p: price, v: size, i: execId };
  });
  // Spot counts its trades, and the others name them at random.
  return oldestFirst(trades, "newest", ({ i: id, T: time }) => ({
    id: textOf(id),
    time: epochTimeUs(time),
  }));
}

export function bybitTimeRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/v5/market/time`, weight: 1 };
}

/** Nanoseconds as text. */
export function parseBybitTimeUs(body: string): number | undefined {
  const answer = parseJson(body);
  const result = isRecord(answer) ? answer["result"] : undefined;
  const nanoseconds = isRecord(result) ? result["timeNano"] : undefined;
  if (typeof nanoseconds !== "string" || !/^\d{19}$/.test(nanoseconds)) return undefined;
  return Number(nanoseconds.slice(0, 16));
}

export const BYBIT_BOOK_PROBE = bookProbeOf(
  (instrument, { rest }) => {
    const category = categoryOf(instrument);
    const symbol = encodeURIComponent(instrument.venueSymbol);
    const query = `category=${category}&symbol=${symbol}&limit=5`;
    return { url: `${rest}/v5/market/orderbook?${query}`, weight: 1 };
  },
  { at: ["result"], bids: "b", asks: "a" },
);

const CANDLE_NAMES = "1=1m 3=3m 5=5m 15=15m 30=30m 60=1h 120=2h 240=4h 360=6h 720=12h D=1d W=1w";

/** Candles of the past, newest first; options have none. */
export const bybitCandles = candleHistory({
  intervals: renamedIntervals(CANDLE_NAMES),
  rowsMax: 1000,
  request: ({ instrument, name, fromMs, lastMs, rows }, endpoints) => {
    const category = categoryOf(instrument);
    if (category === "option") return undefined;
    const symbol = encodeURIComponent(instrument.venueSymbol);
    const range = `start=${fromMs}&end=${lastMs}&limit=${rows}`;
    const query = `category=${category}&symbol=${symbol}&interval=${name}&${range}`;
    return { url: `${endpoints.rest}/v5/market/kline?${query}`, weight: 1 };
  },
  rowsOf: rowsAt("result", "list"),
  columnsOf: ({ inverse }) => ({
    openTime: 0,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
    volume: 5,
    // Of inverse contracts it counts the base asset.
    quoteVolume: inverse ? undefined : 6,
  }),
});
