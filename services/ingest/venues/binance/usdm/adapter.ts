import type { FeedAdapter } from "../../../feed/feed-adapter.ts";
import { createBinanceAdapter } from "../adapter.ts";
import { FUTURES_SEQUENCING } from "../book.ts";

/**
 * Binance USDⓈ-M futures. Since 2026-04-23 the streams are split over two addresses: what comes
 * from the order book on `/public`, everything else on `/market`.
 * Streams:
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
 * Book: the same pages, "How to manage a local order book correctly".
 */
export const binanceUsdm: FeedAdapter = createBinanceAdapter({
  venue: "binance-usdm",
  title: "Binance USDⓈ-M futures",
  documentation: [
    "https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams",
  ],
  notes: {
    "open-interest": "Once a minute, in units of the base asset.",
    liquidations: "At most one a second for each symbol.",
  },
  market: "usdm",
  endpoints: {
    webSocket: "wss://fstream.binance.com",
    rest: "https://fapi.binance.com",
  },
  limits: {
    // The venue allows 1024 streams on a connection, and one of them tells of all contracts.
    subscriptionsPerConnectionMax: 1023,
    // The venue allows 10, and counts our pongs and pings among them.
    outgoingFrames: { count: 8, intervalMs: 1000 },
    // The venue allows 2400; others may share our address.
    restWeight: { count: 1800, intervalMs: 60_000 },
    connects: { count: 250, intervalMs: 300_000 },
    // The mark price comes every second whatever happens.
    silenceMsMax: { book: 60_000, quotes: 120_000, "mark-price": 15_000, funding: 15_000 },
    alwaysSpoken: ["mark-price", "funding"],
    // USDⓈ-M and COIN-M spend from one budget of 2400 for an address.
    address: { name: "binance-futures" },
    // The venue pings every 3 minutes.
    connectionSilenceMsMax: 240_000,
    // The venue closes after 24 h.
    frameBytesMax: 1024 * 1024,
    connectionAgeMsMax: 23 * 3_600_000,
  },
  sequencing: FUTURES_SEQUENCING,
  // The transaction time: the matching engine's, a few milliseconds before the event's.
  bookTimeField: "T",
  streams: [
    { channel: "trades", name: "trade", path: "/public/stream" },
    { channel: "quotes", name: "bookTicker", path: "/public/stream" },
    { channel: "book", name: "depth@100ms", path: "/public/stream" },
    { channel: "ticker", name: "ticker", path: "/market/stream" },
    { channel: "candles", name: "kline_1m", path: "/market/stream" },
    { channel: "mark-price", name: "markPrice@1s", path: "/market/stream" },
    { channel: "funding", name: "markPrice@1s", path: "/market/stream" },
    { channel: "liquidations", name: "forceOrder", path: "/market/stream" },
  ],
  // Where nothing else of that address is followed, the lists alone tell of contracts.
  contractsPath: "/market/stream",
  instruments: { path: "/fapi/v1/exchangeInfo", weight: 1 },
  book: { path: "/fapi/v1/depth", limit: 1000, weight: 20 },
  trades: { path: "/fapi/v1/trades", limit: 1000, weight: 5 },
  best: { path: "/fapi/v1/ticker/bookTicker", weight: 2 },
  timePath: "/fapi/v1/time",
  candles: { path: "/fapi/v1/klines", weight: 5 },
  openInterestPath: "/fapi/v1/openInterest",
});
