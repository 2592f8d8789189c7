import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscription,
  RecordedRequest,
} from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { HyperliquidDecoder, type HyperliquidType } from "./decoder.ts";
import {
  deriveHyperliquidInstrument,
  HYPERLIQUID_INFO_WEIGHT,
  hyperliquidInstrumentsRequests,
  parseHyperliquidInstruments,
} from "./instruments.ts";

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
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  connectionAgeMsMax: undefined,
};

const TYPE_OF: Partial<Record<Channel, HyperliquidType>> = {
  trades: "trades",
  quotes: "bbo",
  book: "l2Book",
  ticker: "activeAssetCtx",
  candles: "candle",
  funding: "activeAssetCtx",
  "mark-price": "activeAssetCtx",
  "open-interest": "activeAssetCtx",
};

const PERPETUAL_CHANNELS: ReadonlySet<Channel> = new Set([
  "funding",
  "mark-price",
  "open-interest",
]);

/**
 * Hyperliquid: its own perpetuals and its spot pairs. Perpetuals that others list on it
 * (`dex:COIN`) are left out: their quote assets and names are theirs to choose.
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
  channels: [
    "trades",
    "quotes",
    "book",
    "ticker",
    "candles",
    "funding",
    "mark-price",
    "open-interest",
  ],
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
  bookSync: { snapshot: "in-band" },
  // The venue ends a connection that it has sent nothing on for a minute.
  keepAlive: { intervalMs: 25_000, frame: () => JSON.stringify({ method: "ping" }) },
  instrumentsRequests: hyperliquidInstrumentsRequests,
  recordedRequest,
  parseInstruments: parseHyperliquidInstruments,
  deriveInstrument: (venueSymbol) => deriveHyperliquidInstrument(venueSymbol),
  planConnections: plan,
  subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
  // Every request goes to one address. What follows the # is not sent: it says in a recording what
  // was asked for.
  tradesRequest: (instrument, { endpoints }) => ({
    url: `${endpoints.rest}/info#recentTrades=${encodeURIComponent(instrument.venueSymbol)}`,
    weight: HYPERLIQUID_INFO_WEIGHT,
    method: "POST",
    body: JSON.stringify({ type: "recentTrades", coin: instrument.venueSymbol }),
  }),
  createDecoder: (context) => new HyperliquidDecoder(context),
};

function recordedRequest(url: string): RecordedRequest | undefined {
  const coin = /\/info#recentTrades=(.+)$/.exec(url)?.[1];
  if (coin !== undefined) return { kind: "trades", venueSymbol: decodeURIComponent(coin) };
  return /\/info\/?(?:\?|$)/.test(url) ? { kind: "instruments" } : undefined;
}

function plan(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
): readonly ConnectionPlan[] {
  return planByInstrument(
    subscriptions.filter(({ instrument, channel }) => isHad(instrument, channel)),
    { url: endpoints.webSocket, subscriptionsMax: LIMITS.subscriptionsPerConnectionMax },
  );
}

function isHad(instrument: Instrument, channel: Channel): boolean {
  if (TYPE_OF[channel] === undefined) return false;
  return instrument.kind !== "spot" || !PERPETUAL_CHANNELS.has(channel);
}

/** A frame can hold one subscription. */
function frames(
  method: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const texts = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const type = TYPE_OF[channel];
    if (type === undefined) continue;
    const interval = type === "candle" ? { interval: "1m" } : {};
    const subscription = { type, coin: instrument.venueSymbol, ...interval };
    texts.add(JSON.stringify({ method, subscription }));
  }
  return [...texts];
}
