import type { ConnectionPlan, FeedSubscription } from "../feed/feed-adapter.ts";
import { planByInstrument } from "./connection-plans.ts";

/**
 * Splits what is wanted over the addresses that serve it, and each of these parts over connections.
 * Left out is what has no address: the venue does not stream it.
 */
export function planByAddress(
  subscriptions: readonly FeedSubscription[],
  addressOf: (subscription: FeedSubscription) => string | undefined,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const byAddress = new Map<string, FeedSubscription[]>();
  for (const subscription of subscriptions) {
    const url = addressOf(subscription);
    if (url === undefined) continue;
    const together = byAddress.get(url);
    if (together === undefined) byAddress.set(url, [subscription]);
    else together.push(subscription);
  }
  return [...byAddress].flatMap(([url, together]) =>
    planByInstrument(together, { url, subscriptionsMax }),
  );
}
