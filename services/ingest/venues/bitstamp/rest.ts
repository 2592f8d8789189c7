// https://www.bitstamp.net/api/
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type {
  FeedEndpoints,
  PollRequest,
  RejectReason,
  RestPoll,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { type Emit, reject, rejectOf } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { oldestFirst } from "../../reading/oldest-first.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { idText, sideOf } from "./fields.ts";
import { venueSymbolOfName } from "./instruments.ts";
import { type MarketSubject, readTicker } from "./readings.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What recorded addresses were asked for. `trading-pairs-info` came before `markets`. */
export const bitstampRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v2\/(?:markets|trading-pairs-info)\/?$/ },
  { kind: "book-snapshot", path: /\/order_book\/([A-Za-z0-9-]+)\/?$/ },
  { kind: "trades", path: /\/transactions\/([A-Za-z0-9-]+)\/?$/ },
  { kind: "poll", channel: "ticker", path: /\/ticker\/?$/ },
  { kind: "poll", channel: "open-interest", path: /\/ticker\/([A-Za-z0-9-]+)\/?$/ },
  { kind: "poll", channel: "candles", path: /\/ohlc\/([A-Za-z0-9-]+)\/?$/ },
]);

/** What the venue does not stream. One answer has the tickers of all markets. */
export const BITSTAMP_POLLS: readonly RestPoll[] = [
  {
    channel: "ticker",
    intervalMs: 10_000,
    requests: (_instruments, endpoints) => [bitstampGet(endpoints, "ticker/")],
  },
  {
    channel: "candles",
    intervalMs: 30_000,
    requests: (instruments, endpoints) =>
      perMarket(instruments, endpoints, (market) => `ohlc/${market}/?step=60&limit=2`),
  },
  {
    channel: "open-interest",
    intervalMs: 30_000,
    requests: (instruments, endpoints) =>
      perMarket(
        instruments.filter((instrument) => instrument.kind === "perpetual"),
        endpoints,
        (market) => `ticker/${market}/`,
      ),
  },
];

export function bitstampGet(endpoints: FeedEndpoints, path: string): RestRequest {
  return { url: `${endpoints.rest}/api/v2/${path}`, weight: 1 };
}

export function bitstampBookRequest(instrument: Instrument, endpoints: FeedEndpoints): RestRequest {
  return bitstampGet(endpoints, `order_book/${marketOf(instrument)}/?group=1`);
}

/** The latest hour at most; the venue cannot be asked for what follows a trade. */
export function bitstampTradesRequest(
  instrument: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  return bitstampGet(endpoints, `transactions/${marketOf(instrument)}/?time=hour`);
}

function perMarket(
  instruments: readonly Instrument[],
  endpoints: FeedEndpoints,
  path: (market: string) => string,
): readonly PollRequest[] {
  return instruments.map((instrument) => ({
    ...bitstampGet(endpoints, path(marketOf(instrument))),
    instrument,
  }));
}

function marketOf({ venueSymbol }: Instrument): string {
  return encodeURIComponent(venueSymbol);
}

/**
 * Recent trades, which the venue lists newest first and here with whole seconds. A damaged one
 * costs itself only; the last damage is the reason that is told.
 */
export function readTradesAnswer(
  body: JsonText,
  subject: MarketSubject,
  scales: ScaleTracker,
  emit: Emit,
): RejectReason | undefined {
  const list = asJsonArray(body);
  if (list === undefined) return "missing-field";
  let damage: RejectReason | undefined;
  const trades = list.map((item) => asJsonObject(item) ?? {});
  for (const trade of oldestFirst(trades, "newest", ({ tid }) => ({ id: idText(tid) }))) {
    damage = readListedTrade(trade, subject, scales, emit) ?? damage;
  }
  return damage;
}

function readListedTrade(
  trade: TextRecord,
  subject: MarketSubject,
  scales: ScaleTracker,
  emit: Emit,
): RejectReason | undefined {
  const aggressorSide = sideOf(trade["type"]);
  const tradeId = idText(trade["tid"]);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(trade["date"]);
  const { price, amount: size } = trade;
  const form = { price, size, aggressorSide, tradeId, historical: false };
  const event = tradeEvent({ ...subject, venueTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** One answer for all markets; those that nobody knows are none of ours. */
export function readTickersAnswer(
  body: JsonText,
  { catalog, receivedTimeUs }: { catalog: InstrumentCatalog; receivedTimeUs: number },
  emit: Emit,
): RejectReason | undefined {
  const list = asJsonArray(body);
  if (list === undefined) return "unknown-message";
  for (const item of list) {
    const ticker = asJsonObject(item);
    const name = asText(ticker?.["market"] ?? ticker?.["pair"]);
    if (ticker === undefined || name === undefined) {
      reject(emit, "missing-field");
      continue;
    }
    const instrument = catalog.byVenueSymbol(venueSymbolOfName(name));
    if (instrument === undefined) continue;
    const reason = readTicker(ticker, { instrument, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "ticker");
  }
  return undefined;
}

/** The venue answers with the whole book only. */
export const BITSTAMP_BOOK_PROBE = bookProbeOf(bitstampBookRequest, { bids: "bids", asks: "asks" });

/** The latest day, which reaches back further than the latest hour. */
export function bitstampTradesPageRequest(
  instrument: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  return bitstampGet(endpoints, `transactions/${marketOf(instrument)}/?time=day`);
}

const CANDLE_NAMES =
  "60=1m 180=3m 300=5m 900=15m 1800=30m 3600=1h 7200=2h 14400=4h 21600=6h 43200=12h " +
  "86400=1d 259200=3d";

/** Candles of the past. */
export const bitstampCandles = candleHistory({
  intervals: renamedIntervals(CANDLE_NAMES),
  rowsMax: 1000,
  request: ({ instrument, name, fromMs, lastMs, rows }, endpoints) => {
    const range = `limit=${rows}&start=${fromMs / 1000}&end=${lastMs / 1000}`;
    return bitstampGet(endpoints, `ohlc/${marketOf(instrument)}/?step=${name}&${range}`);
  },
  rowsOf: rowsAt("data", "ohlc"),
  columnsOf: () => ({
    openTime: "timestamp",
    open: "open",
    high: "high",
    low: "low",
    close: "close",
    volume: "volume",
  }),
});
