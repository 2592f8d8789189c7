// Coinbase Exchange, public WebSocket feed.
// https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
// https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
import { COINBASE_REFUSALS } from "./answers.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { JSON_RECORDS } from "../../reading/frame-forms.ts";
import { CoinbaseReader } from "./decoder.ts";
import { deriveProduct, parseProducts } from "./instruments.ts";
import { COINBASE_CHANNELS, coinbaseRequests } from "./requests.ts";
import {
  coinbaseRecordedRequest,
  parseTime,
  productTradesRequest,
  timeRequest,
  COINBASE_BOOK_PROBE,
  productTradesPageRequest,
  productCandles,
} from "./rest.ts";

/**
 * 100 messages a second are allowed; every product has its own subscribe frame, because one unknown
 * product makes the venue refuse a whole frame. Heartbeats come every second for each product.
 */
const LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 400,
  outgoingFrames: { count: 50, intervalMs: 1000 },
  restWeight: { count: 5, intervalMs: 1000 },
  connects: { count: 5, intervalMs: 1000 },
  // Level2 of a quiet pair moves every few seconds; trades and tickers of one may not come for
  // hours.
  silenceMsMax: { book: 120_000 },
  // The venue counts 100 a second for an address.
  address: { outgoingFrames: { count: 80, intervalMs: 1000 } },
  connectionSilenceMsMax: 15_000,
  frameBytesMax: 8 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * Coinbase Exchange. Books are level2_batch: all changes within 50 ms in one message, unnumbered,
 * so that only the order of TCP guards them. Quotes are those in ticker messages, which come with
 * every match, not with every change of the best bid and offer; a ticker without sizes (the feed
 * had none until 2022) gives no quote.
 */
export const coinbase: FeedAdapter = {
  venue: "coinbase",
  title: "Coinbase Exchange",
  documentation: ["https://docs.cdp.coinbase.com/exchange/websocket-feed/channels"],
  channels: COINBASE_CHANNELS,
  notes: {
    quotes: "Those in ticker messages: with every match, not with every change.",
    book: "level2_batch: all changes within 50 ms in one message.",
  },
  bookProof: {
    order: "none",
    content: "none",
    note:
      "Messages carry neither numbers nor checksums: only the order of TCP and a crossed book show " +
      "a loss. A lost trade is noticed by its id or by the heartbeat.",
  },
  endpoints: {
    webSocket: "wss://ws-feed.exchange.coinbase.com",
    rest: "https://api.exchange.coinbase.com",
  },
  limits: LIMITS,
  bookSync: { snapshot: "in-band", holdsAuctions: true },
  marketFrames: () => [JSON.stringify({ type: "subscribe", channels: ["status"] })],
  refusals: COINBASE_REFUSALS,
  instrumentsRequests: (endpoints) => [{ url: `${endpoints.rest}/products`, weight: 1 }],
  recordedRequest: coinbaseRecordedRequest,
  parseInstruments: parseProducts,
  deriveInstrument: deriveProduct,
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => coinbaseRequests("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => coinbaseRequests("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => productTradesRequest(instrument, endpoints),
  candleHistory: productCandles,
  serverTimeRequest: timeRequest,
  parseServerTimeUs: parseTime,
  tradesPageRequest: (instrument, { after, endpoints }) =>
    productTradesPageRequest(instrument, after, endpoints),
  bookProbe: COINBASE_BOOK_PROBE,
  createDecoder: (context) => new FrameDecoder(JSON_RECORDS, new CoinbaseReader(context)),
};
