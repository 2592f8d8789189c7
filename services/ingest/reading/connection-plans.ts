import type { ConnectionPlan, FeedSubscription } from "../feed/feed-adapter.ts";
import { groupBy } from "./groups.ts";

/**
 * Splits what is wanted over connections of at most `subscriptionsMax`, keeping the channels of an
 * instrument together, since some venues answer them with one message.
 */
export function planByInstrument(
  subscriptions: readonly FeedSubscription[],
  { url, subscriptionsMax }: { readonly url: string; readonly subscriptionsMax: number },
): readonly ConnectionPlan[] {
  const plans: FeedSubscription[][] = [];
  for (const together of groupBy(subscriptions, ({ instrument }) => instrument).values()) {
    const last = plans.at(-1);
    if (last !== undefined && last.length + together.length <= subscriptionsMax) {
      last.push(...together);
    } else {
      plans.push(together);
    }
  }
  return plans.map((planned) => ({ url, subscriptions: planned }));
}
