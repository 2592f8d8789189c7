// https://docs.kraken.com/exchange/api-reference/spot-websocket-v1/subscribe
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../../../feed/feed-adapter.ts";
import { nearestBookDepth } from "../book.ts";

const PAIRS_PER_FRAME_MAX = 100;
const CANDLE_INTERVAL_MINUTES = 1;

/** The venue's channels. */
type KrakenV1Stream = "trade" | "spread" | "book" | "ticker" | "ohlc";

/** What is published of each. Ticker also gives quotes where no spread channel does. */
export const CHANNEL_OF_STREAM: ReadonlyMap<unknown, Channel> = new Map<KrakenV1Stream, Channel>([
  ["trade", "trades"],
  ["spread", "quotes"],
  ["book", "book"],
  ["ticker", "ticker"],
  ["ohlc", "candles"],
]);

const STREAM_OF_CHANNEL: ReadonlyMap<Channel, KrakenV1Stream> = new Map<Channel, KrakenV1Stream>([
  ["trades", "trade"],
  ["quotes", "spread"],
  ["book", "book"],
  ["ticker", "ticker"],
  ["candles", "ohlc"],
]);

/** The requests that subscribe or end these channels, numbered on from `requestId`. */
export function krakenV1Requests(
  event: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const pairs = new Map<KrakenV1Stream, string[]>();
  for (const { instrument, channel } of subscriptions) {
    const name = STREAM_OF_CHANNEL.get(channel);
    if (name === undefined) continue;
    const wanted = pairs.get(name);
    if (wanted === undefined) pairs.set(name, [instrument.venueSymbol]);
    else wanted.push(instrument.venueSymbol);
  }
  const result: string[] = [];
  for (const [name, wanted] of pairs) {
    const subscription = {
      name,
      ...(name === "book" ? { depth: nearestBookDepth(options.bookDepth) } : {}),
      ...(name === "ohlc" ? { interval: CANDLE_INTERVAL_MINUTES } : {}),
    };
    for (let start = 0; start < wanted.length; start += PAIRS_PER_FRAME_MAX) {
      const pair = wanted.slice(start, start + PAIRS_PER_FRAME_MAX);
      const reqid = options.requestId + result.length;
      result.push(JSON.stringify({ event, reqid, pair, subscription }));
    }
  }
  return result;
}
