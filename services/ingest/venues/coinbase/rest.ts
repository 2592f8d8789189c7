// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades
// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/time
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest, TradePosition } from "../../feed/feed-adapter.ts";
import { type Emit, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { oldestFirst, type TradeOrder } from "../../reading/oldest-first.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { clockAt } from "../../reading/server-clocks.ts";
import { isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { parseIsoTimeUs } from "../../reading/venue-time.ts";
import { MATCH_SIDES, tradeOf } from "./readings.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What recorded addresses were asked for. */
export const coinbaseRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/products\/?$/ },
  { kind: "trades", path: /\/products\/([^/]+)\/trades$/ },
]);

/** The largest page there is. */
const TRADES_MAX = 1000;

/** The latest trades of a product. */
export function productTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const product = encodeURIComponent(venueSymbol);
  return { url: `${endpoints.rest}/products/${product}/trades?limit=${TRADES_MAX}`, weight: 1 };
}

/** The venue's clock. */
export function timeRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/time`, weight: 1 };
}

/** `{"iso":"2026-01-01T00:00:00.000Z","epoch":...}` */
export const parseTime = clockAt(["iso"], parseIsoTimeUs);

/** The latest trades, which the venue lists newest first, in the form that the stream has. */
export function readProductTrades(
  list: unknown,
  subject: { readonly instrument: Instrument; readonly receivedTimeUs: number },
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  if (!Array.isArray(list)) return "unknown-message";
  const items = (list as readonly unknown[]).map((item) => (isRecord(item) ? item : {}));
  const trades = oldestFirst(items, "newest", orderOfTrade);
  for (const fields of trades) {
    const id = fields["trade_id"];
    const trade = tradeOf(
      fields,
      { ...subject, venueTimeUs: parseIsoTimeUs(fields["time"]) },
      {
        tradeId: Number.isSafeInteger(id) ? String(id) : undefined,
        historical: true,
        sides: MATCH_SIDES,
        scales,
      },
    );
    if (typeof trade === "string") rejectOf(emit, trade, subject.instrument, "trades");
    else emit(trade);
  }
  return undefined;
}

function orderOfTrade({ trade_id: id }: JsonRecord): TradeOrder {
  return typeof id === "number" ? { id: String(id) } : {};
}

/** More than the best level of each side comes as the whole book only. */
export const COINBASE_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, { rest }) => ({
    url: `${rest}/products/${encodeURIComponent(venueSymbol)}/book?level=1`,
    weight: 1,
  }),
  { bids: "bids", asks: "asks", levelsMax: 1 },
);

/**
 * The page that begins behind a trade: pages are asked for by the id that they end before, and a
 * product's ids have no holes.
 */
export function productTradesPageRequest(
  instrument: Instrument,
  { tradeId }: TradePosition,
  endpoints: FeedEndpoints,
): RestRequest | undefined {
  if (!/^\d{1,15}$/.test(tradeId)) return undefined;
  const request = productTradesRequest(instrument, endpoints);
  return { ...request, url: `${request.url}&after=${Number(tradeId) + TRADES_MAX + 1}` };
}

/** Candles of the past; minutes without a trade are left out by the venue. */
export const productCandles = candleHistory({
  intervals: renamedIntervals("60=1m 300=5m 900=15m 3600=1h 21600=6h 86400=1d"),
  rowsMax: 300,
  request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
    const product = encodeURIComponent(instrument.venueSymbol);
    const range = `start=${isoOf(fromMs)}&end=${isoOf(lastMs)}`;
    const path = `/products/${product}/candles?granularity=${name}&${range}`;
    return { url: endpoints.rest + path, weight: 1 };
  },
  rowsOf: rowsAt(),
  columnsOf: () => ({ openTime: 0, low: 1, high: 2, open: 3, close: 4, volume: 5 }),
});

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
