import type { FeedAdapter } from "../../../feed/feed-adapter.ts";
import { createBinanceAdapter } from "../adapter.ts";
import { FUTURES_SEQUENCING } from "../book.ts";

/**
 * Binance COIN-M futures: inverse contracts, each worth a fixed amount of dollars and margined in
 * the base asset. Sizes count contracts. Its addresses were not split as those of USDⓈ-M were.
 * Streams:
 * https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams
 * Book: the same pages, "How to manage a local order book correctly".
 *
 * Uncertain: the `trade` stream is documented for spot only, and is taken here as at USDⓈ-M; where
 * the venue does not have it, trades stay silent and `tickwire doctor` shows it.
 */
export const binanceCoinm: FeedAdapter = createBinanceAdapter({
  venue: "binance-coinm",
  title: "Binance COIN-M futures",
  documentation: [
    "https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams",
  ],
  notes: {
    trades: "Sizes are contracts.",
    book: "Sizes are contracts.",
    "mark-price":
      "With the index price since July 2026; in older recordings it is the last one of the pair.",
    "open-interest": "Once a minute, in contracts.",
    liquidations: "At most one a second for each symbol; sizes are contracts.",
  },
  market: "coinm",
  endpoints: {
    webSocket: "wss://dstream.binance.com",
    rest: "https://dapi.binance.com",
  },
  limits: {
    // The venue allows 200 streams on a connection, and one of them tells of all contracts.
    subscriptionsPerConnectionMax: 199,
    // The venue allows 10, and counts our pongs and pings among them.
    outgoingFrames: { count: 8, intervalMs: 1000 },
    // The venue allows 2400; others may share our address.
    restWeight: { count: 1800, intervalMs: 60_000 },
    connects: { count: 250, intervalMs: 300_000 },
    // Quiet contracts move seldom; the mark price comes every second whatever happens.
    silenceMsMax: { book: 120_000, "mark-price": 15_000, funding: 15_000 },
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
    { channel: "trades", name: "trade", path: "/stream" },
    { channel: "quotes", name: "bookTicker", path: "/stream" },
    { channel: "book", name: "depth@100ms", path: "/stream" },
    { channel: "ticker", name: "ticker", path: "/stream" },
    { channel: "candles", name: "kline_1m", path: "/stream" },
    { channel: "mark-price", name: "markPrice@1s", path: "/stream" },
    { channel: "funding", name: "markPrice@1s", path: "/stream" },
    { channel: "liquidations", name: "forceOrder", path: "/stream" },
  ],
  contractsPath: "/stream",
  instruments: { path: "/dapi/v1/exchangeInfo", weight: 1 },
  book: { path: "/dapi/v1/depth", limit: 1000, weight: 20 },
  trades: { path: "/dapi/v1/trades", limit: 1000, weight: 5 },
  best: { path: "/dapi/v1/ticker/bookTicker", weight: 2 },
  timePath: "/dapi/v1/time",
  // The venue takes no range of more than 200 days.
  candles: { path: "/dapi/v1/klines", weight: 5, spanMsMax: 200 * 24 * 3_600_000 },
  openInterestPath: "/dapi/v1/openInterest",
});
