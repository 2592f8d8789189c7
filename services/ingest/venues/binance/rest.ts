import type { Instrument } from "#core/instrument.ts";
import { bestProbeOf } from "../../reading/book-probe.ts";
import type {
  BookProbe,
  CandleHistory,
  FeedAdapter,
  FeedEndpoints,
  RejectReason,
  RestPoll,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { type Emit, rejectOf } from "../../reading/emit.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { clockAt } from "../../reading/server-clocks.ts";
import { decimalText, isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { isUpdateId } from "./fields.ts";
import type { BinanceSubject } from "./readings.ts";
import { candleHistory, namedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** What a venue of the family is asked for, and what that weighs. */
export type BinanceRest = {
  readonly instruments: { readonly path: string; readonly weight: number };
  readonly book: ListRequest;
  /** The latest trades. */
  readonly trades: ListRequest;
  /** The best level of each side. */
  readonly best: { readonly path: string; readonly weight: number };
  /** The page of trades behind an id, where no key is needed for it. */
  readonly tradesPage?: ListRequest;
  /** The venue's clock. */
  readonly timePath: string;
  /** Where open interest can be asked for. */
  readonly openInterestPath?: string;
  readonly candles: CandleRequests;
};

/** Where candles of the past are asked for, and what a thousand of them weigh. */
type CandleRequests = Pick<CandleHistory, "spanMsMax"> & {
  readonly path: string;
  readonly weight: number;
};

/** The most that spot gives with one answer; futures give a few more. */
const CANDLES_MAX = 1000;

type ListRequest = { readonly path: string; readonly limit: number; readonly weight: number };

/** The part of an adapter that asks by REST. */
export function binanceRequests(
  rest: BinanceRest,
): Pick<
  FeedAdapter,
  | "instrumentsRequests"
  | "recordedRequest"
  | "snapshotRequest"
  | "tradesRequest"
  | "tradesPageRequest"
  | "bookProbe"
  | "candleHistory"
  | "polls"
  | "serverTimeRequest"
  | "parseServerTimeUs"
> {
  const { instruments, openInterestPath } = rest;
  return {
    instrumentsRequests: (endpoints) => [
      { url: joinUrl(endpoints.rest, instruments.path), weight: instruments.weight },
    ],
    recordedRequest: recordedRequestsOf(rest),
    snapshotRequest: (instrument, endpoints) => listRequest(rest.book, instrument, endpoints),
    tradesRequest: (instrument, { endpoints }) => listRequest(rest.trades, instrument, endpoints),
    ...tradesPagesOf(rest),
    bookProbe: bookProbeAt(rest.best),
    candleHistory: binanceCandles(rest.candles),
    ...(openInterestPath === undefined ? {} : { polls: [openInterestPoll(openInterestPath)] }),
    serverTimeRequest: (endpoints) => ({
      url: joinUrl(endpoints.rest, rest.timePath),
      weight: 1,
    }),
    parseServerTimeUs: clockAt(["serverTime"], epochTimeUs),
  };
}

function tradesPagesOf({ tradesPage }: BinanceRest): Pick<FeedAdapter, "tradesPageRequest"> {
  if (tradesPage === undefined) return {};
  return {
    tradesPageRequest: (instrument, { after: { tradeId }, endpoints }) => {
      // From this trade on, which proves that nothing lies between.
      const request = listRequest(tradesPage, instrument, endpoints);
      return { ...request, url: `${request.url}&fromId=${encodeURIComponent(tradeId)}` };
    },
  };
}

/** Spot and USDⓈ-M answer with an object, COIN-M with a list of one. */
function bookProbeAt({ path, weight }: BinanceRest["best"]): BookProbe {
  const request: BookProbe["request"] = ({ venueSymbol }, { rest }) => {
    const symbol = encodeURIComponent(venueSymbol);
    return { url: `${joinUrl(rest, path)}?symbol=${symbol}`, weight };
  };
  const places = { bid: ["bidPrice", "bidQty"], ask: ["askPrice", "askQty"] } as const;
  const [one, first] = [bestProbeOf(request, places), bestProbeOf(request, { ...places, at: [0] })];
  return { ...one, levels: (body) => one.levels(body) ?? first.levels(body) };
}

export function joinUrl(base: string, path: string): string {
  return base.replace(/\/+$/, "") + path;
}

function recordedRequestsOf({
  instruments,
  book,
  trades,
  tradesPage,
  openInterestPath,
}: BinanceRest): FeedAdapter["recordedRequest"] {
  const at = (path: string) => ({ path: new RegExp(`${path}$`), symbolIn: "symbol" });
  return recordedRequestOf([
    { kind: "instruments", ...at(instruments.path) },
    { kind: "book-snapshot", ...at(book.path) },
    { kind: "trades", ...at(trades.path) },
    ...(tradesPage === undefined ? [] : [{ kind: "trades", ...at(tradesPage.path) } as const]),
    ...(openInterestPath === undefined
      ? []
      : [{ kind: "poll", channel: "open-interest", ...at(openInterestPath) } as const]),
  ]);
}

function listRequest(
  { path, limit, weight }: ListRequest,
  instrument: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const symbol = encodeURIComponent(instrument.venueSymbol);
  return { url: `${joinUrl(endpoints.rest, path)}?symbol=${symbol}&limit=${limit}`, weight };
}

/** One request an instrument, so once a minute is what a venue of 600 contracts can bear. */
function openInterestPoll(path: string): RestPoll {
  return {
    channel: "open-interest",
    intervalMs: 60_000,
    requests: (instruments, endpoints) =>
      instruments.map((instrument) => {
        const symbol = encodeURIComponent(instrument.venueSymbol);
        return { url: `${joinUrl(endpoints.rest, path)}?symbol=${symbol}`, weight: 1, instrument };
      }),
  };
}

/** The latest trades, oldest first as the venue lists them. One damaged trade costs itself only. */
export function readTradesAnswer(
  body: unknown,
  subject: BinanceSubject,
  emit: Emit,
): RejectReason | undefined {
  if (!Array.isArray(body)) return "unknown-message";
  for (const item of body as readonly unknown[]) {
    const reason = readListedTrade(isRecord(item) ? item : {}, subject, emit);
    if (reason !== undefined) rejectOf(emit, reason, subject.instrument, "trades");
  }
  return undefined;
}

/**
 * The side is told as in the stream: the buyer was the maker, so the seller took. Futures do not
 * say here that nobody took (`X` in the stream), so an insurance fund's trade has a side in a list.
 */
function readListedTrade(
  { id, price, qty, time, isBuyerMaker }: JsonRecord,
  { instrument, scales, receivedTimeUs }: BinanceSubject,
  emit: Emit,
): RejectReason | undefined {
  if (!isUpdateId(id) || typeof isBuyerMaker !== "boolean") return "missing-field";
  const venueTimeUs = epochTimeUs(time);
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, {
    price,
    size: qty,
    aggressorSide: isBuyerMaker ? "seller" : "buyer",
    tradeId: String(id),
    historical: true,
  });
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** `{"symbol","openInterest","time"}`, in contracts or units of the base asset. */
export function readOpenInterestAnswer(
  body: JsonRecord,
  { instrument, receivedTimeUs }: BinanceSubject,
  emit: Emit,
): RejectReason | undefined {
  const openInterest = decimalText(body["openInterest"]);
  const venueTimeUs = epochTimeUs(body["time"]);
  if (openInterest === undefined) return "bad-decimal";
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
  return undefined;
}

/** Lengths that spot has; futures lack the first. */
const CANDLE_NAMES = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w";

/** Candles of the past, a thousand at a time. */
function binanceCandles({ path, weight, spanMsMax }: CandleRequests): CandleHistory {
  return candleHistory({
    intervals: namedIntervals(CANDLE_NAMES),
    rowsMax: CANDLES_MAX,
    ...(spanMsMax === undefined ? {} : { spanMsMax }),
    request: ({ instrument, name, fromMs, lastMs, rows }, endpoints) => {
      const symbol = encodeURIComponent(instrument.venueSymbol);
      const range = `startTime=${fromMs}&endTime=${lastMs}&limit=${rows}`;
      const query = `symbol=${symbol}&interval=${name}&${range}`;
      return { url: `${joinUrl(endpoints.rest, path)}?${query}`, weight };
    },
    rowsOf: rowsAt(),
    columnsOf: ({ inverse }) => ({
      openTime: 0,
      open: 1,
      high: 2,
      low: 3,
      close: 4,
      volume: 5,
      // Of inverse contracts it counts the base asset.
      quoteVolume: inverse ? undefined : 7,
      tradeCount: 8,
    }),
  });
}
