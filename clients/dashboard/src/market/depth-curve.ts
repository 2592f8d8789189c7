import type { BookLevel } from "@tickwire/client";

/** A point of the curve: up to this price so much stands in the book. */
export type DepthPoint = { readonly price: number; readonly total: number };

export type DepthCurve = {
  readonly bids: readonly DepthPoint[];
  readonly asks: readonly DepthPoint[];
  readonly middle: number;
  /** Prices shown on each side of the middle. */
  readonly reach: number;
  /** The largest total shown. */
  readonly total: number;
};

/**
 * What stands within a share of the middle price, or as far as the book goes if that is less;
 * undefined unless both sides have levels.
 */
export function depthCurve(
  bids: readonly BookLevel[],
  asks: readonly BookLevel[],
  share: number,
): DepthCurve | undefined {
  const [bid, ask] = [bids[0], asks[0]];
  if (bid === undefined || ask === undefined) return undefined;
  const middle = (bid.price + ask.price) / 2;
  const farthest = [bids, asks].map((levels) => Math.abs((levels.at(-1)?.price ?? 0) - middle));
  const reach = Math.min(Math.abs(middle) * share, Math.max(...farthest) * 1.02);
  const curves = [bids, asks].map((levels) => {
    const points: DepthPoint[] = [];
    let total = 0;
    for (const { price, size } of levels) {
      if (Math.abs(price - middle) > reach) break;
      total += size;
      points.push({ price, total });
    }
    return points;
  });
  const [bidPoints = [], askPoints = []] = curves;
  const total = Math.max(bidPoints.at(-1)?.total ?? 0, askPoints.at(-1)?.total ?? 0);
  return { bids: bidPoints, asks: askPoints, middle, reach, total };
}
