// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../../../feed/feed-adapter.ts";

const VENUE_CHANNEL_OF: Partial<Record<Channel, string>> = {
  trades: "market_trades",
  quotes: "ticker",
  book: "level2",
  ticker: "ticker",
  candles: "candles",
};

/** What is published of a channel, under the name that subscriptions have. */
export const CHANNELS_OF_NAME: ReadonlyMap<string, readonly Channel[]> = new Map([
  ["level2", ["book"]],
  ["market_trades", ["trades"]],
  ["ticker", ["quotes", "ticker"]],
  ["candles", ["candles"]],
]);

/**
 * The frames that subscribe or end these channels: one product a frame, because a refusal is of a
 * whole frame.
 */
export function advancedRequests(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const texts = new Set<string>();
  for (const { instrument, channel: wanted } of subscriptions) {
    const channel = VENUE_CHANNEL_OF[wanted];
    if (channel === undefined) continue;
    texts.add(JSON.stringify({ type, product_ids: [instrument.venueSymbol], channel }));
  }
  return [...texts];
}
