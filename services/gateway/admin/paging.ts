import { LargestItems } from "#core/state-page.ts";
import type { StateQuery, StateRows } from "#core/state-page.ts";
import type { TurnLine, Work } from "../turns/turns.ts";

/** Items that are looked at between two looks at the time. */
const LOOKS_PER_STEP = 64;

/** How the items of a list become a page of it. */
type PageOf<Item> = {
  /** In the order of `orderOf`. */
  readonly items: Iterable<Item>;
  /** Rises from item to item, and stays with each. */
  readonly orderOf: (item: Item) => number;
  /** False leaves the item out. */
  readonly matches: (item: Item) => boolean;
  /** The largest come first, and there is one page; undefined keeps the order. */
  readonly sizeOf: ((item: Item) => number) | undefined;
  readonly rowOf: (item: Item) => object;
};

/**
 * One page of a list that may be long: every item is looked at, which takes as many turns as it
 * needs, and rows are made only of those that are shown. Who comes or goes meanwhile may be missed.
 */
export function* pageOf<Item>(
  list: PageOf<Item>,
  { limit, after }: StateQuery,
  line: Pick<TurnLine, "isOver">,
): Work<StateRows> {
  const { items, orderOf, matches, sizeOf, rowOf } = list;
  const largest = new LargestItems<Item>(limit);
  const page: Item[] = [];
  const afterOrder = after === "" ? -1 : Number(after);
  // A place that no page has named.
  if (Number.isNaN(afterOrder)) return { rows: [], next: "" };
  let looks = 0;
  for (const item of items) {
    looks += 1;
    if (looks % LOOKS_PER_STEP === 0 && line.isOver) yield;
    if (orderOf(item) <= afterOrder || !matches(item)) continue;
    if (sizeOf !== undefined) {
      largest.offer(item, sizeOf(item));
    } else if (page.length === limit) {
      return { rows: page.map(rowOf), next: String(orderOf(page.at(-1) as Item)) };
    } else {
      page.push(item);
    }
  }
  return { rows: (sizeOf === undefined ? page : largest.items).map(rowOf), next: "" };
}
