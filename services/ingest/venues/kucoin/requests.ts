import type { FeedSubscribeOptions, FeedSubscription } from "../../feed/feed-adapter.ts";
import type { Channel } from "#core/instrument.ts";

/** The topic of one channel of one instrument; undefined for what the venue does not have. */
type TopicOf = (channel: Channel, venueSymbol: string) => string | undefined;

/**
 * A request for each pair and channel: one topic may name a hundred pairs, but a bad one among them
 * would cost the others their subscription.
 */
export function kucoinRequests(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
  topicOf: TopicOf,
): readonly string[] {
  const topics = new Set(
    subscriptions.map(({ instrument, channel }) => topicOf(channel, instrument.venueSymbol)),
  );
  topics.delete(undefined);
  return Array.from(topics, (topic, index) => {
    const id = String(requestId + index);
    return JSON.stringify({ id, type, topic, privateChannel: false, response: true });
  });
}
