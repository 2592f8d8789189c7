// https://mexcdevelop.github.io/apidocs/contract_v1_en/#public-channels
import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../../../feed/feed-adapter.ts";

/** What is published of a subscription of the venue. */
type FuturesChannel = Extract<
  Channel,
  "book" | "candles" | "funding" | "mark-price" | "open-interest" | "ticker" | "trades"
>;

/** The first is what a fault is told of. */
const CHANNELS: ReadonlyMap<string, readonly FuturesChannel[]> = new Map<
  string,
  readonly FuturesChannel[]
>([
  ["deal", ["trades"]],
  ["depth", ["book"]],
  ["kline", ["candles"]],
  ["ticker", ["ticker", "mark-price", "open-interest"]],
  ["funding.rate", ["funding"]],
]);

const CANDLES = "Min1";

/** What is published of one of the venue's topics; nothing if it is none that is read. */
export function channelsOfTopic(topic: string): readonly FuturesChannel[] {
  return CHANNELS.get(topic) ?? [];
}

/** The topic that has a channel; undefined if none has. */
export function topicOf(channel: Channel): string | undefined {
  for (const [topic, channels] of CHANNELS) {
    if (channels.some((each) => each === channel)) return topic;
  }
  return undefined;
}

/** True for the length of the candles that are asked for. */
export function isPublishedLength(interval: string | undefined): boolean {
  return interval === undefined || interval === CANDLES;
}

/** A topic and a contract each. */
export function mexcFuturesRequests(
  verb: "sub" | "unsub",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const frames = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const topic = topicOf(channel);
    if (topic === undefined) continue;
    const { venueSymbol: symbol } = instrument;
    const more = verb === "sub" ? PARAMETERS.get(topic) : undefined;
    frames.add(JSON.stringify({ method: `${verb}.${topic}`, param: { symbol, ...more } }));
  }
  return [...frames];
}

/** What is asked for beside the contract. */
const PARAMETERS: ReadonlyMap<string, object> = new Map<string, object>([
  // Without this it may be one message for each level that changes: thousands a second.
  ["depth", { compress: true }],
  ["kline", { interval: CANDLES }],
]);
