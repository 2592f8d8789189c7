// https://docs.kraken.com/exchange/api-reference/futures-websocket
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../../../feed/feed-adapter.ts";

/** What is published of each feed. */
const CHANNELS_OF: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["book", ["book"]],
  ["trade", ["trades", "liquidations"]],
  ["ticker", ["quotes", "ticker", "mark-price", "funding", "open-interest"]],
]);

const NONE: readonly never[] = [];

/** What is published of a feed; nothing of one that is not known. */
export function channelsOfFeed(feed: string): readonly Channel[] {
  return CHANNELS_OF.get(feed) ?? NONE;
}

/** Dated contracts have no funding. */
export function isOffered({ instrument, channel }: FeedSubscription): boolean {
  return channel !== "funding" || instrument.kind === "perpetual";
}

/** One contract a frame, because a refusal is of a whole frame. */
export function krakenFuturesFrames(
  event: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const texts = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const feed = feedOf(channel);
    if (feed === undefined) continue;
    texts.add(JSON.stringify({ event, feed, product_ids: [instrument.venueSymbol] }));
  }
  return [...texts];
}

function feedOf(channel: Channel): string | undefined {
  return [...CHANNELS_OF.keys()].find((feed) => channelsOfFeed(feed).includes(channel));
}
