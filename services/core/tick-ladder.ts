import type {
  BookSide,
  Ladder,
  Level,
  LevelColumns,
  Mantissa,
  OwnedLevelColumns,
} from "@tickwire/proto/model";
import { FarLevels } from "./far-levels.ts";
import { SortedLadder } from "./sorted-ladder.ts";
import type { BestLevels, TickLevels } from "./tick-levels.ts";
import { TickWindow } from "./tick-window.ts";

/**
 * From so many levels on a window is worth its memory, if the side changes much; below half of it,
 * it is given up.
 */
export const WINDOW_LEVELS_MIN = 96;
/** Prices that a window spans at first, and at most: 8 and 132 KB. */
export const WINDOW_TICKS_MIN = 1_024;
export const WINDOW_TICKS_MAX = 16_384;
/** A list takes two numbers a level: a window that is larger than eight of it is not made. */
const TICKS_PER_LEVEL_MAX = 16;
/** Changes after which it is judged whether a side should have a window, and a longer one. */
export const CHANGES_JUDGED = 1_024;
/** A window that misses more than one change in twenty spans too little. */
const MISSES_MAX = CHANGES_JUDGED / 20;
/** The best price stands at three quarters of a new window: most levels are worse. */
const bestPlaceIn = (length: number): number => length - length / 4;
/** Windows that may be made anew in so many changes; a side that needs more of them is sorted. */
const REBUILDS_MAX = 4;

/**
 * One side of a book as the server keeps it. A side of few levels, or of prices and sizes that are
 * no safe integers, is a sorted list. Of a larger one the prices around the best stand in a window,
 * in which each price increment has its place, and those far from the best in a table that is
 * sorted when somebody wants to see them: a change costs the same however many levels there are.
 *
 * Invariants: every level is in exactly one of list, window and table; the prices of the table are
 * worse than every price of the window; the window is not empty while the table is not.
 */
export class TickLadder implements Ladder, BestLevels {
  readonly side: BookSide;
  readonly #sorted: SortedLadder;
  readonly #sign: 1 | -1;
  /** Undefined while the list has the levels. */
  #window: TickWindow | undefined;
  /** The last one, while it is not used. */
  #spare: TickWindow | undefined;
  /** Length of the next window. */
  #ticks = WINDOW_TICKS_MIN;
  /** Price of place 0, and what lies between two places. */
  #basePrice = 0;
  #tick = 1;
  readonly #far: FarLevels;
  #changes = 0;
  #misses = 0;
  #rebuilds = 0;
  /** The levels do not suit a window: until they are replaced, they are a list. */
  #isOdd = false;

  constructor(side: BookSide) {
    this.side = side;
    this.#sign = side === "bid" ? 1 : -1;
    this.#far = new FarLevels(this.#sign);
    this.#sorted = new SortedLadder(side);
  }

  get count(): number {
    const window = this.#window;
    return window === undefined ? this.#sorted.count : window.count + this.#far.count;
  }

