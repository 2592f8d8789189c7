import { HYPERLIQUID_REFUSALS } from "./answers.ts";
import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { planByAddress } from "../../reading/address-plans.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { hyperliquidFrames, HyperliquidReader } from "./decoder.ts";
import { deriveHyperliquidInstrument, parseHyperliquidInstruments } from "./instruments.ts";
import { hyperliquidRequests, hyperliquidTypeOf } from "./requests.ts";
import {
  hyperliquidInstrumentsRequests,
  hyperliquidRecordedRequest,
  hyperliquidTradesRequest,
  nextHyperliquidRequest,
  HYPERLIQUID_BOOK_PROBE,
  hyperliquidCandles,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // 1,000 for an address, on however many connections; 10 connections are allowed at once.
  subscriptionsPerConnectionMax: 1000,
  // 2,000 a minute for an address, and each subscription is a frame of its own.
  outgoingFrames: { count: 25, intervalMs: 1000 },
  // 1,200 a minute are allowed; others may share our address.
  restWeight: { count: 900, intervalMs: 60_000 },
  connects: { count: 20, intervalMs: 60_000 },
  // Whole books come at least every few seconds whatever happens. How often the state of a market
  // comes is a guess.
  silenceMsMax: { book: 30_000, "mark-price": 120_000, funding: 120_000 },
  alwaysSpoken: ["book"],
  address: {
    outgoingFrames: { count: 1800, intervalMs: 60_000 },
    connectionsMax: 10,
    subscriptionsMax: 1000,
  },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * Hyperliquid: its own perpetuals, those of exchanges that others run on it (`xyz:TSLA`), and its
 * spot pairs. Liquidations are told to those who are liquidated alone.
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket
 *
 * Not sure: how errors quote a refused subscription (one that cannot be read is reported without
 * its instrument), and how `l2Book` with `fast` differs, which is therefore not asked for.
 */
export const hyperliquid: FeedAdapter = {
  venue: "hyperliquid",
  title: "Hyperliquid",
  documentation: [
    "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions",
    "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/notation",
    "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint",
    "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits",
  ],
  channels: ALL_CHANNELS.filter((channel) => channel !== "liquidations"),
  candlesEndUnsaid: true,
  notes: {
    trades: "The first message after subscribing holds old trades.",
    quotes: "bbo: at each block that changes the best bid or offer.",
    book: "The best 20 levels, whole, at most every half second.",
    ticker: "The opening price and volumes of 24 hours; no last, high or low price. Has no time.",
    candles: "One minute. A candle is told as closed when the next one begins.",
    funding: "The rate of an hour, paid every hour. Has no time.",
    "mark-price": "With the oracle's price as index price. Has no time.",
    "open-interest": "In the base asset. Has no time.",
  },
  bookProof: {
    order: "snapshots",
    content: "none",
    note: "Every message is the whole book of 20 levels, so that the next one repairs any fault.",
  },
  endpoints: { webSocket: "wss://api.hyperliquid.xyz/ws", rest: "https://api.hyperliquid.xyz" },
  limits: LIMITS,
  refusals: HYPERLIQUID_REFUSALS,
  bookSync: { snapshot: "in-band" },
  // The venue ends a connection that it has sent nothing on for a minute.
  keepAlive: { intervalMs: 25_000, frame: () => JSON.stringify({ method: "ping" }) },
  instrumentsRequests: hyperliquidInstrumentsRequests,
  nextInstrumentsRequest: nextHyperliquidRequest,
  recordedRequest: hyperliquidRecordedRequest,
  parseInstruments: parseHyperliquidInstruments,
  deriveInstrument: (venueSymbol) => deriveHyperliquidInstrument(venueSymbol),
  planConnections: (subscriptions, { webSocket }) =>
    planByAddress(
      subscriptions,
      (subscription) => (hyperliquidTypeOf(subscription) === undefined ? undefined : webSocket),
      LIMITS.subscriptionsPerConnectionMax,
    ),
  subscribeFrames: (subscriptions) => hyperliquidRequests("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => hyperliquidRequests("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => hyperliquidTradesRequest(instrument, endpoints),
  bookProbe: HYPERLIQUID_BOOK_PROBE,
  candleHistory: hyperliquidCandles,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(hyperliquidFrames(tape), new HyperliquidReader(tape, context));
  },
};
