// https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../../feed/feed-adapter.ts";
import { namesBySymbol } from "../../reading/names-by-symbol.ts";

/** What the feed has. */
export const COINBASE_CHANNELS: readonly Channel[] = ["trades", "quotes", "book", "ticker"];

const VENUE_CHANNEL_OF: Partial<Record<Channel, string>> = {
  trades: "matches",
  quotes: "ticker",
  ticker: "ticker",
  book: "level2_batch",
};

/** Names that the venue confirms subscriptions under, and what is published of them. */
export const CHANNELS_OF_NAME: ReadonlyMap<string, readonly Channel[]> = new Map([
  ["matches", ["trades"]],
  ["ticker", ["quotes", "ticker"]],
  ["level2", ["book"]],
  ["level2_batch", ["book"]],
  ["level2_50", ["book"]],
]);

/** The frames that subscribe or end these channels, one for each product. */
export function coinbaseRequests(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const byProduct = namesBySymbol(subscriptions, (channel) => VENUE_CHANNEL_OF[channel]);
  return [...byProduct].map(([product, names]) => {
    // Heartbeats keep coming while single channels are renewed.
    const channels = type === "subscribe" ? [...names, "heartbeat"] : [...names];
    return JSON.stringify({ type, product_ids: [product], channels });
  });
}
