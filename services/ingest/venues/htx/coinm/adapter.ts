import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { ALL_CHANNELS } from "../../../reading/all-channels.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../../reading/frame-forms.ts";
import { clockIn } from "../../../reading/server-clocks.ts";
import { HTX_REFUSALS } from "../answers.ts";
import { HTX_CONTRACT_SYNC } from "../book.ts";
import { HtxReader } from "../decoder.ts";
import { unpackHtxFrame } from "../fields.ts";
import { htxMarketFrames, htxRequests } from "../requests.ts";
import { deriveHtxCoinmInstrument, HTX_COINM, parseHtxCoinmInstruments } from "./instruments.ts";
import {
  HTX_COINM_NOTICES_PATH,
  htxCoinmOwnTopicsOf,
  htxCoinmSymbolsOf,
  htxCoinmTopicsOf,
  planHtxCoinm,
} from "./requests.ts";
import {
  HTX_COINM_BOOK_PROBE,
  HTX_COINM_POLLS,
  htxCoinmCandles,
  htxCoinmInstrumentsRequests,
  htxCoinmRecordedRequest,
  htxCoinmTimeRequest,
  htxCoinmTradesRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // A guess: the venue publishes no limit of topics or connects for public feeds.
  subscriptionsPerConnectionMax: 100,
  // The venue takes 50 `req` at once and any number of `sub`; a pace that suits both.
  outgoingFrames: { count: 1, intervalMs: 100 },
  connects: { count: 10, intervalMs: 10_000 },
  // Futures, swaps and linear contracts are limited apart: 120 requests in three seconds to an
  // address for what is not market data.
  restWeight: { count: 8, intervalMs: 1000 },
  // A guess: changes are sent when there are any, and most contracts are quiet.
  silenceMsMax: { book: 300_000 },
  // The venue pings every five seconds.
  connectionSilenceMsMax: 30_000,
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * HTX contracts that are margined in their coin: swaps and futures. They speak as its linear
 * contracts do, at addresses of their own.
 *
 * Not sure: whether futures are told under their code (`BTC261225`), which the pages allow in a
 * request, or under the alias of their place in the calendar (`BTC_CQ`), which their examples show.
 * If the latter, their messages are counted as `unknown-instrument`.
 */
export const htxCoinm: FeedAdapter = {
  venue: HTX_COINM,
  title: "HTX coin-margined contracts",
  documentation: [
    "https://www.htx.com/en-us/opend/newApiPages/?id=28c34bd5-77ae-11ed-9966-0242ac110003",
    "https://www.htx.com/en-us/opend/newApiPages/?id=5d5150a9-77b6-11ed-9966-0242ac110003",
  ],
  channels: ALL_CHANNELS,
  candlesEndUnsaid: true,
  notes: {
    trades: "Sizes are contracts. The pages say that they count both sides.",
    book: "150 levels a side; sizes are contracts.",
    ticker: "Volumes are contracts.",
    candles:
      "One minute; volumes are contracts. A candle is told as closed when the next one begins.",
    funding: "Perpetual contracts only.",
    "mark-price":
      "The last price of the minute's candle of mark prices, and the index price told before it.",
    "open-interest":
      "By REST, every 30 seconds, in contracts. The pages say that both sides count.",
    liquidations: "The price is the bankruptcy price.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change has the next number; a wrong number in it is not noticed.",
  },
  endpoints: { webSocket: "wss://api.hbdm.com", rest: "https://api.hbdm.com" },
  limits: LIMITS,
  refusals: HTX_REFUSALS,
  bookSync: HTX_CONTRACT_SYNC,
  // Futures tell theirs at an address of their own, and one connection asks: lists say theirs.
  marketFrames: (url, options) => htxMarketFrames(HTX_COINM_NOTICES_PATH, url, options),
  instrumentsRequests: htxCoinmInstrumentsRequests,
  recordedRequest: htxCoinmRecordedRequest,
  parseInstruments: (body) => parseHtxCoinmInstruments(body),
  deriveInstrument: (venueSymbol) => deriveHtxCoinmInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planHtxCoinm(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (wanted, options) => htxRequests("sub", htxCoinmTopicsOf(wanted), options),
  unsubscribeFrames: (wanted, options) =>
    htxRequests("unsub", htxCoinmOwnTopicsOf(wanted), options),
  polls: HTX_COINM_POLLS,
  tradesRequest: (instrument, { endpoints }) => htxCoinmTradesRequest(instrument, endpoints),
  candleHistory: htxCoinmCandles,
  bookProbe: HTX_COINM_BOOK_PROBE,
  serverTimeRequest: htxCoinmTimeRequest,
  parseServerTimeUs: clockIn("ts"),
  createDecoder: (context) =>
    new FrameDecoder(
      TEXT_RECORDS,
      new HtxReader(context, htxCoinmSymbolsOf(context.catalog)),
      unpackHtxFrame,
    ),
};
