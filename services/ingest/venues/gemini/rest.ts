// https://docs.gemini.com/rest/market-data (GET /v1/symbols, GET /v1/symbols/details/:symbol)
// https://docs.gemini.com/rest/derivatives (GET /v1/riskstats/:symbol)
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { asJsonObject, type JsonText } from "#core/json-text.ts";
import type {
  FeedAdapter,
  FeedEndpoints,
  PollRequest,
  RestPoll,
  RestPurpose,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { type Emit, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { decimalPairOf } from "./fields.ts";
import type { GeminiNaming } from "./instruments.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** Two channels of 13 perpetuals are 26 of the 120 requests a minute that the venue allows. */
const POLL_INTERVAL_MS = 60_000;

/** The request that lists pairs. What is known of each has a page of its own: too many requests. */
export function geminiSymbolsRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/v1/symbols`, weight: 1 };
}

/** What is asked of each perpetual by REST; one answer has the open interest and the mark price. */
export function geminiRiskPoll(channel: Channel): RestPoll {
  return { channel, intervalMs: POLL_INTERVAL_MS, requests: riskRequests };
}

/**
 * What recorded addresses were asked for. Risk statistics tell of both channels, whichever of them
 * is named here.
 */
export function geminiRecordedRequest(
  channel: Channel,
  { venueSymbolOf }: GeminiNaming,
): FeedAdapter["recordedRequest"] {
  return recordedRequestOf([
    { kind: "instruments", path: /\/v1\/symbols(?:\/details\/[A-Za-z0-9]+)?\/?$/ },
    { kind: "poll", channel, path: /\/v1\/riskstats\/([A-Za-z0-9]+)\/?$/, venueSymbolOf },
  ]);
}

function riskRequests(
  instruments: readonly Instrument[],
  endpoints: FeedEndpoints,
): readonly PollRequest[] {
  const base = `${endpoints.rest}/v1/riskstats/`;
  return instruments
    .filter(({ kind }) => kind === "perpetual")
    .map((instrument) => ({
      url: base + instrument.venueSymbol.toLowerCase(),
      weight: 1,
      instrument,
    }));
}

/** Reads the answer to such a request, which has no time. */
export function readRiskAnswer(
  body: JsonText,
  { kind, instrument }: RestPurpose,
  receivedTimeUs: number,
  emit: Emit,
): Fault {
  if (kind !== "poll" || instrument === undefined) return "unknown-message";
  const stats = asJsonObject(body) ?? {};
  const subject = { instrument, venueTimeUs: undefined, receivedTimeUs };
  const mark = decimalPairOf(stats["mark_price"], stats["index_price"]);
  if (typeof mark === "string") rejectOf(emit, mark, instrument, "mark-price");
  else emit({ kind: "mark-price", ...subject, markPrice: mark.value, indexPrice: mark.beside });
  const interest = decimalPairOf(stats["open_interest"], stats["open_interest_notional"]);
  if (typeof interest === "string") rejectOf(emit, interest, instrument, "open-interest");
  else {
    const { value: openInterest, beside: openInterestValue } = interest;
    emit({ kind: "open-interest", ...subject, openInterest, openInterestValue });
  }
  return undefined;
}

export const GEMINI_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, { rest }) => {
    const symbol = encodeURIComponent(venueSymbol.toLowerCase());
    return { url: `${rest}/v1/book/${symbol}?limit_bids=5&limit_asks=5`, weight: 1 };
  },
  { bids: "bids", asks: "asks", price: "price", size: "amount" },
);

/** The latest candles of each length, newest first; perpetuals have minutes alone. */
export const geminiCandles = candleHistory({
  intervals: renamedIntervals("1m=1m 5m=5m 15m=15m 30m=30m 1hr=1h 6hr=6h 1day=1d"),
  // A day of minutes.
  rowsMax: 1440,
  isLatestOnly: true,
  request: ({ instrument, name }, endpoints) => {
    const isSpot = instrument.kind === "spot";
    if (!isSpot && name !== "1m") return undefined;
    const path = isSpot ? "/v2/candles" : "/v2/derivatives/candles";
    const symbol = encodeURIComponent(instrument.venueSymbol.toUpperCase());
    return { url: `${endpoints.rest}${path}/${symbol}/${name}`, weight: 1 };
  },
  rowsOf: rowsAt(),
  columnsOf: () => ({ openTime: 0, open: 1, high: 2, low: 3, close: 4, volume: 5 }),
});
