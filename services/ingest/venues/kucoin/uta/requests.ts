// https://www.kucoin.com/docs-new/3470221w0
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../../../feed/feed-adapter.ts";

/** What a channel is asked for by. */
type UtaChannel = { readonly channel: string; readonly [option: string]: string };

const TICKER: UtaChannel = { channel: "ticker" };

const UTA_CHANNELS: Partial<Record<Channel, UtaChannel>> = {
  trades: { channel: "trade" },
  quotes: TICKER,
  ticker: TICKER,
  book: { channel: "obu", depth: "increment@10ms" },
  candles: { channel: "kline", interval: "1min" },
};

/** What is published of the venue's channels. */
const PUBLISHED: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["trade", ["trades"]],
  ["ticker", ["quotes", "ticker"]],
  ["obu", ["book"]],
  ["kline", ["candles"]],
]);

/** Undefined for what the venue does not have. */
export function utaChannelOf(channel: Channel): UtaChannel | undefined {
  return UTA_CHANNELS[channel];
}

/** What is published of a channel of the venue; nothing of one that is not known. */
export function publishedOfUta(channel: string): readonly Channel[] {
  return PUBLISHED.get(channel) ?? [];
}

/** A request for each pair and channel: an answer names the request alone. */
export function kucoinUtaRequests(
  action: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  const requests = new Map<string, object>();
  for (const { instrument, channel } of subscriptions) {
    const named = utaChannelOf(channel);
    if (named === undefined) continue;
    const symbol = instrument.venueSymbol;
    requests.set(`${named.channel} ${symbol}`, { ...named, tradeType: "SPOT", symbol });
  }
  return Array.from(requests.values(), (request, index) =>
    JSON.stringify({ id: String(requestId + index), action, ...request }),
  );
}
