import { PriceLadder } from "@tickwire/proto/model";
import type {
  BookSide,
  Ladder,
  Level,
  LevelColumns,
  Mantissa,
  OwnedLevelColumns,
} from "@tickwire/proto/model";
import { assert } from "./assert.ts";
import type { TickLevels } from "./tick-levels.ts";

/** Room for so many levels at first. */
const LEVELS_MIN = 16;
/** More room than for so many is given back when all levels go. */
const LEVELS_KEPT_MAX = 64;
/** Moves this near to the best end are done element by element; further out the built-in wins. */
const SHIFT_BY_HAND_MAX = 24;

/**
 * One side of a book as a sorted list of doubles, the best level at the end, because most changes
 * happen near it and then move few of them. A side with a number that a double does not hold is a
 * `PriceLadder` until its levels are replaced.
 *
 * Invariant: while there is a list of large numbers, the columns have no level.
 */
export class SortedLadder implements Ladder {
  readonly side: BookSide;
  readonly #sign: 1 | -1;
  #prices = new Float64Array(LEVELS_MIN);
  #sizes = new Float64Array(LEVELS_MIN);
  #count = 0;
  #large: PriceLadder | undefined;

  constructor(side: BookSide) {
    this.side = side;
    this.#sign = side === "bid" ? 1 : -1;
  }

  get count(): number {
    return this.#large === undefined ? this.#count : this.#large.count;
  }

  set(price: Mantissa, size: Mantissa): void {
    const large = this.#largeFor(price, size);
    if (large === undefined) this.#set(price as number, size as number);
    else large.set(price, size);
  }

  /** Sets levels of a column from one index to before another. */
  setAll({ prices, sizes }: TickLevels, from: number, to: number): void {
    const large = this.#large;
    for (let index = from; index < to; index += 1) {
      if (large === undefined) this.#set(prices[index]!, sizes[index]!);
      else large.set(prices[index]!, sizes[index]!);
    }
  }

  replace(columns: LevelColumns): void {
    this.clear();
    const { prices, sizes } = columns;
    const { length } = prices;
    this.#reserve(length);
    let count = 0;
    let previous = Number.NEGATIVE_INFINITY;
    for (let index = length - 1; index >= 0; index -= 1) {
      const price = prices[index]!;
      const size = sizes[index]!;
      if (typeof price !== "number" || typeof size !== "number") {
        this.clear();
        this.#large = new PriceLadder(this.side);
        this.#large.replace(columns);
        return;
      }
      // Rises towards the best.
      const key = price * this.#sign;
      if (!(key > previous)) {
        this.#replaceUnsorted(columns);
        return;
      }
      previous = key;
      if (size === 0) continue;
      this.#prices[count] = price;
      this.#sizes[count] = size;
      count += 1;
    }
    this.#count = count;
  }

