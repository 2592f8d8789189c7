import type { Watched } from "../feed/connection/watched-subscription.ts";
import type { MeasuredVenue, SubscriptionHealth } from "../metrics.ts";

/** In words that an operator can act on. */
export function healthOf(watched: Watched, nowUs: number): SubscriptionHealth {
  const { instrument, channel } = watched.subscription;
  const { state } = watched;
  return { symbol: instrument.symbol, channel, state, trouble: troubleOf(watched, nowUs) };
}

/** The venues of whose subscriptions fewer than half are served, as reasons not to be ready. */
export function unservedVenues(
  venues: readonly Pick<MeasuredVenue, "venue" | "subscriptions">[],
): string[] {
  return venues.flatMap(({ venue, subscriptions }) => {
    const served = subscriptions.filter(({ trouble }) => trouble === "").length;
    if (served * 2 >= subscriptions.length) return [];
    return [`${venue}: ${served} of ${subscriptions.length} subscriptions served`];
  });
}

function troubleOf(watched: Watched, nowUs: number): string {
  const { state, asks, recoveries, refusal, refusals, isProvenDead, lastDataUs } = watched;
  const anew = times(recoveries);
  const silence = `${Math.round((nowUs - lastDataUs) / 1e6)} s`;
  switch (state) {
    case "live":
    case "doubted":
      return "";
    case "pending":
      return asks === 0
        ? "the venue has not answered the subscription yet"
        : `the venue does not answer the subscription; asked for ${asks + 1} times`;
    case "acknowledged":
      return recoveries === 0
        ? "confirmed by the venue; its first data is awaited"
        : `confirmed by the venue, which sends nothing of it; asked for anew ${anew}`;
    case "unserved":
      return asks > 0
        ? `the venue does not answer the subscription; asked for ${asks + 1} times`
        : `confirmed by the venue, which sends nothing of it; asked for anew ${anew}`;
    case "stale":
      return isProvenDead
        ? `silent for ${silence}, though the venue's REST has news; asked for anew ${anew}`
        : `silent for ${silence}, asked for anew ${anew}`;
    case "waiting":
      return `refused for the moment (${refusal}), ${times(refusals)}; it is asked for again`;
    case "refused":
      return `refused by the venue (${refusal}); see whether it still lists the instrument`;
    case "down":
      return "there is no connection to the venue";
  }
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
