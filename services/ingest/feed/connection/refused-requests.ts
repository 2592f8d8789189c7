import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedAdapter, FeedSubscription } from "../feed-adapter.ts";

/**
 * Groups subscriptions by what the venue is asked for: those that one stream of the venue carries
 * cannot be had apart.
 */
export function streamsOf(
  subscriptions: readonly FeedSubscription[],
  options: { readonly adapter: FeedAdapter; readonly bookDepth: number },
): readonly (readonly FeedSubscription[])[] {
  const { adapter, bookDepth } = options;
  const streams = new Map<string, FeedSubscription[]>();
  for (const subscription of subscriptions) {
    const frames = adapter.subscribeFrames([subscription], { requestId: 0, bookDepth });
    const name = frames.join("\n");
    const stream = streams.get(name) ?? [];
    stream.push(subscription);
    streams.set(name, stream);
  }
  return [...streams.values()];
}

/**
 * The two halves of what was refused together, which are asked for apart so that only the bad one
 * ends; undefined for what cannot be divided, and is therefore itself what the venue refused.
 */
export function halvesOf(
  refused: readonly FeedSubscription[],
  options: { readonly adapter: FeedAdapter; readonly bookDepth: number },
): readonly (readonly FeedSubscription[])[] | undefined {
  const streams = streamsOf(refused, options);
  if (streams.length <= 1) return undefined;
  const middle = Math.ceil(streams.length / 2);
  return [streams.slice(0, middle).flat(), streams.slice(middle).flat()];
}

/** For the log: what was refused, with no more names than a person reads. */
export function namesOf(
  refused: readonly { readonly instrument: Instrument; readonly channel: Channel }[],
): readonly string[] {
  return refused
    .slice(0, NAMES_LOGGED_MAX)
    .map(({ instrument, channel }) => `${channel} ${instrument.venueSymbol}`);
}

const NAMES_LOGGED_MAX = 10;
