import { BYBIT_REFUSALS } from "./answers.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { JSON_RECORDS } from "../../reading/frame-forms.ts";
import { BybitReader } from "./decoder.ts";
import {
  bybitInstrumentsRequests,
  deriveBybitInstrument,
  nextBybitInstrumentsRequest,
  parseBybitInstruments,
} from "./instruments.ts";
import { bybitRequests, planBybit } from "./requests.ts";
import {
  bybitRecordedRequest,
  bybitTimeRequest,
  bybitTradesRequest,
  parseBybitTimeUs,
  BYBIT_BOOK_PROBE,
  bybitCandles,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // All topics of a connection together may have 21,000 characters; the longest has about 45.
  subscriptionsPerConnectionMax: 400,
  // A guess: nothing is published.
  outgoingFrames: { count: 20, intervalMs: 1000 },
  // 600 requests in 5 s are allowed for an address; others may share ours.
  restWeight: { count: 300, intervalMs: 5000 },
  // 500 are allowed.
  connects: { count: 400, intervalMs: 300_000 },
  // The book of one level is sent again every 3 s. Deeper ones come only when they change: three
  // minutes are a guess.
  silenceMsMax: { book: 180_000, quotes: 60_000 },
  alwaysSpoken: ["quotes"],
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * Bybit v5: spot, linear and inverse contracts and options, each on an address of its own. Spot and
 * linear write the same symbols, so an instrument's category is its `venueMarket`.
 * https://bybit-exchange.github.io/docs/v5/ws/connect
 *
 * Not sure: whether levels that fall out of a book's depth are removed by a message (books are cut
 * to the depth, which is right either way), and which base assets have options besides those that
 * are asked for.
 */
export const bybit: FeedAdapter = {
  venue: "bybit",
  title: "Bybit v5",
  documentation: [
    "https://bybit-exchange.github.io/docs/v5/ws/connect",
    "https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook",
    "https://bybit-exchange.github.io/docs/v5/websocket/public/ticker",
    "https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation",
  ],
  channels: ALL_CHANNELS,
  notes: {
    trades: "Sizes of inverse contracts are US dollars, all others are in the base asset.",
    quotes: "The book of one level, every 10 ms; options have none.",
    book: "50, 200 or 1000 levels (20, 100 or 200 ms between messages); of options 25 or 100.",
    ticker: "Volumes of inverse contracts are US dollars.",
    candles: "Options have none.",
    funding: "Perpetuals only; told when it changes.",
    "mark-price": "Told when it or the index price changes.",
    "open-interest":
      "In the base asset, of inverse contracts in US dollars with their value in the base asset.",
    liquidations: "Linear and inverse contracts, at the bankruptcy price, every 500 ms.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every update has the next number; a wrong number inside one is not noticed.",
  },
  endpoints: { webSocket: "wss://stream.bybit.com/v5/public", rest: "https://api.bybit.com" },
  limits: LIMITS,
  refusals: BYBIT_REFUSALS,
  bookSync: {
    snapshot: "in-band",
    sequencing: {
      isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
      bridges: (delta, snapshotUpdateId) => delta.lastUpdateId === snapshotUpdateId + 1,
      follows: (delta, lastUpdateId) => delta.lastUpdateId === lastUpdateId + 1,
    },
  },
  // The venue asks for a ping every 20 s.
  keepAlive: { intervalMs: 20_000, frame: () => '{"op":"ping"}' },
  instrumentsRequests: bybitInstrumentsRequests,
  nextInstrumentsRequest: nextBybitInstrumentsRequest,
  recordedRequest: bybitRecordedRequest,
  parseInstruments: parseBybitInstruments,
  deriveInstrument: deriveBybitInstrument,
  planConnections: (subscriptions, endpoints) =>
    planBybit(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (subscriptions, options) => bybitRequests("subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) =>
    bybitRequests("unsubscribe", subscriptions, options),
  tradesRequest: (instrument, { endpoints }) => bybitTradesRequest(instrument, endpoints),
  candleHistory: bybitCandles,
  serverTimeRequest: bybitTimeRequest,
  parseServerTimeUs: parseBybitTimeUs,
  bookProbe: BYBIT_BOOK_PROBE,
  createDecoder: (context) => new FrameDecoder(JSON_RECORDS, new BybitReader(context)),
};
