import type { Channel } from "#core/instrument.ts";
import type { FeedSubscription } from "../feed/feed-adapter.ts";

/**
 * What the venue calls the wanted channels, each once, by the venue's symbol: for venues that are
 * asked for one instrument a frame. Left out is what the venue has no name for.
 */
export function namesBySymbol(
  subscriptions: readonly FeedSubscription[],
  nameOf: (channel: Channel) => string | undefined,
): ReadonlyMap<string, ReadonlySet<string>> {
  const bySymbol = new Map<string, Set<string>>();
  for (const { instrument, channel } of subscriptions) {
    const name = nameOf(channel);
    if (name === undefined) continue;
    const names = bySymbol.get(instrument.venueSymbol);
    if (names === undefined) bySymbol.set(instrument.venueSymbol, new Set([name]));
    else names.add(name);
  }
  return bySymbol;
}
