import type { Mantissa } from "@tickwire/proto/model";

/** Levels of one side, best first. */
export type Levels = { readonly prices: readonly Mantissa[]; readonly sizes: readonly Mantissa[] };

/**
 * What turns the levels `before` into those of `now`, at the same scales: levels that are new or
 * have another size, and with size 0 those that are gone. Best first.
 */
export function diffLevels(before: Levels, now: Levels, isBid: boolean): Levels {
  const prices: Mantissa[] = [];
  const sizes: Mantissa[] = [];
  let old = 0;
  let next = 0;
  while (old < before.prices.length || next < now.prices.length) {
    const oldPrice = before.prices[old];
    const nextPrice = now.prices[next];
    if (oldPrice !== undefined && oldPrice === nextPrice) {
      const size = now.sizes[next] as Mantissa;
      if (before.sizes[old] !== size) {
        prices.push(oldPrice);
        sizes.push(size);
      }
      old += 1;
      next += 1;
    } else if (isBefore(oldPrice, nextPrice, isBid)) {
      prices.push(oldPrice as Mantissa);
      sizes.push(0);
      old += 1;
    } else {
      prices.push(nextPrice as Mantissa);
      sizes.push(now.sizes[next] as Mantissa);
      next += 1;
    }
  }
  return { prices, sizes };
}

/** Whether the first price is better; one that is not there is worse than any. */
function isBefore(one: Mantissa | undefined, other: Mantissa | undefined, isBid: boolean): boolean {
  if (one === undefined) return false;
  if (other === undefined) return true;
  return isBid ? one > other : one < other;
}
