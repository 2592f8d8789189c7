// https://docs.bitfinex.com/reference/rest-public-conf
import { mixedBookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import { asJsonArray, asText } from "#core/json-text.ts";
import type { FeedEndpoints, RestRequest, TradePosition } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { candleHistory, namedIntervals, rowsAt } from "../../reading/candle-history.ts";

const TRADES_MAX = 1000;

/** Of a budget of 30 a minute; lists of trades may be asked for 15 times a minute. */
const TRADES_WEIGHT = 2;

/** What recorded addresses were asked for. */
export const bitfinexRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/v2\/conf\/pub:/ },
  { kind: "trades", path: /\/v2\/trades\/([^/]+)\/hist/ },
]);

export function bitfinexInstrumentsRequests({ rest }: FeedEndpoints): readonly RestRequest[] {
  return ["exchange", "futures"].map((list) => get(rest, `conf/pub:list:pair:${list}`));
}

export function bitfinexTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const path = `trades/${encodeURIComponent(venueSymbol)}/hist?limit=${TRADES_MAX}`;
  return get(rest, path, TRADES_WEIGHT);
}

function get(rest: string, path: string, weight = 1): RestRequest {
  return { url: `${rest}/v2/${path}`, weight };
}

/** Rows of `[price, count, amount]`; an amount below 0 is an ask's. */
export const BITFINEX_BOOK_PROBE = mixedBookProbeOf(
  ({ venueSymbol }, { rest }) => get(rest, `book/${encodeURIComponent(venueSymbol)}/P0?len=25`),
  (row) => {
    const [price, , amount] = (asJsonArray(row) ?? []).map(asText);
    if (price === undefined || amount === undefined) return undefined;
    return { isBid: !amount.startsWith("-"), level: [price, amount.replace("-", "")] };
  },
);

/** From the time of a trade on, oldest first. */
export function bitfinexTradesPageRequest(
  { venueSymbol }: Instrument,
  { venueTimeUs }: TradePosition,
  { rest }: FeedEndpoints,
): RestRequest | undefined {
  if (venueTimeUs === undefined) return undefined;
  const start = Math.floor(venueTimeUs / 1000);
  const query = `limit=${TRADES_MAX}&start=${start}&sort=1`;
  return get(rest, `trades/${encodeURIComponent(venueSymbol)}/hist?${query}`);
}

/** Candles of the past; lists of them may be asked for 30 times a minute. */
export const bitfinexCandles = candleHistory({
  intervals: namedIntervals("1m 5m 15m 30m 1h 3h 6h 12h 1D 1W 14D"),
  rowsMax: 10_000,
  request: ({ instrument, name, fromMs, lastMs, rows }, { rest }) => {
    const key = encodeURIComponent(`trade:${name}:${instrument.venueSymbol}`);
    return get(rest, `candles/${key}/hist?start=${fromMs}&end=${lastMs}&limit=${rows}&sort=1`);
  },
  rowsOf: rowsAt(),
  columnsOf: () => ({ openTime: 0, open: 1, close: 2, high: 3, low: 4, volume: 5 }),
});
