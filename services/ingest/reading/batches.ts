/** The items in order, cut into lists of at most `itemsMax`, for requests that take no more. */
export function batchesOf<Item>(items: Iterable<Item>, itemsMax: number): readonly Item[][] {
  const batches: Item[][] = [];
  for (const item of items) {
    const last = batches.at(-1);
    if (last !== undefined && last.length < itemsMax) last.push(item);
    else batches.push([item]);
  }
  return batches;
}
