// Coinbase Advanced Trade, public market data.
// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits
import { ADVANCED_REFUSALS } from "./answers.ts";
import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { tapeObjects } from "../../../reading/frame-forms.ts";
import { CoinbaseAdvancedReader } from "./decoder.ts";
import { deriveAdvancedProduct, parseAdvancedProducts } from "./instruments.ts";
import { CANDLE_INTERVAL_MS } from "./readings.ts";
import { advancedRequests } from "./requests.ts";
import {
  advancedProductsRequest,
  advancedRecordedRequest,
  advancedTimeRequest,
  advancedTradesRequest,
  parseAdvancedTimeUs,
  ADVANCED_BOOK_PROBE,
  advancedCandles,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue says nothing of a limit; a hole costs every book of its connection.
  subscriptionsPerConnectionMax: 200,
  // Eight messages a second without a key.
  outgoingFrames: { count: 6, intervalMs: 1000 },
  // Ten public requests a second.
  restWeight: { count: 5, intervalMs: 1000 },
  // Eight a second for each address.
  connects: { count: 5, intervalMs: 1000 },
  silenceMsMax: { book: 120_000 },
  // The venue counts its eight a second for an address.
  address: { outgoingFrames: { count: 6, intervalMs: 1000 } },
  // Heartbeats come every second.
  connectionSilenceMsMax: 15_000,
  frameBytesMax: 16 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/** Coinbase Advanced Trade. Each channel is subscribed by frames of its own. */
export const coinbaseAdvanced: FeedAdapter = {
  venue: "coinbase-advanced",
  title: "Coinbase Advanced Trade",
  documentation: [
    "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels",
    "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  notes: {
    trades:
      "All trades of 250 ms in one message. The side is read as the maker's, as on Coinbase " +
      "Exchange and by public clients: the venue itself does not document whose it is.",
    quotes: "Those in ticker messages: with every match, not with every change.",
    book:
      "Products in USDC that are aliases of those in USD share their market: the venue sends the " +
      "data of both under the name in USD.",
    candles: "Five minutes, which is the only interval.",
  },
  bookProof: {
    order: "connection-sequence",
    content: "none",
    note:
      "Everything on a connection is numbered: a hole costs a resync of each of its books. A " +
      "wrong number inside a message is not noticed.",
  },
  endpoints: {
    webSocket: "wss://advanced-trade-ws.coinbase.com",
    rest: "https://api.coinbase.com",
  },
  limits: LIMITS,
  refusals: ADVANCED_REFUSALS,
  candleIntervalsMs: [CANDLE_INTERVAL_MS],
  bookSync: { snapshot: "in-band" },
  // Without heartbeats the venue ends a quiet channel after 60 to 90 seconds.
  openingFrames: () => [JSON.stringify({ type: "subscribe", channel: "heartbeats" })],
  instrumentsRequests: (endpoints) => [advancedProductsRequest(endpoints)],
  recordedRequest: advancedRecordedRequest,
  parseInstruments: parseAdvancedProducts,
  deriveInstrument: deriveAdvancedProduct,
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => advancedRequests("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => advancedRequests("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => advancedTradesRequest(instrument, endpoints),
  candleHistory: advancedCandles,
  serverTimeRequest: advancedTimeRequest,
  parseServerTimeUs: parseAdvancedTimeUs,
  bookProbe: ADVANCED_BOOK_PROBE,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new CoinbaseAdvancedReader(tape, context));
  },
};
