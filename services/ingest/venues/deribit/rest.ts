// https://docs.deribit.com/api-reference/market-data/public-get_last_trades_by_instrument
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { JsonTape } from "#core/json-tape.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest, TradePosition } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { elementsOf } from "../../reading/tape-fields.ts";
import { candleHistory, renamedIntervals } from "../../reading/candle-history.ts";
import { asJsonArray, asJsonObject } from "#core/json-text.ts";

/** The largest page there is. */
const TRADES_MAX = 1000;

/** What recorded addresses were asked for. */
export const deribitRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/public\/get_instruments$/ },
  {
    kind: "trades",
    path: /\/public\/get_last_trades_by_instrument(?:_and_time)?$/,
    symbolIn: "instrument_name",
  },
]);

export function deribitTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const query = `instrument_name=${encodeURIComponent(venueSymbol)}&count=${TRADES_MAX}`;
  return { url: `${rest}/public/get_last_trades_by_instrument?${query}`, weight: 1 };
}

/** The trades of an answer, oldest first: the venue lists the newest first. */
export function tradesOf(tape: JsonTape): readonly number[] | undefined {
  const list = tape.get(tape.get(0, "result"), "trades");
  if (!tape.isArray(list)) return undefined;
  const sequenceOf = (trade: number) => tape.number(tape.get(trade, "trade_seq"));
  return elementsOf(tape, list).toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
}

export const DERIBIT_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, { rest }) => ({
    url: `${rest}/public/get_order_book?instrument_name=${encodeURIComponent(venueSymbol)}&depth=5`,
    weight: 1,
  }),
  { at: ["result"], bids: "bids", asks: "asks" },
);

/** From the time of a trade on, oldest first. */
export function deribitTradesPageRequest(
  { venueSymbol }: Instrument,
  { venueTimeUs }: TradePosition,
  { rest }: FeedEndpoints,
): RestRequest | undefined {
  if (venueTimeUs === undefined) return undefined;
  const name = encodeURIComponent(venueSymbol);
  const start = Math.floor(venueTimeUs / 1000);
  const query = `instrument_name=${name}&start_timestamp=${start}&count=${TRADES_MAX}&sorting=asc`;
  return { url: `${rest}/public/get_last_trades_by_instrument_and_time?${query}`, weight: 1 };
}

/** The lists of an answer, each with a number of every candle. */
const CANDLE_LISTS = ["ticks", "open", "high", "low", "close", "volume", "cost"];

/** Candles of the past. */
export const deribitCandles = candleHistory({
  intervals: renamedIntervals(
    "1=1m 3=3m 5=5m 10=10m 15=15m 30=30m 60=1h 120=2h 180=3h 360=6h 720=12h 1D=1d",
  ),
  rowsMax: 5000,
  request: ({ instrument, name, fromMs, lastMs }, { rest }) => {
    const range = `start_timestamp=${fromMs}&end_timestamp=${lastMs}&resolution=${name}`;
    const query = `instrument_name=${encodeURIComponent(instrument.venueSymbol)}&${range}`;
    return { url: `${rest}/public/get_tradingview_chart_data?${query}`, weight: 1 };
  },
  rowsOf: (body) => {
    const result = asJsonObject(asJsonObject(body)?.["result"]);
    const lists = CANDLE_LISTS.map((name) => asJsonArray(result?.[name]));
    const [ticks] = lists;
    return ticks?.map((_, row) => lists.map((list) => list?.[row] ?? null));
  },
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
