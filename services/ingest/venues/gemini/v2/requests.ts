// https://docs.gemini.com/websocket-api/#market-data-version-2
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../../../feed/feed-adapter.ts";
import { namesBySymbol } from "../../../reading/names-by-symbol.ts";

/** What the venue calls the subscription that a channel comes with. */
const FEED_OF: Partial<Record<Channel, string>> = {
  trades: "l2",
  book: "l2",
  candles: "candles_1m",
  "mark-price": "mark_price",
};

/** Only perpetuals have a mark price, and open interest is polled. */
export function isStreamed({ instrument, channel }: FeedSubscription): boolean {
  if (FEED_OF[channel] === undefined) return false;
  return channel !== "mark-price" || instrument.kind === "perpetual";
}

/**
 * The frames that subscribe or end these channels: one pair a frame, because a refusal is of a
 * whole frame.
 */
export function geminiV2Requests(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const byPair = namesBySymbol(subscriptions.filter(isStreamed), (channel) => FEED_OF[channel]);
  return [...byPair].map(([pair, names]) => {
    const list = [...names].map((name) => ({ name, symbols: [pair] }));
    return JSON.stringify({ type, subscriptions: list });
  });
}
