import type { BookLevel } from "@tickwire/client";

type Side = "bid" | "ask";

/** One row of the ladder. Sizes are sums of what the row stands for. */
export type LadderRow = {
  readonly priceText: string;
  readonly price: number;
  readonly size: number;
  /** The exact text where the row is a single level. */
  readonly sizeText: string | undefined;
  /** From the best price to this row. */
  readonly total: number;
};

type SideOptions = { readonly step: number; readonly stepText: string; readonly side: Side };

/**
 * Groups levels, best first, by a price step: bids down and asks up, so that no row promises a
 * better price than its levels have. With a step of 0 every level is a row.
 */
export function ladderRows(
  levels: readonly BookLevel[],
  { step, stepText, side }: SideOptions,
  rowsMax: number,
): LadderRow[] {
  const rows: LadderRow[] = [];
  const decimals = stepText.includes(".") ? stepText.length - stepText.indexOf(".") - 1 : 0;
  let total = 0;
  let open: { key: number; size: number; count: number; first: BookLevel } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    total += open.size;
    const grouped = step > 0;
    const price = grouped ? open.key * step : open.first.price;
    rows.push({
      priceText: grouped ? price.toFixed(decimals) : open.first.priceText,
      price,
      size: open.size,
      sizeText: open.count === 1 ? open.first.sizeText : undefined,
      total,
    });
  };
  for (const level of levels) {
    const key = step > 0 ? groupOf(level.price / step, side) : level.price;
    if (open !== undefined && open.key === key) {
      open.size += level.size;
      open.count += 1;
      continue;
    }
    close();
    if (rows.length === rowsMax) return rows;
    open = { key, size: level.size, count: 1, first: level };
  }
  close();
  return rows;
}

/** Which multiple of the step; a quotient that is whole but for its last bits counts as whole. */
export function groupOf(quotient: number, side: Side): number {
  const nearest = Math.round(quotient);
  if (Math.abs(quotient - nearest) < 1e-9 * Math.max(1, Math.abs(nearest))) return nearest;
  return side === "bid" ? Math.floor(quotient) : Math.ceil(quotient);
}

/** Steps that a reader may choose: the increment, and 2, 5, 10, ... times as much of it. */
export function priceSteps(incrementText: string | undefined, price: number): string[] {
  const increment = Number(incrementText);
  if (incrementText === undefined || !(increment > 0)) return [];
  const decimals = incrementText.includes(".") ? incrementText.split(".")[1]!.length : 0;
  const steps = [incrementText];
  for (const factor of [10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000]) {
    const step = increment * factor;
    if (step > price / 20) break;
    steps.push(step.toFixed(Math.max(0, decimals - Math.floor(Math.log10(factor)))));
  }
  return steps;
}

/** The share of the bids in both sides' sizes; undefined for an empty book. */
export function bidShare(
  bids: readonly LadderRow[],
  asks: readonly LadderRow[],
): number | undefined {
  const bid = bids.at(-1)?.total ?? 0;
  const ask = asks.at(-1)?.total ?? 0;
  return bid + ask > 0 ? bid / (bid + ask) : undefined;
}
