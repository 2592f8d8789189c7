import { OKX_REFUSALS } from "./answers.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { JSON_RECORDS } from "../../reading/frame-forms.ts";
import { withTextPongs } from "../../reading/text-pongs.ts";
import { OKX_BOOK_SYNC } from "./book.ts";
import { OkxReader } from "./decoder.ts";
import {
  deriveOkxInstrument,
  nextOkxInstrumentsRequest,
  okxInstrumentsRequests,
  parseOkxInstruments,
} from "./instruments.ts";
import { okxMarketFrames, okxRequests, planOkx } from "./requests.ts";
import {
  okxCandles,
  okxRecordedRequest,
  okxTimeRequest,
  okxTradesRequest,
  parseOkxTimeUs,
  OKX_BOOK_PROBE,
  okxTradesPageRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue names no limit. With a request for each instrument, half of the requests that an hour
  // allows are left for resyncs.
  subscriptionsPerConnectionMax: 240,
  // 480 requests an hour are allowed on a connection.
  outgoingFrames: { count: 450, intervalMs: 3_600_000 },
  // Every list is limited by itself, to 20 requests in 2 s.
  restWeight: { count: 10, intervalMs: 2000 },
  connects: { count: 3, intervalMs: 1000 },
  // An unchanged book, of one level too, is sent once a minute, a mark price every 10 s at least, a
  // funding rate every 90 s. Everything else comes on change only, and renewing it would use up
  // requests.
  silenceMsMax: { book: 180_000, quotes: 180_000, "mark-price": 60_000, funding: 300_000 },
  alwaysSpoken: ["book", "mark-price", "funding"],
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  frameBytesMax: 4 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * OKX v5: spot, perpetual swaps, dated futures and options.
 * https://www.okx.com/docs-v5/en/#overview-websocket
 *
 * Not sure: whether a request with one unknown name is refused whole. Each instrument has a request
 * of its own, and a refusal is counted.
 */
export const okx: FeedAdapter = {
  venue: "okx",
  title: "OKX v5",
  documentation: [
    "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel",
    "https://www.okx.com/docs-v5/en/#public-data-websocket",
    "https://www.okx.com/help/okx-order-book-channels-checksum-field-deprecation",
  ],
  channels: ALL_CHANNELS,
  notes: {
    trades: "trades-all: every fill by itself. Sizes of derivatives are contracts.",
    quotes: "bbo-tbt: at most one in 10 ms, when the best level changes.",
    book:
      "books: 400 levels, changes of 100 ms in one message, without orders of the liquidity " +
      "programme (ELP). Sizes of derivatives are contracts.",
    ticker: "Volumes of derivatives are contracts.",
    funding: "Perpetuals and X-Perp futures; every 30 to 90 s.",
    "mark-price": "The index price is the last one that came before.",
    "open-interest": "In contracts; its value in US dollars.",
    liquidations:
      "Perpetuals and futures, at the bankruptcy price; not all of them, says the venue.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note:
      "Every update names the one before it; a wrong number is not noticed. Checksums over the best " +
      "25 levels ended in June 2026 and are compared in older recordings.",
  },
  // Public clients report that the old port takes no connections since 31 October 2026; no page of
  // the venue says so, and other clients still use it.
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
  marketFrames: okxMarketFrames,
  instrumentsRequests: okxInstrumentsRequests,
  nextInstrumentsRequest: nextOkxInstrumentsRequest,
  recordedRequest: okxRecordedRequest,
  parseInstruments: parseOkxInstruments,
  deriveInstrument: (venueSymbol) => deriveOkxInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planOkx(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (subscriptions, options) => okxRequests("subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) => okxRequests("unsubscribe", subscriptions, options),
  tradesRequest: (instrument, { endpoints }) => okxTradesRequest(instrument, endpoints),
  candleHistory: okxCandles,
  serverTimeRequest: okxTimeRequest,
  parseServerTimeUs: parseOkxTimeUs,
  tradesPageRequest: (instrument, { after, endpoints }) =>
    okxTradesPageRequest(instrument, after, endpoints),
  bookProbe: OKX_BOOK_PROBE,
  createDecoder: (context) => new FrameDecoder(withTextPongs(JSON_RECORDS), new OkxReader(context)),
};
