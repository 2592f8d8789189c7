import type { ConnectionPlan, FeedSubscription } from "../feed/feed-adapter.ts";
import { planByInstrument } from "./connection-plans.ts";
import { groupBy } from "./groups.ts";

/**
 * Splits what is wanted over the addresses that serve it, and each of these parts over connections.
 * Left out is what has no address: the venue does not stream it.
 */
export function planByAddress(
  subscriptions: readonly FeedSubscription[],
  addressOf: (subscription: FeedSubscription) => string | undefined,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  return [...groupBy(subscriptions, addressOf)].flatMap(([url, together]) =>
    url === undefined ? [] : planByInstrument(together, { url, subscriptionsMax }),
  );
}
