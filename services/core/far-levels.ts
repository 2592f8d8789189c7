import { LevelTable } from "./level-table.ts";

/**
 * Levels of one side of a book that are far from its best: found by their price, and put in order
 * when somebody wants to see them.
 */
export class FarLevels {
  readonly #sizes = new LevelTable();
  readonly #sign: 1 | -1;
  /** Best first; undefined if they are to be sorted anew. */
  #prices: number[] | undefined;

  /** `sign` is 1 where higher prices are better, else -1. */
  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  get count(): number {
    return this.#sizes.count;
  }

  /** 0 if there is no such level. */
  sizeAt(price: number): number {
    return this.#sizes.sizeAt(price);
  }

  /** Sets the size of a level; 0 removes it. */
  set(price: number, size: number): void {
    const wasThere = this.#sizes.set(price, size) !== 0;
    const prices = this.#prices;
    if (prices === undefined || wasThere === (size !== 0)) return;
    const index = this.#placeOf(prices, price);
    if (wasThere) prices.splice(index, 1);
    else prices.splice(index, 0, price);
  }

  /** Best first, for as long as nothing changes. */
  prices(): readonly number[] {
    if (this.#prices === undefined) {
      const sorted = this.#sizes.prices().sort();
      if (this.#sign === 1) sorted.reverse();
      this.#prices = Array.from(sorted);
    }
    return this.#prices;
  }

  /** Keeping the order costs with each change: it is found again when it is asked for. */
  forgetOrder(): void {
    this.#prices = undefined;
  }

  clear(): void {
    this.#sizes.clear();
    this.#prices = undefined;
  }

  /** Where the price is, or where it belongs. */
  #placeOf(prices: readonly number[], price: number): number {
    let low = 0;
    let high = prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((prices[middle]! - price) * this.#sign > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
