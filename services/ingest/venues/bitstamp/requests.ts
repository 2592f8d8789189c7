// https://www.bitstamp.net/websocket/v2/
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../../feed/feed-adapter.ts";

/** The venue's channel of each that it streams. */
const STREAMS: Partial<Record<Channel, string>> = {
  trades: "live_trades",
  book: "diff_order_book",
  funding: "funding_rate",
  "mark-price": "funding_rate",
};

const PERPETUALS_ONLY: ReadonlySet<Channel> = new Set(["funding", "mark-price", "open-interest"]);

/** What is published of each of the venue's channels, which are named `CHANNEL_MARKET`. */
const CHANNELS_OF: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["diff_order_book", ["book"]],
  ["live_trades", ["trades"]],
  ["funding_rate", ["funding", "mark-price"]],
]);

const NONE: readonly never[] = [];

/** What is published of a channel of the venue; nothing of one that is not known. */
export function channelsOfStream(stream: string): readonly Channel[] {
  return CHANNELS_OF.get(stream) ?? NONE;
}

/** `diff_order_book_btcusd-perp` in its two parts. */
export function splitChannel(name: string): {
  readonly stream: string;
  readonly venueSymbol: string;
} {
  const cut = name.lastIndexOf("_");
  return { stream: name.slice(0, Math.max(0, cut)), venueSymbol: name.slice(cut + 1) };
}

/** True for what comes over a connection, rather than by REST or not at all. */
export function isStreamed({ instrument, channel }: FeedSubscription): boolean {
  if (STREAMS[channel] === undefined) return false;
  return instrument.kind === "perpetual" || !PERPETUALS_ONLY.has(channel);
}

/** One frame a channel, for the venue takes no list; each well below its limit of 512 bytes. */
export function bitstampFrames(
  event: string,
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const channels = new Set<string>();
  for (const subscription of subscriptions) {
    if (!isStreamed(subscription)) continue;
    const { instrument, channel } = subscription;
    channels.add(`${STREAMS[channel]}_${instrument.venueSymbol.toLowerCase()}`);
  }
  return [...channels].map((channel) => JSON.stringify({ event, data: { channel } }));
}
