// Gate, spot, WebSocket API v4.
// https://www.gate.com/docs/developers/apiv4/ws/en/
// https://www.gate.com/docs/developers/apiv4/en/
import { GATE_REFUSALS } from "./answers.ts";
import type { Channel } from "#core/instrument.ts";
import type { FeedAdapter, FeedLimits, FeedSubscribeOptions } from "../../feed/feed-adapter.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../reading/frame-forms.ts";
import {
  gateGet,
  gateServerTime,
  gateTradesRequest,
  gateSpotRecordedRequest,
  gateBookRequest,
  GATE_BOOK_PROBE,
  gateTradesPageRequest,
  gateSpotCandles,
} from "./rest.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { type GateDialect, GateReader } from "./decoder.ts";
import {
  bookStream,
  GATE_BOOK_PROOF,
  GATE_REST_SYNC,
  GATE_STREAM_SYNC,
  gateFrames,
  type GateStream,
  justTheSymbol,
} from "./requests.ts";
import { deriveGatePair, GATEIO, parseGatePairs } from "./instruments.ts";

const LIMITS: FeedLimits = {
  // Guesses: the venue publishes no limit of streams, frames or connects.
  subscriptionsPerConnectionMax: 500,
  outgoingFrames: { count: 50, intervalMs: 1000 },
  connects: { count: 10, intervalMs: 10_000 },
  // The venue allows 200 in ten seconds for each address.
  restWeight: { count: 150, intervalMs: 10_000 },
  // Books and quotes are sent on change only, and most pairs are small.
  silenceMsMax: { book: 300_000 },
  // More are advised against.
  address: { connectionsMax: 100 },
  // Three answers to our pings.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

const STREAMS: Partial<Record<Channel, GateStream>> = {
  trades: { name: "spot.trades", payload: justTheSymbol },
  quotes: { name: "spot.book_ticker", payload: justTheSymbol },
  book: { name: "spot.obu", payload: bookStream },
  ticker: { name: "spot.tickers", payload: justTheSymbol },
  candles: { name: "spot.candlesticks", payload: (symbol) => ["1m", symbol] },
};

/**
 * Up to here 400 levels that begin in the stream are worth more than all levels behind a REST
 * snapshot, which the pages limit to 100: what lies beyond a snapshot is never told.
 */
const DEPTH_BY_STREAM_MAX = 1000;

/** For books deeper than that. */
const DEEP_BOOK: GateStream = {
  name: "spot.order_book_update",
  payload: (symbol) => [symbol, "100ms"],
};

const DIALECT: GateDialect = {
  prefix: "spot",
  channels: new Map<string, readonly Channel[]>([
    ["trades", ["trades"]],
    ["book_ticker", ["quotes"]],
    ["obu", ["book"]],
    ["order_book_update", ["book"]],
    ["tickers", ["ticker"]],
    ["candlesticks", ["candles"]],
  ]),
};

function streamFor(channel: Channel, { bookDepth }: FeedSubscribeOptions): GateStream | undefined {
  return channel === "book" && bookDepth > DEPTH_BY_STREAM_MAX ? DEEP_BOOK : STREAMS[channel];
}

/**
 * Gate spot. A book is `spot.obu`, which begins with the whole book; one of more than 1000 levels
 * is `spot.order_book_update` behind a REST snapshot.
 */
export const gateio: FeedAdapter = {
  venue: GATEIO,
  title: "Gate spot, v4",
  documentation: [
    "https://www.gate.com/docs/developers/apiv4/ws/en/",
    "https://www.gate.com/docs/developers/apiv4/en/",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  notes: {
    book:
      "50 levels every 20 ms, or 400 levels every 100 ms; with a bookDepth above 1000 all changes " +
      "every 100 ms behind a REST snapshot.",
    ticker: "Every second; without the price of 24 hours ago.",
    candles: "Every two seconds.",
  },
  bookProof: GATE_BOOK_PROOF,
  endpoints: { webSocket: "wss://api.gateio.ws/ws/v4/", rest: "https://api.gateio.ws" },
  limits: LIMITS,
  refusals: GATE_REFUSALS,
  bookSync: GATE_STREAM_SYNC,
  bookSyncOf: (_instrument, { bookDepth }) =>
    bookDepth > DEPTH_BY_STREAM_MAX ? GATE_REST_SYNC : GATE_STREAM_SYNC,
  keepAlive: {
    intervalMs: 15_000,
    frame: (sequence) => JSON.stringify({ time: sequence, channel: "spot.ping" }),
  },
  instrumentsRequests: (endpoints) => [gateGet(endpoints, "spot/currency_pairs")],
  recordedRequest: gateSpotRecordedRequest,
  parseInstruments: parseGatePairs,
  deriveInstrument: (venueSymbol) => deriveGatePair(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (wanted, options) =>
    gateFrames("subscribe", wanted, options, (channel) => streamFor(channel, options)),
  unsubscribeFrames: (wanted, options) =>
    gateFrames("unsubscribe", wanted, options, (channel) => streamFor(channel, options)),
  snapshotRequest: gateBookRequest,
  tradesRequest: (instrument, { endpoints }) => gateTradesRequest(instrument, endpoints),
  candleHistory: gateSpotCandles,
  ...gateServerTime,
  tradesPageRequest: (instrument, { after, endpoints }) =>
    gateTradesPageRequest(instrument, after, endpoints),
  bookProbe: GATE_BOOK_PROBE,
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new GateReader(DIALECT, context)),
};
