import { canonicalDecimal, formatDecimal } from "@tickwire/proto/model";
import type { OrderBook } from "@tickwire/proto/model";

/** A level as a venue writes it. */
export type LevelText = readonly [price: string, size: string];

/**
 * The best levels of both sides as one text, which is equal for equal books however the numbers
 * are written. Levels come in any order; undefined if one of them is no number.
 */
export function levelsTextOf(
  { bids, asks }: { readonly bids: readonly LevelText[]; readonly asks: readonly LevelText[] },
  levelsMax: number,
): string | undefined {
  const bid = sideText(bids, -1, levelsMax);
  const ask = sideText(asks, 1, levelsMax);
  return bid === undefined || ask === undefined ? undefined : `${bid} / ${ask}`;
}

/** The same of a book that we publish. */
export function levelsTextOfBook(book: OrderBook, levelsMax: number): string {
  const side = ({ prices, sizes }: ReturnType<OrderBook["bids"]>): string =>
    prices
      .map((price, index) => {
        const size = sizes[index] ?? 0;
        return `${formatDecimal(price, book.priceScale)} ${formatDecimal(size, book.sizeScale)}`;
      })
      .join(", ");
  return `${side(book.bids(levelsMax))} / ${side(book.asks(levelsMax))}`;
}

function sideText(
  levels: readonly LevelText[],
  direction: 1 | -1,
  levelsMax: number,
): string | undefined {
  if (levels.some((level) => !level.every((text) => PLAIN.test(text)))) return undefined;
  return levels
    .filter(([, size]) => Number(size) !== 0)
    .toSorted(([a], [b]) => (Number(a) - Number(b)) * direction)
    .slice(0, levelsMax)
    .map(([price, size]) => `${canonicalDecimal(price)} ${canonicalDecimal(size)}`)
    .join(", ");
}

const PLAIN = /^-?\d{1,40}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,2})?$/;
