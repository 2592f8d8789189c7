/** Rows `[price, size]` of both sides of a book. */
type SideRows = { readonly bids: readonly unknown[]; readonly asks: readonly unknown[] };

/**
 * Sorts changes `[side, price, size]`, whose side is `buy` or `sell`, by side. Undefined if the
 * value is no list, or if a change has no side.
 */
export function changesBySide(changes: unknown): SideRows | undefined {
  if (!Array.isArray(changes)) return undefined;
  const bids: unknown[] = [];
  const asks: unknown[] = [];
  for (const change of changes as readonly unknown[]) {
    if (!Array.isArray(change)) return undefined;
    const [side, price, size] = change as readonly unknown[];
    if (side === "buy") bids.push([price, size]);
    else if (side === "sell") asks.push([price, size]);
    else return undefined;
  }
  return { bids, asks };
}
