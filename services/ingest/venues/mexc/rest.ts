// https://www.mexc.com/api-docs/spot-v3/market-data-endpoints
import { bestProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, PollRequest, RestPoll, RestRequest } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isUpdateId, type JsonRecord, present } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

/** With more instruments than this, the statistics of all pairs are asked for at once. */
const SINGLE_TICKERS_MAX = 20;

/** What recorded addresses were asked for. */
export const mexcRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v3\/exchangeInfo$/ },
  { kind: "book-snapshot", path: /\/api\/v3\/depth$/, symbolIn: "symbol" },
  { kind: "poll", channel: "ticker", path: /\/api\/v3\/ticker\/24hr$/, symbolIn: "symbol" },
]);

export function mexcInstrumentsRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/api/v3/exchangeInfo`, weight: 10 };
}

export function mexcTimeRequest({ rest }: FeedEndpoints): RestRequest {
  return { url: `${rest}/api/v3/time`, weight: 1 };
}

export function mexcBookRequest(instrument: Instrument, { rest }: FeedEndpoints): RestRequest {
  const symbol = encodeURIComponent(instrument.venueSymbol);
  return { url: `${rest}/api/v3/depth?symbol=${symbol}&limit=5000`, weight: 1 };
}

/** The statistics of 24 hours, which the venue no longer streams. */
export const MEXC_TICKERS: RestPoll = {
  channel: "ticker",
  intervalMs: 30_000,
  requests: (instruments, { rest }) => {
    const url = `${rest}/api/v3/ticker/24hr`;
    if (instruments.length > SINGLE_TICKERS_MAX) return [{ url, weight: 40 }];
    return instruments.map((instrument): PollRequest => {
      const symbol = encodeURIComponent(instrument.venueSymbol);
      return { url: `${url}?symbol=${symbol}`, weight: 1, instrument };
    });
  },
};

/** The whole book, up to 5,000 levels a side. */
export function readBookAnswer(
  body: JsonRecord,
  { instrument, receivedTimeUs }: Omit<EventSubject, "venueTimeUs">,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const { lastUpdateId, bids, asks, timestamp } = body;
  if (!isUpdateId(lastUpdateId)) return "missing-field";
  if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
  const columns = scales.book(bids as readonly unknown[], asks as readonly unknown[]);
  if (typeof columns === "string") return columns;
  const subject = { instrument, venueTimeUs: epochTimeUs(timestamp), receivedTimeUs };
  emit(bookEvent(subject, scales, columns, { snapshot: true, source: "rest", lastUpdateId }));
  return undefined;
}

/** What a pair did in 24 hours. */
export function readTickerAnswer(
  row: JsonRecord,
  { instrument, receivedTimeUs }: Omit<EventSubject, "venueTimeUs">,
  emit: Emit,
): Fault {
  const subject = { instrument, venueTimeUs: epochTimeUs(row["closeTime"]), receivedTimeUs };
  const ticker = tickerEvent(subject, {
    lastPrice: present(row["lastPrice"]),
    openPrice: present(row["openPrice"]),
    highPrice: present(row["highPrice"]),
    lowPrice: present(row["lowPrice"]),
    volume: present(row["volume"]),
    quoteVolume: present(row["quoteVolume"]),
    bidPrice: present(row["bidPrice"]),
    askPrice: present(row["askPrice"]),
  });
  if (typeof ticker === "string") return ticker;
  if (ticker.lastPrice === undefined) return "missing-field";
  emit(ticker);
  return undefined;
}

/** The best level of each side: a recording must not take five levels for a book's beginning. */
export const MEXC_BOOK_PROBE = bestProbeOf(
  ({ venueSymbol }, { rest }) => ({
    url: `${rest}/api/v3/ticker/bookTicker?symbol=${encodeURIComponent(venueSymbol)}`,
    weight: 1,
  }),
  { bid: ["bidPrice", "bidQty"], ask: ["askPrice", "askQty"] },
);
