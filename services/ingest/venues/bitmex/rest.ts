// https://www.bitmex.com/api/explorer/
import { mixedBookProbeOf } from "../../reading/book-probe.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { type Emit, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { oldestFirst, type TradeOrder } from "../../reading/oldest-first.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { parseIsoTimeUs } from "../../reading/venue-time.ts";
import { readTrade, type RowSubject } from "./readings.ts";
import { candleHistory, namedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What recorded addresses were asked for. */
export const bitmexRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v1\/instrument(?:\/active)?\/?$/ },
  { kind: "trades", path: /\/api\/v1\/trade$/, symbolIn: "symbol" },
]);

export function bitmexGet(endpoints: FeedEndpoints, path: string): RestRequest {
  return { url: `${endpoints.rest}/api/v1${path}`, weight: 1 };
}

/** Recent trades, newest first. One damaged trade costs itself only. */
export function readTradesAnswer(body: JsonText, subject: RowSubject, emit: Emit): Fault {
  const rows = asJsonArray(body);
  if (rows === undefined) return "missing-field";
  const trades = rows.map((row) => asJsonObject(row) ?? {});
  const orderOf = ({ timestamp }: TextRecord): TradeOrder => ({ time: parseIsoTimeUs(timestamp) });
  for (const row of oldestFirst(trades, "newest", orderOf)) {
    const fault = readTrade(row, subject, emit);
    if (fault !== undefined) rejectOf(emit, fault, subject.instrument, "trades");
  }
  return undefined;
}

/** One list with the levels of both sides. */
export const BITMEX_BOOK_PROBE = mixedBookProbeOf(
  ({ venueSymbol }, endpoints) =>
    bitmexGet(endpoints, `/orderBook/L2?symbol=${encodeURIComponent(venueSymbol)}&depth=5`),
  (row) => {
    const { side, price, size } = asJsonObject(row) ?? {};
    const level = [asText(price) ?? "", asText(size) ?? ""] as const;
    return side === "Buy" || side === "Sell" ? { isBid: side === "Buy", level } : undefined;
  },
);

/** Candles of the past, whose time is that of their end. */
export const bitmexCandles = candleHistory({
  intervals: namedIntervals("1m 5m 1h 1d"),
  rowsMax: 1000,
  isEndTime: true,
  request: ({ instrument, name, intervalMs, fromMs, lastMs, rows }, endpoints) => {
    const symbol = encodeURIComponent(instrument.venueSymbol);
    const [start, end] = [fromMs, lastMs].map((ms) => new Date(ms + intervalMs).toISOString());
    const range = `count=${rows}&startTime=${start}&endTime=${end}`;
    const query = `binSize=${name}&partial=false&symbol=${symbol}&${range}`;
    return bitmexGet(endpoints, `/trade/bucketed?${query}`);
  },
  rowsOf: rowsAt(),
  columnsOf: () => ({
    openTime: "timestamp",
    open: "open",
    high: "high",
    low: "low",
    close: "close",
    volume: "volume",
    quoteVolume: "foreignNotional",
    tradeCount: "trades",
  }),
});
