import { formatDecimal, type OrderBook } from "@tickwire/proto/model";

type Level = readonly [price: number, size: number];

/** One side of a book as numbers, the best level first. */
export function levelsOf(book: OrderBook, side: "bids" | "asks"): readonly Level[] {
  const { prices, sizes } = book[side]();
  return prices.map((price, index) => [
    Number(formatDecimal(price, book.priceScale)),
    Number(formatDecimal(sizes[index] ?? 0, book.sizeScale)),
  ]);
}

/** The same of a side that a test keeps as a plain map of sizes by price, to compare with. */
export function plainLevelsOf(
  sizes: ReadonlyMap<string, string> | undefined,
  side: "bids" | "asks",
): readonly Level[] {
  const levels = [...(sizes ?? [])].map(([price, size]): Level => [Number(price), Number(size)]);
  return levels.toSorted(([a], [b]) => (side === "bids" ? b - a : a - b));
}