  set(price: Mantissa, size: Mantissa): void {
    const window = this.#window;
    if (window === undefined) {
      this.#sorted.set(price, size);
      this.#changes += 1;
      if (this.#changes === CHANGES_JUDGED) this.#judgeList();
      return;
    }
    if (typeof price !== "number" || typeof size !== "number") {
      this.#giveUp();
      this.#sorted.set(price, size);
      return;
    }
    this.#changes += 1;
    if (this.#changes === CHANGES_JUDGED) {
      this.#judge();
      this.set(price, size);
      return;
    }
    const place = ((price - this.#basePrice) * this.#sign) / this.#tick;
    if (place >= 0 && place < window.length && place === Math.trunc(place)) {
      window.set(place, size);
      if (window.count === 0 && size === 0) this.#onEmpty();
    } else {
      this.#setOutside(price, size, place);
    }
  }

  /** Sets all of these levels. */
  setAll(levels: TickLevels): void {
    const { prices, sizes, count } = levels;
    let index = 0;
    while (index < count) {
      if (this.#window === undefined) {
        index = this.#setListed(levels, index);
        continue;
      }
      index = this.#setInside(prices, sizes, index, count);
      if (index === count) return;
      this.set(prices[index]!, sizes[index]!);
      index += 1;
    }
  }

  /** Sets levels of the list from an index on, up to the change after which it is judged. */
  #setListed(levels: TickLevels, first: number): number {
    const end = Math.min(levels.count, first + CHANGES_JUDGED - this.#changes);
    this.#sorted.setAll(levels, first, end);
    this.#changes += end - first;
    if (this.#changes === CHANGES_JUDGED) this.#judgeList();
    return end;
  }

  /** Sets levels from an index on for as long as they lie in the window; the first that was not. */
  #setInside(prices: Float64Array, sizes: Float64Array, first: number, count: number): number {
    const window = this.#window;
    if (window === undefined) return first;
    const basePrice = this.#basePrice;
    const sign = this.#sign;
    const tick = this.#tick;
    const { length } = window;
    // The last change of a round is one that is judged.
    const end = Math.min(count, first + CHANGES_JUDGED - 1 - this.#changes);
    let index = first;
    while (index < end) {
      const distance = (prices[index]! - basePrice) * sign;
      const place = tick === 1 ? distance : distance / tick;
      const slot = Math.trunc(place);
      if (place < 0 || place >= length || slot !== place) break;
      const size = sizes[index]!;
      window.set(slot, size);
      index += 1;
      if (size === 0 && window.count === 0) {
        this.#changes += index - first;
        this.#onEmpty();
        return index;
      }
    }
    this.#changes += index - first;
    return index;
  }

  replace(columns: LevelColumns): void {
    const hadWindow = this.#window !== undefined;
    this.#forgetWindow();
    this.#isOdd = false;
    this.#rebuilds = 0;
    this.#sorted.replace(columns);
    if (hadWindow && this.#sorted.count >= WINDOW_LEVELS_MIN) this.#adopt(this.#sorted.levels());
  }

  clear(): void {
    this.#forgetWindow();
    this.#sorted.clear();
  }

  sizeAt(price: Mantissa): Mantissa {
    const window = this.#window;
    if (window === undefined) return this.#sorted.sizeAt(price);
    if (typeof price !== "number") return 0;
    const place = ((price - this.#basePrice) * this.#sign) / this.#tick;
    if (place < 0) return this.#far.sizeAt(price);
    return place < window.length && place === Math.trunc(place) ? window.sizeAt(place) : 0;
  }

  best(): Level | undefined {
    const window = this.#window;
    if (window === undefined) return this.#sorted.best();
    return { price: this.#priceAt(window.best), size: window.sizeAt(window.best) };
  }

  bestPrice(): Mantissa | undefined {
    const window = this.#window;
    return window === undefined ? this.#sorted.bestPrice() : this.#priceAt(window.best);
  }

  /** The best price as a number; NaN if there is none, or where doubles do not hold the levels. */
  get bestNumber(): number {
    const window = this.#window;
    return window === undefined ? this.#sorted.bestNumber : this.#priceAt(window.best);
  }

  levels(depth: number = this.count): OwnedLevelColumns {
    const window = this.#window;
    if (window === undefined) return this.#sorted.levels(depth);
    const prices: Mantissa[] = [];
    const sizes: Mantissa[] = [];
    for (
      let place = window.best;
      place >= 0 && prices.length < depth;
      place = window.before(place)
    ) {
      prices.push(this.#priceAt(place));
      sizes.push(window.sizeAt(place));
    }
    if (prices.length < depth && this.#far.count > 0) {
      for (const price of this.#far.prices()) {
        if (prices.length >= depth) break;
        prices.push(price);
        sizes.push(this.#far.sizeAt(price));
      }
    }
    return { prices, sizes };
  }

  /** See `BestLevels`. */
  readBest(depth: number, prices: Float64Array, sizes: Float64Array): number {
    const window = this.#window;
    if (window === undefined) return this.#sorted.readBest(depth, prices, sizes);
    let count = 0;
    let place = window.best;
    for (; place >= 0 && count < depth; place = window.before(place)) {
      prices[count] = this.#priceAt(place);
      sizes[count] = window.sizeAt(place);
      count += 1;
    }
    return count < depth && this.#far.count > 0 ? -1 : count;
  }

  /** A book that is cut is small, or ends near its best: it is kept as a list. */
  truncate(depth: number): readonly Mantissa[] {
    if (this.count > depth) this.#giveUp();
    return this.#sorted.truncate(depth);
  }

  rescale(growth: { readonly price: number; readonly size: number }): void {
    const window = this.#window;
    if (window === undefined) {
      this.#sorted.rescale(growth);
      return;
    }
    this.#giveUp();
    this.#sorted.rescale(growth);
    this.#isOdd = false;
    if (this.#sorted.count >= WINDOW_LEVELS_MIN) this.#adopt(this.#sorted.levels());
  }

  #priceAt(place: number): number {
    return this.#basePrice + this.#sign * place * this.#tick;
  }

  #setOutside(price: number, size: number, place: number): void {
    if (place < 0) {
      this.#misses += 1;
      this.#far.set(price, size);
      return;
    }
    // Better than the window reaches, or between two of its places: nothing is there to remove.
    if (size === 0) return;
    this.#giveUpSoftly();
    this.#sorted.set(price, size);
    this.#adoptOrStay();
  }

  /** The window has no level any more: the best of the table are the best there are. */
  #onEmpty(): void {
    this.#giveUpSoftly();
    this.#adoptOrStay();
  }

  #adoptOrStay(): void {
    this.#rebuilds += 1;
    if (this.#rebuilds > REBUILDS_MAX) this.#isOdd = true;
    else if (this.#sorted.count >= WINDOW_LEVELS_MIN) this.#adopt(this.#sorted.levels());
  }

  /** Now and then: a list in which so much changes is worth a window. */
  #judgeList(): void {
    this.#changes = 0;
    this.#rebuilds = 0;
    if (this.#isOdd || this.#sorted.count < WINDOW_LEVELS_MIN) return;
    this.#adopt(this.#sorted.levels());
  }

  /** Now and then: whether the window spans enough, and whether it is worth having. */
  #judge(): void {
    const window = this.#window!;
    const { length } = window;
    const isTooSmall = this.#misses > MISSES_MAX && length < WINDOW_TICKS_MAX;
    const isNearItsEnd = window.best < length / 4 && this.#far.count > 0;
    this.#changes = 0;
    this.#misses = 0;
    this.#rebuilds = 0;
    this.#far.forgetOrder();
    if (this.count < WINDOW_LEVELS_MIN / 2) this.#giveUpSoftly();
    else if (isTooSmall || isNearItsEnd) {
      if (isTooSmall) this.#ticks = 2 * length;
      this.#adopt(this.levels());
    }
  }

  /**
   * Puts levels, best first, into a window and the table, or leaves them in the list where their
   * prices or sizes are too large for it.
   */
  #adopt({ prices, sizes }: OwnedLevelColumns): void {
    const tick = tickOf(prices, sizes);
    if (tick === undefined) {
      this.#isOdd = true;
      return;
    }
    const ticks = this.#ticksFor(prices as readonly number[], tick);
    const basePrice = (prices[0] as number) - this.#sign * bestPlaceIn(ticks) * tick;
    if (!isExact(Math.abs(basePrice) + ticks * tick)) {
      this.#giveUp();
      return;
    }
    this.#forgetWindow();
    const window = this.#spare?.length === ticks ? this.#spare : new TickWindow(ticks);
    window.clear();
    this.#window = window;
    this.#tick = tick;
    this.#basePrice = basePrice;
    for (let index = 0; index < prices.length; index += 1) {
      const price = prices[index] as number;
      const place = ((price - this.#basePrice) * this.#sign) / tick;
      if (place >= 0) window.set(place, sizes[index] as number);
      else this.#far.set(price, sizes[index] as number);
    }
    this.#sorted.clear();
    // Prices so far apart are found faster in a list.
    if (window.count < WINDOW_LEVELS_MIN / 2) this.#giveUp();
  }

  /**
   * Prices that the next window spans: more where levels are so far apart that few would be in it.
   */
  #ticksFor(prices: readonly number[], tick: number): number {
    const last = prices[Math.min(prices.length, WINDOW_LEVELS_MIN / 2) - 1]!;
    const needed = Math.abs(last - prices[0]!) / tick;
    const ticksMax = Math.min(WINDOW_TICKS_MAX, TICKS_PER_LEVEL_MAX * prices.length);
    while (bestPlaceIn(this.#ticks) < needed && 2 * this.#ticks <= ticksMax) this.#ticks *= 2;
    return this.#ticks;
  }

  /** The list has the levels from now on, until they are replaced. */
  #giveUp(): void {
    this.#giveUpSoftly();
    this.#isOdd = true;
  }

  /** The list has the levels from now on. */
  #giveUpSoftly(): void {
    if (this.#window === undefined) return;
    const levels = this.levels();
    this.#forgetWindow();
    this.#sorted.replace(levels);
  }

  #forgetWindow(): void {
    this.#spare = this.#window ?? this.#spare;
    this.#window = undefined;
    this.#far.clear();
    this.#changes = 0;
    this.#misses = 0;
  }
}

/** Whether whole numbers up to this one, and what lies between two of them, are exact. */
function isExact(value: number): boolean {
  return value <= Number.MAX_SAFE_INTEGER / 2;
}

/** The largest step of which all prices are whole numbers apart; undefined if one is no number. */
function tickOf(prices: readonly Mantissa[], sizes: readonly Mantissa[]): number | undefined {
  const first = prices[0];
  if (typeof first !== "number") return undefined;
  let tick = 0;
  for (let index = 0; index < prices.length; index += 1) {
    const price = prices[index];
    if (typeof price !== "number" || typeof sizes[index] !== "number") return undefined;
    tick = greatestCommonDivisor(Math.abs(price - first), tick);
  }
  return tick === 0 ? 1 : tick;
}

function greatestCommonDivisor(one: number, other: number): number {
  let a = one;
  let b = other;
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
