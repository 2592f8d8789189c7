import { HTX_REFUSALS } from "./answers.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../reading/frame-forms.ts";
import { clockIn } from "../../reading/server-clocks.ts";
import { HTX_CONTRACT_SYNC, HTX_SPOT_SYNC } from "./book.ts";
import { HtxReader } from "./decoder.ts";
import { unpackHtxFrame } from "./fields.ts";
import { deriveHtxInstrument, HTX, parseHtxInstruments } from "./instruments.ts";
import {
  HTX_NOTICES_PATH,
  htxBookRequest,
  htxMarketFrames,
  htxRequests,
  htxTopicsOf,
  planHtx,
} from "./requests.ts";
import {
  HTX_POLLS,
  htxInstrumentsRequests,
  htxRecordedRequest,
  htxTimeRequest,
  htxTradesRequest,
  HTX_BOOK_PROBE,
  htxCandles,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // Guesses: the venue publishes no limit of topics or connects for public feeds.
  subscriptionsPerConnectionMax: 100,
  // Spot takes a request for a book every 100 ms; subscriptions have no limit.
  outgoingFrames: { count: 1, intervalMs: 100 },
  connects: { count: 10, intervalMs: 10_000 },
  // Contracts allow 240 requests in three seconds to an address, spot ten a second.
  restWeight: { count: 8, intervalMs: 1000 },
  // A guess: changes are sent when there are any, and most pairs are small.
  silenceMsMax: { book: 300_000 },
  // The venue pings every five seconds.
  connectionSilenceMsMax: 30_000,
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * HTX spot and linear contracts. Coin-margined contracts are a venue of their own, options are not
 * read.
 */
export const htx: FeedAdapter = {
  venue: HTX,
  title: "HTX spot and linear contracts",
  documentation: [
    "https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003",
    "https://www.htx.com/en-us/opend/newApiPages/?id=8cb7e25d-77b5-11ed-9966-0242ac110003",
    "https://www.htx.com/en-us/opend/newApiPages/?id=8cb7d626-77b5-11ed-9966-0242ac110003",
  ],
  channels: ALL_CHANNELS,
  candlesEndUnsaid: true,
  notes: {
    trades:
      "The pages say that contracts count both sides: their sizes are then twice the trade's.",
    book: "150 levels a side, every 100 ms on spot.",
    ticker: "Contracts count their volume in contracts.",
    candles: "One minute. A candle is told as closed when the next one begins.",
    funding: "Perpetual contracts only.",
    "mark-price":
      "The last price of the minute's candle of mark prices, and the index price told before it.",
    "open-interest": "By REST, every minute.",
    liquidations: "The price is the bankruptcy price.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change names the number of the one before; a wrong number is not noticed.",
  },
  endpoints: {
    webSocket: "wss://api.huobi.pro",
    rest: "https://api.huobi.pro",
    derivativesWebSocket: "wss://api.hbdm.com",
    derivativesRest: "https://api.hbdm.com",
  },
  limits: LIMITS,
  refusals: HTX_REFUSALS,
  bookSync: HTX_SPOT_SYNC,
  bookSyncOf: ({ kind }) => (kind === "spot" ? HTX_SPOT_SYNC : HTX_CONTRACT_SYNC),
  marketFrames: (url, options) =>
    htxMarketFrames(HTX_NOTICES_PATH, url, options, { business_type: "all" }),
  instrumentsRequests: htxInstrumentsRequests,
  recordedRequest: htxRecordedRequest,
  parseInstruments: parseHtxInstruments,
  deriveInstrument: (venueSymbol) => deriveHtxInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planHtx(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (wanted, options) => htxRequests("sub", wanted.flatMap(htxTopicsOf), options),
  unsubscribeFrames: (wanted, options) =>
    htxRequests("unsub", wanted.flatMap(htxTopicsOf), options),
  snapshotFrames: (instrument, { requestId }) => [htxBookRequest(instrument, requestId)],
  polls: HTX_POLLS,
  tradesRequest: (instrument, { endpoints }) => htxTradesRequest(instrument, endpoints),
  candleHistory: htxCandles,
  serverTimeRequest: htxTimeRequest,
  parseServerTimeUs: clockIn("data"),
  bookProbe: HTX_BOOK_PROBE,
  createDecoder: (context) =>
    new FrameDecoder(TEXT_RECORDS, new HtxReader(context), unpackHtxFrame),
};