  clear(): void {
    this.#count = 0;
    this.#large = undefined;
    if (this.#prices.length <= LEVELS_KEPT_MAX) return;
    this.#prices = new Float64Array(LEVELS_MIN);
    this.#sizes = new Float64Array(LEVELS_MIN);
  }

  sizeAt(price: Mantissa): Mantissa {
    if (this.#large !== undefined) return this.#large.sizeAt(price);
    if (typeof price !== "number") return 0;
    const index = this.#find(price);
    return index < this.#count && this.#prices[index] === price ? this.#sizes[index]! : 0;
  }

  best(): Level | undefined {
    if (this.#large !== undefined) return this.#large.best();
    const last = this.#count - 1;
    return last < 0 ? undefined : { price: this.#prices[last]!, size: this.#sizes[last]! };
  }

  bestPrice(): Mantissa | undefined {
    if (this.#large !== undefined) return this.#large.bestPrice();
    return this.#count === 0 ? undefined : this.#prices[this.#count - 1];
  }

  /** The best price as a number; NaN if there is none, or if a double does not hold all levels. */
  get bestNumber(): number {
    const last = this.#count - 1;
    return last < 0 ? Number.NaN : this.#prices[last]!;
  }

  levels(depth: number = this.count): OwnedLevelColumns {
    if (this.#large !== undefined) return this.#large.levels(depth);
    const count = Math.min(Math.max(depth, 0), this.#count);
    const end = this.#count - 1;
    const prices: Mantissa[] = [];
    const sizes: Mantissa[] = [];
    for (let index = 0; index < count; index += 1) {
      prices.push(this.#prices[end - index]!);
      sizes.push(this.#sizes[end - index]!);
    }
    return { prices, sizes };
  }

  /** See `BestLevels`. */
  readBest(depth: number, prices: Float64Array, sizes: Float64Array): number {
    if (this.#large !== undefined) return -1;
    const count = Math.min(depth, this.#count);
    const end = this.#count - 1;
    for (let index = 0; index < count; index += 1) {
      prices[index] = this.#prices[end - index]!;
      sizes[index] = this.#sizes[end - index]!;
    }
    return count;
  }

  truncate(depth: number): readonly Mantissa[] {
    if (this.#large !== undefined) return this.#large.truncate(depth);
    const excess = this.#count - depth;
    if (excess <= 0) return NONE;
    const gone: Mantissa[] = [];
    for (let index = 0; index < excess; index += 1) gone.push(this.#prices[index]!);
    this.#prices.copyWithin(0, excess, this.#count);
    this.#sizes.copyWithin(0, excess, this.#count);
    this.#count = depth;
    return gone;
  }

  rescale(growth: { readonly price: number; readonly size: number }): void {
    const pricePower = 10 ** growth.price;
    const sizePower = 10 ** growth.size;
    if (this.#large === undefined && !this.#fits(pricePower, sizePower)) this.#becomeLarge();
    if (this.#large !== undefined) {
      this.#large.rescale(growth);
      return;
    }
    for (let index = 0; index < this.#count; index += 1) {
      this.#prices[index] = this.#prices[index]! * pricePower;
      this.#sizes[index] = this.#sizes[index]! * sizePower;
    }
  }

  #set(price: number, size: number): void {
    const index = this.#find(price);
    if (index < this.#count && this.#prices[index] === price) {
      if (size !== 0) this.#sizes[index] = size;
      else this.#removeAt(index);
    } else if (size !== 0) {
      this.#insertAt(index, price, size);
    }
  }

  /** The list that has to take these numbers; undefined if the columns can. */
  #largeFor(price: Mantissa, size: Mantissa): PriceLadder | undefined {
    const isPlain = typeof price === "number" && typeof size === "number";
    if (this.#large === undefined && !isPlain) this.#becomeLarge();
    return this.#large;
  }

  #becomeLarge(): void {
    assert(this.#large === undefined, "a list of large numbers is made once");
    const large = new PriceLadder(this.side);
    large.replace(this.levels());
    this.clear();
    this.#large = large;
  }

  #replaceUnsorted({ prices, sizes }: LevelColumns): void {
    this.clear();
    for (let index = 0; index < prices.length; index += 1) this.set(prices[index]!, sizes[index]!);
  }

  #fits(pricePower: number, sizePower: number): boolean {
    for (let index = 0; index < this.#count; index += 1) {
      if (!Number.isSafeInteger(this.#prices[index]! * pricePower)) return false;
      if (!Number.isSafeInteger(this.#sizes[index]! * sizePower)) return false;
    }
    return true;
  }

  /**
   * Where the price is, or where it belongs: the first index whose price is not worse. It is looked
   * for in longer and longer steps from the best on, near which it mostly is.
   */
  #find(price: number): number {
    const prices = this.#prices;
    const sign = this.#sign;
    let high = this.#count;
    let low = high - 1;
    let step = 1;
    while (low >= 0 && (prices[low]! - price) * sign >= 0) {
      high = low;
      low -= step;
      step *= 2;
    }
    low = low < 0 ? 0 : low + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((prices[middle]! - price) * sign < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insertAt(index: number, price: number, size: number): void {
    const count = this.#count;
    this.#reserve(count + 1);
    const prices = this.#prices;
    const sizes = this.#sizes;
    if (count - index > SHIFT_BY_HAND_MAX) {
      prices.copyWithin(index + 1, index, count);
      sizes.copyWithin(index + 1, index, count);
    } else {
      for (let at = count; at > index; at -= 1) {
        prices[at] = prices[at - 1]!;
        sizes[at] = sizes[at - 1]!;
      }
    }
    prices[index] = price;
    sizes[index] = size;
    this.#count = count + 1;
  }

  #removeAt(index: number): void {
    const last = this.#count - 1;
    const prices = this.#prices;
    const sizes = this.#sizes;
    if (last - index > SHIFT_BY_HAND_MAX) {
      prices.copyWithin(index, index + 1, last + 1);
      sizes.copyWithin(index, index + 1, last + 1);
    } else {
      for (let at = index; at < last; at += 1) {
        prices[at] = prices[at + 1]!;
        sizes[at] = sizes[at + 1]!;
      }
    }
    this.#count = last;
  }

  #reserve(count: number): void {
    if (count <= this.#prices.length) return;
    const room = Math.max(count, 2 * this.#prices.length);
    const prices = new Float64Array(room);
    const sizes = new Float64Array(room);
    prices.set(this.#prices);
    sizes.set(this.#sizes);
    this.#prices = prices;
    this.#sizes = sizes;
  }
}

const NONE: readonly Mantissa[] = [];
