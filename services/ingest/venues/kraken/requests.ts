// Requests of Kraken's WebSocket v2, and the limits that it shares with v1.
// https://docs.kraken.com/exchange/api-reference/spot-websocket
import type { Channel } from "#core/instrument.ts";
import type {
  FeedLimits,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { batchesOf } from "../../reading/batches.ts";
import { nearestBookDepth } from "./book.ts";

/** The channels that both versions carry. */
export const KRAKEN_CHANNELS: readonly Channel[] = [
  "trades",
  "quotes",
  "book",
  "ticker",
  "candles",
];

/**
 * Cloudflare allows about 150 connects in ten minutes. Heartbeats come every second while anything
 * is subscribed. How many frames we may send is not published: this is far below what is known to
 * work.
 */
export const KRAKEN_LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 1000,
  outgoingFrames: { count: 10, intervalMs: 1000 },
  restWeight: { count: 1, intervalMs: 1000 },
  connects: { count: 100, intervalMs: 600_000 },
  // Books of quiet pairs move every few seconds; trades of quiet pairs may not come for hours.
  silenceMsMax: { book: 120_000 },
  connectionSilenceMsMax: 15_000,
  frameBytesMax: 4 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/** Symbols in one subscribe frame; each is acknowledged by itself. */
const SYMBOLS_PER_FRAME_MAX = 100;
const CANDLE_INTERVAL_MINUTES = 1;

/**
 * Which market a request is about where one address serves several; spot's own address knows no
 * such field.
 */
type AssetClass = "derivatives";

/**
 * The requests that subscribe or end these channels, numbered on from `requestId`. Each symbol is
 * acknowledged by itself, so a bad one costs the others nothing. Tickers of derivatives come with
 * trades only: their channel knows no other trigger.
 */
export function krakenRequests(
  method: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
  assetClass?: AssetClass,
): readonly string[] {
  const symbols: Record<"book" | "trade" | "bbo" | "ticker" | "ohlc", Set<string>> = {
    book: new Set(),
    trade: new Set(),
    bbo: new Set(),
    ticker: new Set(),
    ohlc: new Set(),
  };
  for (const { instrument, channel } of subscriptions) {
    const name = instrument.venueSymbol;
    if (channel === "book") symbols.book.add(name);
    else if (channel === "trades") symbols.trade.add(name);
    else if (channel === "candles") symbols.ohlc.add(name);
    else if (channel === "quotes") symbols[assetClass === undefined ? "bbo" : "ticker"].add(name);
    else if (channel === "ticker") symbols.ticker.add(name);
  }
  for (const name of symbols.bbo) symbols.ticker.delete(name);
  const depth = nearestBookDepth(options.bookDepth);
  const requests = [
    ...batches(symbols.book).map((symbol) => ({ channel: "book", symbol, depth })),
    ...batches(symbols.trade).map((symbol) => ({ channel: "trade", symbol })),
    ...batches(symbols.bbo).map((symbol) => ({ channel: "ticker", symbol, event_trigger: "bbo" })),
    ...batches(symbols.ticker).map((symbol) => ({
      channel: "ticker",
      symbol,
      ...(assetClass === undefined ? { event_trigger: "trades" } : {}),
    })),
    ...batches(symbols.ohlc).map((symbol) => ({
      channel: "ohlc",
      symbol,
      interval: CANDLE_INTERVAL_MINUTES,
    })),
  ];
  return requests.map((params, index) => {
    const snapshot = method === "subscribe" ? { snapshot: true } : {};
    const market = assetClass === undefined ? {} : { asset_class: assetClass };
    const req_id = options.requestId + index;
    return JSON.stringify({ method, params: { ...market, ...params, ...snapshot }, req_id });
  });
}

function batches(symbols: ReadonlySet<string>): readonly string[][] {
  return batchesOf(symbols, SYMBOLS_PER_FRAME_MAX);
}
