import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { ticketFeed } from "../adapter.ts";
import { upbitTradesRequest } from "../rest.ts";
import { BITHUMB_WORDS } from "./fields.ts";

const VENUE = "bithumb";

/** The most that may be asked for is not documented; these are not many. */
const TRADES_MAX = 100;

// The venue's pages name no limit that was found: these are no more than a like venue allows.
const LIMITS: FeedLimits = {
  // What is renewed is asked for with all else of its connection.
  subscriptionsPerConnectionMax: 200,
  outgoingFrames: { count: 3, intervalMs: 2000 },
  restWeight: { count: 5, intervalMs: 1000 },
  connects: { count: 3, intervalMs: 1000 },
  // A guess: books change only when orders do. Asking anew brings the book as it is.
  silenceMsMax: { book: 300_000, quotes: 300_000 },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 65_000,
  frameBytesMax: 256 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * Bithumb, second generation, which speaks as Upbit does. Frames are JSON in bytes, and numbers in
 * them are bare or quoted.
 *
 * Not sure: limits, the words of errors, and whether a request replaces the one before it (what is
 * sent is right either way); whether ids of listed trades are those of the stream (what is missing
 * is filled only if they are, else said to be missing). Candles are left out, since no page shows
 * that the venue streams them.
 */
export const bithumb: FeedAdapter = {
  ...ticketFeed(VENUE, BITHUMB_WORDS, LIMITS),
  venue: VENUE,
  title: "Bithumb, second generation",
  documentation: [
    "https://apidocs.bithumb.com/v2.1.4/reference/요청-포맷",
    "https://apidocs.bithumb.com/reference/최근-체결-내역",
  ],
  channels: ["trades", "quotes", "book", "ticker"],
  notes: {
    trades: "The last trade before subscribing comes first, as history.",
    quotes: "The best level of each book message.",
    book: "As many levels as the venue shows, whole with every message.",
    ticker:
      "The last price and volumes of 24 hours; what the venue says of opening, high and low is of " +
      "the day, and left out.",
  },
  endpoints: {
    webSocket: "wss://ws-api.bithumb.com/websocket/v1",
    rest: "https://api.bithumb.com",
  },
  limits: LIMITS,
  keepAlive: { intervalMs: 30_000, frame: () => "PING" },
  instrumentsRequests: (endpoints) => [
    { url: `${endpoints.rest}/v1/market/all?isDetails=true`, weight: 1 },
  ],
  tradesRequest: (instrument, { endpoints }) =>
    upbitTradesRequest(instrument, endpoints, TRADES_MAX),
};
