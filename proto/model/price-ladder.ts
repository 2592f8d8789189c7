import { rescaleMantissa, type Mantissa } from "./decimal.ts";

/** One side of a book: what is bid for, or what is asked. */
export type BookSide = "bid" | "ask";

/** Levels in columns: price i and size i belong together. */
export type LevelColumns = {
  readonly prices: readonly Mantissa[];
  readonly sizes: readonly Mantissa[];
};

/** Levels in columns that belong to the caller. */
export type OwnedLevelColumns = { readonly prices: Mantissa[]; readonly sizes: Mantissa[] };

/** One price of a book, and the size that stands there. */
export type Level = { readonly price: Mantissa; readonly size: Mantissa };

/** One side of a book: prices with absolute sizes, in order. */
export type Ladder = {
  readonly side: BookSide;
  readonly count: number;
  /** Sets the size of a level; 0 removes it. Removing what is not there does nothing. */
  set(price: Mantissa, size: Mantissa): void;
  /**
   * Replaces everything. Best first is fast; any order is right, and of equal prices the last one
   * counts. Levels of size 0 are left out.
   */
  replace(columns: LevelColumns): void;
  clear(): void;
  /** 0 if there is no such level. */
  sizeAt(price: Mantissa): Mantissa;
  best(): Level | undefined;
  bestPrice(): Mantissa | undefined;
  /** Copies of the best `depth` levels (all without it), best first. */
  levels(depth?: number): OwnedLevelColumns;
  /**
   * Keeps the best `depth` levels; returns the removed prices, worst first (a shared array if
   * none).
   */
  truncate(depth: number): readonly Mantissa[];
  /** Multiplies prices or sizes by powers of ten, as the book's scales grow. */
  rescale(growth: { readonly price: number; readonly size: number }): void;
};

const NONE: Mantissa[] = [];

/** Moves this near to the best end are done element by element; further out the built-in wins. */
const SHIFT_BY_HAND_MAX = 24;

/**
 * One side of a book as a sorted list. The best level stands at the end of the arrays, because most
 * changes happen near it and then move few elements.
 */
export class PriceLadder implements Ladder {
  readonly side: BookSide;
  readonly #prices: Mantissa[] = [];
  readonly #sizes: Mantissa[] = [];

  constructor(side: BookSide) {
    this.side = side;
  }

  get count(): number {
    return this.#prices.length;
  }

  set(price: Mantissa, size: Mantissa): void {
    const prices = this.#prices;
    const index = this.#find(price);
    if (index < prices.length && prices[index] === price) {
      if (size !== 0) this.#sizes[index] = size;
      else removeAt(prices, this.#sizes, index);
    } else if (size !== 0) {
      insertAt(prices, index, price);
      insertAt(this.#sizes, index, size);
    }
  }

  replace(columns: LevelColumns): void {
    this.clear();
    const { prices, sizes } = columns;
    let previous: Mantissa | undefined;
    for (let index = prices.length - 1; index >= 0; index--) {
      const price = prices[index]!;
      if (previous !== undefined && !this.#isBetter(price, previous)) {
        this.#replaceUnsorted(columns);
        return;
      }
      previous = price;
      if (sizes[index] === 0) continue;
      this.#prices.push(price);
      this.#sizes.push(sizes[index]!);
    }
  }

  clear(): void {
    this.#prices.length = 0;
    this.#sizes.length = 0;
  }

  sizeAt(price: Mantissa): Mantissa {
    const index = this.#find(price);
    return this.#prices[index] === price ? this.#sizes[index]! : 0;
  }

  best(): Level | undefined {
    const last = this.#prices.length - 1;
    return last < 0 ? undefined : { price: this.#prices[last]!, size: this.#sizes[last]! };
  }

  bestPrice(): Mantissa | undefined {
    return this.#prices[this.#prices.length - 1];
  }

  levels(depth: number = this.#prices.length): OwnedLevelColumns {
    const count = Math.min(Math.max(depth, 0), this.#prices.length);
    const end = this.#prices.length - 1;
    const prices: Mantissa[] = [];
    const sizes: Mantissa[] = [];
    for (let index = 0; index < count; index++) {
      prices.push(this.#prices[end - index]!);
      sizes.push(this.#sizes[end - index]!);
    }
    return { prices, sizes };
  }

  truncate(depth: number): readonly Mantissa[] {
    const excess = this.#prices.length - depth;
    if (excess <= 0) return NONE;
    this.#sizes.splice(0, excess);
    return this.#prices.splice(0, excess);
  }

  rescale(growth: { readonly price: number; readonly size: number }): void {
    if (growth.price > 0) rescaleAll(this.#prices, growth.price);
    if (growth.size > 0) rescaleAll(this.#sizes, growth.size);
  }

  #isBetter(price: Mantissa, than: Mantissa): boolean {
    return this.side === "bid" ? price > than : price < than;
  }

  #replaceUnsorted({ prices, sizes }: LevelColumns): void {
    this.clear();
    for (let index = 0; index < prices.length; index++) this.set(prices[index]!, sizes[index]!);
  }

  /** Where the price is, or where it belongs: the first index whose price is not worse. */
  #find(price: Mantissa): number {
    const prices = this.#prices;
    let low = 0;
    let high = prices.length;
    if (this.side === "bid") {
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (prices[middle]! < price) low = middle + 1;
        else high = middle;
      }
    } else {
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (prices[middle]! > price) low = middle + 1;
        else high = middle;
      }
    }
    return low;
  }
}

function insertAt(values: Mantissa[], index: number, value: Mantissa): void {
  const length = values.length;
  if (length - index > SHIFT_BY_HAND_MAX) {
    values.splice(index, 0, value);
    return;
  }
  values.push(value);
  for (let at = length; at > index; at--) values[at] = values[at - 1]!;
  values[index] = value;
}

function removeAt(prices: Mantissa[], sizes: Mantissa[], index: number): void {
  const last = prices.length - 1;
  if (last - index > SHIFT_BY_HAND_MAX) {
    prices.splice(index, 1);
    sizes.splice(index, 1);
    return;
  }
  for (let at = index; at < last; at++) {
    prices[at] = prices[at + 1]!;
    sizes[at] = sizes[at + 1]!;
  }
  prices.pop();
  sizes.pop();
}

function rescaleAll(values: Mantissa[], growth: number): void {
  for (let index = 0; index < values.length; index++) {
    values[index] = rescaleMantissa(values[index]!, 0, growth);
  }
}
