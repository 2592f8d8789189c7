import type { FeedAdapter } from "../../feed/feed-adapter.ts";
import { createBinanceAdapter, isWithin } from "./requests.ts";

/**
 * Binance spot.
 * Streams: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * Book: the same page, "How to manage a local order book correctly".
 */
export const binance: FeedAdapter = createBinanceAdapter({
  venue: "binance",
  title: "Binance spot",
  documentation: ["https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams"],
  notes: {},
  market: "spot",
  endpoints: {
    webSocket: "wss://stream.binance.com:9443",
    rest: "https://api.binance.com",
  },
  limits: {
    subscriptionsPerConnectionMax: 1024,
    // The venue allows 5, and counts our pongs and pings among them.
    outgoingFrames: { count: 3, intervalMs: 1000 },
    // The venue allows 6000; others may share our address.
    restWeight: { count: 4800, intervalMs: 60_000 },
    connects: { count: 250, intervalMs: 300_000 },
    // Book and quotes are sent on change only, and trades when there are any: small pairs are quiet
    // for long.
    silenceMsMax: { book: 60_000, quotes: 120_000 },
    // The venue pings every 20 s.
    connectionSilenceMsMax: 60_000,
    // The venue closes after 24 h.
    connectionAgeMsMax: 23 * 3_600_000,
  },
  sequencing: {
    isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
    bridges: (delta, snapshotUpdateId) => {
      const next = snapshotUpdateId + 1;
      return isWithin(next, delta);
    },
    follows: (delta, lastUpdateId) => delta.firstUpdateId === lastUpdateId + 1,
  },
  depthTimeField: "E",
  streams: [
    { channel: "trades", name: "trade", path: "/stream" },
    { channel: "quotes", name: "bookTicker", path: "/stream" },
    { channel: "book", name: "depth@100ms", path: "/stream" },
    { channel: "ticker", name: "ticker", path: "/stream" },
    { channel: "candles", name: "kline_1m", path: "/stream" },
  ],
  instruments: { path: "/api/v3/exchangeInfo", weight: 20 },
  // With 100 levels a book is wrong within seconds, however clean its sequence.
  depth: { path: "/api/v3/depth", limit: 1000, weight: 50 },
  trades: { path: "/api/v3/trades", limit: 1000, weight: 25 },
  timePath: "/api/v3/time",
});
