import { compareIds } from "./trade-fields.ts";

/** What tells which of two trades was the earlier one. */
export type TradeOrder = {
  /** The venue's number of the trade; undefined if it has none or it is no number. */
  readonly id?: string | undefined;
  /** Where trades of several instruments are in one list, each with numbers of its own. */
  readonly series?: unknown;
  /** Anything that grows with time. */
  readonly time?: number | undefined;
};

const COUNTED = /^\d{1,40}$/;

/**
 * The trades of a list, the oldest first, whatever the order in which they came: venues write some
 * lists the other way round, and some partly so. Their numbers tell, else their times; what neither
 * tells apart stays in the order of the list. Where that begins with `either`, it begins with the
 * newest if its first is later than its last.
 */
export function oldestFirst<Item>(
  items: readonly Item[],
  beginsWith: "newest" | "oldest" | "either",
  orderOf: (item: Item) => TradeOrder,
): readonly Item[] {
  if (items.length < 2) return items;
  const orders = items.map(orderOf);
  const ids = orders.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const isCounted = ids.length > 0 && ids.every((id) => COUNTED.test(id));
  // What says nothing of itself goes first: it must not keep the others from being sorted.
  const compare = (a: TradeOrder, b: TradeOrder): number =>
    isCounted ? compareIds(digitsOf(a), digitsOf(b)) : Math.sign((a.time || 0) - (b.time || 0));
  const last = orders.findLast(({ series }) => series === orders[0]!.series)!;
  const isTurned =
    beginsWith === "newest" || (beginsWith === "either" && compare(orders[0]!, last) > 0);
  const indexes = [...orders.keys()];
  if (isTurned) indexes.reverse();
  const places = new Map<unknown, number>();
  for (const index of indexes) {
    const { series } = orders[index]!;
    places.set(series, places.get(series) ?? places.size);
  }
  const placeOf = (index: number): number => places.get(orders[index]!.series)!;
  indexes.sort((a, b) => placeOf(a) - placeOf(b) || compare(orders[a]!, orders[b]!));
  return indexes.map((index) => items[index]!);
}

/** Without the zeros in front, so that the longer number is the larger one. */
function digitsOf({ id = "" }: TradeOrder): string {
  return id.replace(/^0+(?=\d)/, "");
}
