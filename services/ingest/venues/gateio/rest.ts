// https://www.gate.com/docs/developers/apiv4/en/
import { bestProbeOf, bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type {
  FeedEndpoints,
  RejectReason,
  RestRequest,
  TradePosition,
} from "../../feed/feed-adapter.ts";
import { type Emit, rejectOf } from "../../reading/emit.ts";
import { oldestFirst } from "../../reading/oldest-first.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { clockIn } from "../../reading/server-clocks.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { settleOf } from "./instruments.ts";
import { type GateSubject, readBook, readTrade } from "./readings.ts";
import { candleHistory, namedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What recorded addresses of spot were asked for. */
export const gateSpotRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/spot\/currency_pairs\/?$/ },
  { kind: "book-snapshot", path: /\/spot\/order_book$/, symbolIn: "currency_pair" },
  { kind: "trades", path: /\/spot\/trades$/, symbolIn: "currency_pair" },
]);

/** The same of futures, each with the currency that they are settled in. */
export const gateFuturesRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/futures\/[a-z0-9]+\/contracts\/?$/ },
  { kind: "book-snapshot", path: /\/futures\/[a-z0-9]+\/order_book$/, symbolIn: "contract" },
  { kind: "trades", path: /\/futures\/[a-z0-9]+\/trades$/, symbolIn: "contract" },
]);

export function gateGet(endpoints: FeedEndpoints, path: string): RestRequest {
  return { url: `${endpoints.rest}/api/v4/${path}`, weight: 1 };
}

/**
 * The whole book of a pair. The pages say 100 levels at most, public clients ask for 1000: a
 * refusal is an error of REST, and fewer levels than asked for are a shallower book.
 */
export function gateBookRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const pair = encodeURIComponent(venueSymbol);
  return gateGet(endpoints, `spot/order_book?currency_pair=${pair}&limit=1000&with_id=true`);
}

/** The latest trades of a pair or a contract. */
export function gateTradesRequest(instrument: Instrument, endpoints: FeedEndpoints): RestRequest {
  const name = encodeURIComponent(instrument.venueSymbol);
  return instrument.kind === "spot"
    ? gateGet(endpoints, `spot/trades?currency_pair=${name}&limit=1000`)
    : gateGet(endpoints, `futures/${settleOf(instrument)}/trades?contract=${name}&limit=1000`);
}

/** The venue's clock, in milliseconds under the same address for all of Gate. */
export const gateServerTime = {
  serverTimeRequest: (endpoints: FeedEndpoints): RestRequest => gateGet(endpoints, "spot/time"),
  parseServerTimeUs: clockIn("server_time"),
};

/** Gate gives the time of the answer and the time of the last change; the book is of the last. */
export function readBookAnswer(
  body: JsonText,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const book = asJsonObject(body);
  if (book === undefined) return "missing-field";
  return readBook(book, { ...subject, venueTimeUs: epochTimeUs(book["update"]) }, "rest", emit);
}

/** Oldest first, whatever order the venue lists in. One damaged trade costs itself only. */
export function readTradesAnswer(
  body: JsonText,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const trades = asJsonArray(body)?.map((trade) => asJsonObject(trade) ?? {});
  if (trades === undefined) return "missing-field";
  for (const trade of oldestFirst(trades, "oldest", ({ id }) => ({ id: asText(id) }))) {
    const reason = readTrade(trade, subject, emit);
    if (reason !== undefined) rejectOf(emit, reason, subject.instrument, "trades");
  }
  return undefined;
}

/** The whole book, as at its beginning: a recording must not take five levels for it. */
export const GATE_BOOK_PROBE = bookProbeOf(gateBookRequest, { bids: "bids", asks: "asks" });

/** The trades behind an id, this one included. Ids of spot are numbers that rise. */
export function gateTradesPageRequest(
  instrument: Instrument,
  { tradeId }: TradePosition,
  endpoints: FeedEndpoints,
): RestRequest | undefined {
  if (!/^\d{1,15}$/.test(tradeId)) return undefined;
  const request = gateTradesRequest(instrument, endpoints);
  return { ...request, url: `${request.url}&last_id=${Number(tradeId) - 1}` };
}

/** The best level of each side: a recording must not take five levels for a whole book. */
export const GATE_FUTURES_BOOK_PROBE = bestProbeOf(
  (instrument, endpoints) => {
    const contract = encodeURIComponent(instrument.venueSymbol);
    return gateGet(endpoints, `futures/${settleOf(instrument)}/tickers?contract=${contract}`);
  },
  { at: [0], bid: ["highest_bid", "highest_size"], ask: ["lowest_ask", "lowest_size"] },
);

const CANDLE_NAMES = namedIntervals("1m 5m 15m 30m 1h 4h 8h 1d 7d");

/** Candles of the past of a pair. Both ends of a range are part of it. */
export const gateSpotCandles = candleHistory({
  intervals: CANDLE_NAMES,
  rowsMax: 1000,
  request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
    const pair = encodeURIComponent(instrument.venueSymbol);
    const query = `currency_pair=${pair}&${candleQuery(name, fromMs, lastMs)}`;
    return gateGet(endpoints, `spot/candlesticks?${query}`);
  },
  rowsOf: rowsAt(),
  columnsOf: () => ({
    openTime: 0,
    quoteVolume: 1,
    close: 2,
    high: 3,
    low: 4,
    open: 5,
    volume: 6,
    closed: { column: 7, word: "true" },
  }),
});

/** The same of a contract, whose volume counts contracts. */
export const gateFuturesCandles = candleHistory({
  intervals: CANDLE_NAMES,
  rowsMax: 2000,
  request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
    const contract = encodeURIComponent(instrument.venueSymbol);
    const query = `contract=${contract}&${candleQuery(name, fromMs, lastMs)}`;
    return gateGet(endpoints, `futures/${settleOf(instrument)}/candlesticks?${query}`);
  },
  rowsOf: rowsAt(),
  columnsOf: () => ({ openTime: "t", open: "o", high: "h", low: "l", close: "c", volume: "v" }),
});

function candleQuery(name: string, fromMs: number, lastMs: number): string {
  return `interval=${name}&from=${fromMs / 1000}&to=${lastMs / 1000}`;
}
