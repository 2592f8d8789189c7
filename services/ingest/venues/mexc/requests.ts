import type { FeedSubscribeOptions, FeedSubscription } from "../../feed/feed-adapter.ts";
import { streamOf } from "./fields.ts";

/** A stream a frame, so that one that the venue does not have costs the others nothing. */
export function mexcRequests(
  method: "SUBSCRIPTION" | "UNSUBSCRIPTION",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  const streams = new Set(
    subscriptions.map(({ instrument, channel }) => streamOf(channel, instrument.venueSymbol)),
  );
  streams.delete(undefined);
  return Array.from(streams, (stream, index) =>
    JSON.stringify({ method, params: [stream], id: requestId + index }),
  );
}
