import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../../reading/frame-forms.ts";
import { withTextPongs } from "../../../reading/text-pongs.ts";
import { OKX_REFUSALS } from "../answers.ts";
import { OKX_BOOK_SYNC } from "../book.ts";
import { okxTimeRequest, parseOkxTimeUs } from "../rest.ts";
import { OkxSpreadReader } from "./decoder.ts";
import { deriveOkxSpread, OKX_SPREADS, parseOkxSpreads } from "./instruments.ts";
import { okxSpreadRequests, planOkxSpreads } from "./requests.ts";
import {
  OKX_SPREAD_BOOK_PROBE,
  okxSpreadCandles,
  okxSpreadsRecordedRequest,
  okxSpreadsRequests,
  okxSpreadTradesRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue names no limit. With a request for each spread, half of the requests that an hour
  // allows are left for resyncs.
  subscriptionsPerConnectionMax: 240,
  // 480 requests an hour are allowed on a connection.
  outgoingFrames: { count: 450, intervalMs: 3_600_000 },
  // The venue allows 20 requests of one kind in 2 s.
  restWeight: { count: 10, intervalMs: 2000 },
  connects: { count: 3, intervalMs: 1000 },
  // An unchanged book is said to be unchanged now and then, as those of instruments are every
  // minute. All else comes on change only.
  silenceMsMax: { book: 180_000 },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * OKX spreads ("Nitro Spreads"): two instruments with one book of their own, whose price is that of
 * the leg that is bought less that of the one that is sold.
 * https://www.okx.com/docs-v5/en/#spread-trading
 *
 * Not sure: whether the checksum of books is still sent since those of instruments ended in June
 * 2026. It is compared where it is not 0.
 */
export const okxSpreads: FeedAdapter = {
  venue: OKX_SPREADS,
  title: "OKX spreads",
  documentation: [
    "https://www.okx.com/docs-v5/en/#spread-trading-websocket-public-channel-order-book-channel",
    "https://www.okx.com/docs-v5/en/#spread-trading-rest-api-get-spreads-public",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  notes: {
    trades: "sprd-public-trades. Prices may be zero and below.",
    quotes: "sprd-bbo-tbt: at most one in 10 ms, when the best level changes.",
    book: "sprd-books-l2-tbt: 400 levels, the changes of 10 ms in one message.",
    ticker: "The volume counts what sizes count.",
    candles: "One minute.",
  },
  bookProof: {
    order: "sequence",
    content: "checksum",
    checksumLevels: 25,
    note:
      "Every update names the one before it; the checksum over the best 25 levels is compared where " +
      "one is sent.",
  },
  endpoints: {
    webSocket: "wss://ws.okx.com/ws/v5",
    webSocketFallback: "wss://ws.okx.com:8443/ws/v5",
    rest: "https://www.okx.com",
  },
  limits: LIMITS,
  refusals: OKX_REFUSALS,
  bookSync: OKX_BOOK_SYNC,
  // The venue cuts a connection on which nothing came for 30 s.
  keepAlive: { intervalMs: 20_000, frame: () => "ping" },
  instrumentsRequests: okxSpreadsRequests,
  recordedRequest: okxSpreadsRecordedRequest,
  parseInstruments: parseOkxSpreads,
  deriveInstrument: (venueSymbol) => deriveOkxSpread(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planOkxSpreads(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (wanted, options) => okxSpreadRequests("subscribe", wanted, options),
  unsubscribeFrames: (wanted, options) => okxSpreadRequests("unsubscribe", wanted, options),
  tradesRequest: (instrument, { endpoints }) => okxSpreadTradesRequest(instrument, endpoints),
  candleHistory: okxSpreadCandles,
  bookProbe: OKX_SPREAD_BOOK_PROBE,
  serverTimeRequest: okxTimeRequest,
  parseServerTimeUs: parseOkxTimeUs,
  createDecoder: (context) =>
    new FrameDecoder(withTextPongs(TEXT_RECORDS), new OkxSpreadReader(context)),
};
