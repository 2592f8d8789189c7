// Bitstamp, public WebSocket API v2 and HTTP API v2.
// https://www.bitstamp.net/websocket/v2/
// https://www.bitstamp.net/api/
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { BITSTAMP_REFUSALS } from "./answers.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../reading/frame-forms.ts";
import { BitstampReader } from "./decoder.ts";
import { bitstampFrames, isStreamed } from "./requests.ts";
import {
  BITSTAMP_BOOK_PROBE,
  bitstampTradesPageRequest,
  BITSTAMP_POLLS,
  bitstampBookRequest,
  bitstampGet,
  bitstampRecordedRequest,
  bitstampTradesRequest,
  bitstampCandles,
} from "./rest.ts";
import { BITSTAMP, deriveMarket, parseMarkets } from "./instruments.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";

const LIMITS: FeedLimits = {
  // The venue closes the connection at the 1025th.
  subscriptionsPerConnectionMax: 1024,
  // A guess: no rate is published for frames, nor for connects.
  outgoingFrames: { count: 50, intervalMs: 1000 },
  connects: { count: 10, intervalMs: 10_000 },
  // The venue allows 400 a second and 10,000 in ten minutes; others may share our address.
  restWeight: { count: 800, intervalMs: 60_000 },
  // Quiet markets are silent for minutes. Funding and mark price come every second.
  silenceMsMax: { book: 300_000, funding: 15_000, "mark-price": 15_000 },
  alwaysSpoken: ["funding", "mark-price"],
  // Three answers to our heartbeats.
  connectionSilenceMsMax: 60_000,
  // The venue closes after 90 days, longer than a timer can wait.
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: 20 * 24 * 3_600_000,
};

/**
 * Bitstamp, spot and perpetuals. Books are `diff_order_book` behind a REST snapshot. The messages
 * carry no sequence; `microtimestamp` rises with each, which lines them up behind the snapshot and
 * shows a message that comes twice or late, but not one that is missing. Tickers, candles and open
 * interest are had by REST only.
 */
export const bitstamp: FeedAdapter = {
  venue: BITSTAMP,
  title: "Bitstamp",
  documentation: ["https://www.bitstamp.net/websocket/v2/", "https://www.bitstamp.net/api/"],
  channels: [
    "trades",
    "book",
    "ticker",
    "candles",
    "funding",
    "mark-price",
    "open-interest",
  ] as const,
  notes: {
    trades: "Those taken from REST after a reconnect have times of whole seconds.",
    book: "Changes are collected by the venue for up to a second.",
    ticker: "By REST, every 10 s.",
    candles: "By REST, every 30 s: the minute under way and the one before.",
    funding: "Perpetuals only, every second; the rate is for eight hours.",
    "mark-price": "Perpetuals only, every second.",
    "open-interest": "Perpetuals only, by REST, every 30 s.",
  },
  bookProof: {
    order: "none",
    content: "none",
    note:
      "A message that comes twice or late is noticed by its microtimestamp; one that is missing, " +
      "or holds a wrong number, is not.",
  },
  endpoints: { webSocket: "wss://ws.bitstamp.net", rest: "https://www.bitstamp.net" },
  limits: LIMITS,
  refusals: BITSTAMP_REFUSALS,
  bookSync: {
    snapshot: "rest",
    sequencing: {
      showsGaps: false,
      isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? 0) <= snapshotUpdateId,
      // REST answers may come from a cache: the change before must be in the snapshot.
      bridges: (delta, snapshotUpdateId) =>
        delta.previousUpdateId !== undefined && delta.previousUpdateId <= snapshotUpdateId,
      follows: (delta, lastUpdateId) => (delta.lastUpdateId ?? 0) > lastUpdateId,
    },
  },
  keepAlive: { intervalMs: 20_000, frame: () => '{"event":"bts:heartbeat"}' },
  instrumentsRequests: (endpoints) => [bitstampGet(endpoints, "markets/")],
  recordedRequest: bitstampRecordedRequest,
  parseInstruments: parseMarkets,
  deriveInstrument: (venueSymbol) => deriveMarket(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(isStreamed), {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => bitstampFrames("bts:subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => bitstampFrames("bts:unsubscribe", subscriptions),
  snapshotRequest: bitstampBookRequest,
  polls: BITSTAMP_POLLS,
  tradesRequest: (instrument, { endpoints }) => bitstampTradesRequest(instrument, endpoints),
  tradesPageRequest: (instrument, { endpoints }) =>
    bitstampTradesPageRequest(instrument, endpoints),
  bookProbe: BITSTAMP_BOOK_PROBE,
  candleHistory: bitstampCandles,
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new BitstampReader(context)),
};
