// https://developer.gemini.com/websocket/streams
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../../feed/feed-adapter.ts";
import { namesBySymbol } from "../../reading/names-by-symbol.ts";
import type { Asked } from "../../reading/subscription-answers.ts";

const STREAM_OF: Partial<Record<Channel, string>> = {
  trades: "trade",
  quotes: "bookTicker",
  book: "depth@100ms",
};

/** True for what is streamed; the rest is asked for by REST. */
export function isStreamed({ channel }: FeedSubscription): boolean {
  return STREAM_OF[channel] !== undefined;
}

/**
 * The frames that subscribe or end these channels: one pair a frame, because a refusal is of a
 * whole frame.
 */
export function geminiRequests(
  method: "SUBSCRIBE" | "UNSUBSCRIBE",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const byPair = namesBySymbol(subscriptions, (channel) => STREAM_OF[channel]);
  return [...byPair].map(([pair, streams], index) => {
    const params = [...streams].map((stream) => `${pair}@${stream}`);
    return JSON.stringify({ id: options.requestId + index, method, params });
  });
}

/** What a stream such as `btcusd@trade` is about. */
export function askedOf(stream: string): Asked {
  const at = stream.indexOf("@");
  const channel = channelOf(stream.slice(at + 1));
  return {
    venueSymbol: stream.slice(0, Math.max(0, at)).toLowerCase(),
    channels: channel === undefined ? [] : [channel],
  };
}

function channelOf(name: string): Channel | undefined {
  if (name === "trade") return "trades";
  if (name === "bookTicker") return "quotes";
  return /^depth(@\d+ms)?$/.test(name) ? "book" : undefined;
}
