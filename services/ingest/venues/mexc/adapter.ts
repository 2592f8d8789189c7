import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { planByAddress } from "../../reading/address-plans.ts";
import { RANGED_CHANGES } from "../../reading/book-sequencings.ts";
import { clockIn } from "../../reading/server-clocks.ts";
import { MexcDecoder } from "./decoder.ts";
import { MEXC_REFUSALS } from "./answers.ts";
import { streamOf } from "./fields.ts";
import { deriveMexcPair, MEXC, parseMexcSymbols } from "./instruments.ts";
import { mexcRequests } from "./requests.ts";
import {
  MEXC_BOOK_PROBE,
  MEXC_TICKERS,
  mexcBookRequest,
  mexcInstrumentsRequest,
  mexcRecordedRequest,
  mexcTimeRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue takes 30 streams on a connection.
  subscriptionsPerConnectionMax: 30,
  // The venue takes 100 messages a second; an address that is cut off again and again is banned.
  outgoingFrames: { count: 20, intervalMs: 1000 },
  // The venue allows 500 in ten seconds for each path.
  restWeight: { count: 300, intervalMs: 10_000 },
  // The venue names no limit.
  connects: { count: 5, intervalMs: 1000 },
  // A candle comes every second. A guess for books, which change only when orders do.
  silenceMsMax: { book: 300_000, candles: 60_000 },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 1024 * 1024,
  // The venue ends a connection after 24 hours.
  connectionAgeMsMax: 23.5 * 3_600_000,
};

/**
 * MEXC spot, v3. Data comes as protobuf, read by the documented numbers of its fields; answers are
 * JSON.
 *
 * Not sure: how a refusal looks (it is read as users quote it); whether a candle without trades
 * comes every second, as the page says; whether ids in REST lists of trades are those of the
 * stream, so that what a reconnect missed is said to be missing rather than fetched.
 */
export const mexc: FeedAdapter = {
  venue: MEXC,
  title: "MEXC spot v3",
  documentation: [
    "https://www.mexc.com/api-docs/spot-v3/websocket-market-streams",
    "https://www.mexc.com/api-docs/spot-v3/market-data-endpoints",
    "https://github.com/mexcdevelop/websocket-proto",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  candlesEndUnsaid: true,
  notes: {
    trades: "Trades of 10 ms in one message. They have ids since June 2026 only.",
    quotes: "At most one in 10 ms; what says the same as the one before is left out.",
    book: "Begins with 5,000 levels a side; changes of 10 ms in one message.",
    ticker: "By REST, every 30 seconds: the venue ended its stream in August 2025.",
    candles: "One minute, once a second. Told as closed when the next one begins.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change continues the number of the one before; a wrong number is not noticed.",
  },
  endpoints: { webSocket: "wss://wbs-api.mexc.com/ws", rest: "https://api.mexc.com" },
  limits: LIMITS,
  refusals: MEXC_REFUSALS,
  bookSync: { snapshot: "rest", sequencing: RANGED_CHANGES },
  // The venue ends a connection on which nothing came for a minute, unless it was pinged.
  keepAlive: { intervalMs: 20_000, frame: () => JSON.stringify({ method: "PING" }) },
  instrumentsRequests: (endpoints) => [mexcInstrumentsRequest(endpoints)],
  recordedRequest: mexcRecordedRequest,
  parseInstruments: parseMexcSymbols,
  deriveInstrument: (venueSymbol) => deriveMexcPair(venueSymbol),
  planConnections: (subscriptions, { webSocket }) =>
    planByAddress(
      subscriptions,
      ({ channel }) => (streamOf(channel, "") === undefined ? undefined : webSocket),
      LIMITS.subscriptionsPerConnectionMax,
    ),
  subscribeFrames: (wanted, options) => mexcRequests("SUBSCRIPTION", wanted, options),
  unsubscribeFrames: (wanted, options) => mexcRequests("UNSUBSCRIPTION", wanted, options),
  snapshotRequest: mexcBookRequest,
  polls: [MEXC_TICKERS],
  serverTimeRequest: mexcTimeRequest,
  parseServerTimeUs: clockIn("serverTime"),
  bookProbe: MEXC_BOOK_PROBE,
  createDecoder: (context) => new MexcDecoder(context),
};
