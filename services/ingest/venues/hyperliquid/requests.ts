import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../../feed/feed-adapter.ts";

/** What a subscription of the venue is called, by what is published of it. */
const TYPES: Partial<Record<Channel, string>> = {
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

/** What is published of what the venue sends; the first is what damage is told of. */
const CHANNELS: ReadonlyMap<string, readonly [Channel, ...Channel[]]> = new Map([
  ["trades", ["trades"]],
  ["l2Book", ["book"]],
  ["bbo", ["quotes"]],
  ["candle", ["candles"]],
  ["activeAssetCtx", ["ticker", "funding", "mark-price", "open-interest"]],
  // Spot answers under a name of its own to the same subscription.
  ["activeSpotAssetCtx", ["ticker"]],
]);

/** The channels of what the venue calls so. */
export function channelsOfType(type: string | undefined): readonly Channel[] {
  return CHANNELS.get(type ?? "") ?? [];
}

/** Undefined where the instrument does not have the channel. */
export function hyperliquidTypeOf({ instrument, channel }: FeedSubscription): string | undefined {
  const isHad = instrument.kind !== "spot" || !PERPETUAL_CHANNELS.has(channel);
  return isHad ? TYPES[channel] : undefined;
}

/** A frame can hold one subscription. */
export function hyperliquidRequests(
  method: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const frames = new Set<string>();
  for (const wanted of subscriptions) {
    const type = hyperliquidTypeOf(wanted);
    if (type === undefined) continue;
    const interval = type === "candle" ? { interval: "1m" } : {};
    const subscription = { type, coin: wanted.instrument.venueSymbol, ...interval };
    frames.add(JSON.stringify({ method, subscription }));
  }
  return [...frames];
}
