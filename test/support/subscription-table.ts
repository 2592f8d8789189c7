import { SubscriptionTable } from "#gateway/session/topic-subscription.ts";

const nobody = { inc() {}, dec() {} };

/** A table of at most `rowsMax` rows, for which there is as much room as `counted` says. */
export function subscriptionTable(
  rowsMax = 1_000_000,
  counted: { inc(by: number): void; dec(by: number): void } = nobody,
): SubscriptionTable {
  return new SubscriptionTable({ metrics: { subscriptionRows: counted } as never, rowsMax });
}
