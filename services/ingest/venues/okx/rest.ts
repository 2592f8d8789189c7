// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-trades
// https://www.okx.com/docs-v5/en/#public-data-rest-api-get-system-time
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest, TradePosition } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { isRecord, parseJson } from "../../reading/text-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What recorded addresses were asked for. */
export const okxRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v5\/public\/(?:instruments|mark-price)$/ },
  { kind: "trades", path: /\/api\/v5\/market\/(?:history-)?trades$/, symbolIn: "instId" },
]);

export function okxTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const instId = encodeURIComponent(venueSymbol);
  return { url: `${endpoints.rest}/api/v5/market/trades?instId=${instId}&limit=500`, weight: 1 };
}

export function okxTimeRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/api/v5/public/time`, weight: 1 };
}

export function parseOkxTimeUs(body: string): number | undefined {
  const [first] = okxDataOf(parseJson(body)) ?? [];
  const timeUs = isRecord(first) ? epochTimeUs(first["ts"]) : undefined;
  return isBadTime(timeUs) ? undefined : timeUs;
}

/** What an answer lists; undefined if there is no list. */
export function okxDataOf(body: unknown): readonly unknown[] | undefined {
  const data = isRecord(body) ? body["data"] : undefined;
  return Array.isArray(data) ? (data as readonly unknown[]) : undefined;
}

export const OKX_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, { rest }) => ({
    url: `${rest}/api/v5/market/books?instId=${encodeURIComponent(venueSymbol)}&sz=5`,
    weight: 1,
  }),
  { at: ["data", 0], bids: "bids", asks: "asks" },
);

/** The most rows of a page of older trades. */
const TRADES_PAGE_MAX = 100;

/** The page that begins behind a trade: pages are asked for by the id that they end before. */
export function okxTradesPageRequest(
  { venueSymbol }: Instrument,
  { tradeId }: TradePosition,
  { rest }: FeedEndpoints,
): RestRequest | undefined {
  if (!/^\d{1,15}$/.test(tradeId)) return undefined;
  const after = Number(tradeId) + TRADES_PAGE_MAX + 1;
  const query = `instId=${encodeURIComponent(venueSymbol)}&type=1&after=${after}`;
  const url = `${rest}/api/v5/market/history-trades?${query}&limit=${TRADES_PAGE_MAX}`;
  // 10 in 2 s, half of what other requests may.
  return { url, weight: 2 };
}

/** Under names with `utc` days begin at midnight in UTC, without at midnight in Hong Kong. */
export const OKX_CANDLE_INTERVALS = renamedIntervals(
  "1m=1m 3m=3m 5m=5m 15m=15m 30m=30m 1H=1h 2H=2h 4H=4h " +
    "6Hutc=6h 12Hutc=12h 1Dutc=1d 2Dutc=2d 3Dutc=3d 1Wutc=1w",
);

/** Candles of the past, newest first; both ends of a range lie outside of it. */
export const okxCandles = candleHistory({
  intervals: OKX_CANDLE_INTERVALS,
  rowsMax: 300,
  request: ({ instrument, name, fromMs, lastMs, rows }, endpoints) => {
    const instId = encodeURIComponent(instrument.venueSymbol);
    const range = `after=${lastMs + 1}&before=${fromMs - 1}&limit=${rows}`;
    const query = `instId=${instId}&bar=${name}&${range}`;
    return { url: `${endpoints.rest}/api/v5/market/history-candles?${query}`, weight: 1 };
  },
  rowsOf: rowsAt("data"),
  columnsOf: () => ({
    openTime: 0,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
    volume: 5,
    quoteVolume: 7,
    closed: { column: 8, word: "1" },
  }),
});
