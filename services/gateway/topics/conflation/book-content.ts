import type { BatchRows, BookRow, RowTimes } from "@tickwire/proto/codec";
import { OrderBook, rescaleMantissa } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import { diffLevels } from "./level-diff.ts";
import type { Levels } from "./level-diff.ts";
import type { Run, ViewContent } from "./view-content.ts";

/** Levels that may have changed before they are sent ahead of their time. */
export const TOUCHED_LEVELS_MAX = 20_000;

const NO_LEVELS: Levels = { prices: [], sizes: [] };

/** Both sides, at one scale. */
type Sides = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: Levels;
  readonly asks: Levels;
};

/** When the last event of the book happened. */
type BookTimes = Pick<RowTimes, "venueTimeUs" | "receivedTimeUs">;

const NO_TIMES: BookTimes = { venueTimeUs: undefined, receivedTimeUs: 0 };

/** The best levels of a book: net changes of what lies within the depth. */
export class CutBookContent implements ViewContent {
  readonly #book: OrderBook;
  readonly #depth: number;
  #told: Sides | undefined;
  #toldTimes = NO_TIMES;
  #times = NO_TIMES;
  #sequence = 0;
  #isReplaced = false;
  /** Something may have changed within the depth. */
  #isTouched = false;

  /** `book` is changed by its owner, who says so before and after. */
  constructor(book: OrderBook, depth: number) {
    this.#book = book;
    this.#depth = depth;
  }

  get isFull(): boolean {
    return false;
  }

  before(row: BookRow): void {
    if (this.#isTouched) return;
    const told = this.#told;
    this.#isTouched =
      row.snapshot ||
      told === undefined ||
      row.priceScale !== told.priceScale ||
      reaches(row.bids.prices, told.bids.prices, this.#depth, true) ||
      reaches(row.asks.prices, told.asks.prices, this.#depth, false);
  }

  add(row: RowTimes, sequence: number): void {
    if ((row as BookRow).snapshot) this.#isReplaced = true;
    this.#times = row;
    this.#sequence = sequence;
  }

  take(): readonly Run[] {
    if (!this.#isTouched) return [];
    const before = this.#told;
    const now = this.#best();
    const isReplaced = this.#isReplaced || before === undefined;
    this.#told = now;
    this.#toldTimes = this.#times;
    this.#isTouched = false;
    this.#isReplaced = false;
    const row = isReplaced ? { ...now, snapshot: true } : changedRow(before, now);
    return row === undefined ? [] : [bookRun({ ...row, ...timesOf(this.#times) }, this.#sequence)];
  }

  state(): BatchRows | undefined {
    return this.#told && bookState({ ...this.#told, ...timesOf(this.#toldTimes) });
  }

  replace(rows: readonly RowTimes[]): void {
    this.#isTouched = false;
    this.#isReplaced = false;
    this.#told = this.#best();
    this.#times = rows.at(-1) ?? NO_TIMES;
    this.#toldTimes = this.#times;
  }

  clear(): void {
    this.#isTouched = false;
    this.#isReplaced = false;
    this.#told = undefined;
  }

  #best(): Sides {
    const { priceScale, sizeScale } = this.#book;
    const bids = this.#book.bids(this.#depth);
    const asks = this.#book.asks(this.#depth);
    return { priceScale, sizeScale, bids, asks };
  }
}

/** Sizes that levels had when they were told last, by price. */
type Touched = Map<Mantissa, Mantissa>;

/** All levels of a book: net changes of those that were touched. */
export class WholeBookContent implements ViewContent {
  readonly #book: OrderBook;
  #bids: Touched = new Map();
  #asks: Touched = new Map();
  #priceScale = 0;
  #sizeScale = 0;
  /** What was told before the book was replaced, which has not been told yet. */
  #toldBefore: Sides | undefined;
  #isReplaced = false;
  #isKnown = false;
  #toldTimes = NO_TIMES;
  #times = NO_TIMES;
  #sequence = 0;

  /** `book` is changed by its owner, who says so before and after. */
  constructor(book: OrderBook) {
    this.#book = book;
  }

  get isFull(): boolean {
    return this.#bids.size + this.#asks.size >= TOUCHED_LEVELS_MAX;
  }

  before(row: BookRow): void {
    if (row.snapshot) {
      if (!this.#isReplaced && this.#isKnown) this.#toldBefore = this.#told();
      this.#isReplaced = true;
      this.#forgetTouched();
      return;
    }
    if (this.#isReplaced) return;
    this.#grow(row);
    this.#touch("bid", this.#bids, row.bids.prices, row.priceScale);
    this.#touch("ask", this.#asks, row.asks.prices, row.priceScale);
  }

  add(row: RowTimes, sequence: number): void {
    this.#times = row;
    this.#sequence = sequence;
  }

  take(): readonly Run[] {
    if (!this.#isKnown && !this.#isReplaced) return [];
    const row = this.#isReplaced ? { ...this.#all(), snapshot: true } : this.#changes();
    this.#settle();
    return row === undefined ? [] : [bookRun({ ...row, ...timesOf(this.#times) }, this.#sequence)];
  }

  state(): BatchRows | undefined {
    if (!this.#isKnown) return undefined;
    return bookState({ ...this.#told(), ...timesOf(this.#toldTimes) });
  }

  replace(rows: readonly RowTimes[]): void {
    this.#times = rows.at(-1) ?? NO_TIMES;
    this.#settle();
  }

  clear(): void {
    this.#settle();
    this.#isKnown = false;
  }

  /** The book as it is has been told. */
  #settle(): void {
    this.#forgetTouched();
    this.#isReplaced = false;
    this.#toldBefore = undefined;
    this.#toldTimes = this.#times;
    this.#isKnown = true;
    this.#priceScale = this.#book.priceScale;
    this.#sizeScale = this.#book.sizeScale;
  }

  #forgetTouched(): void {
    if (this.#bids.size > 0) this.#bids.clear();
    if (this.#asks.size > 0) this.#asks.clear();
  }

  /** The book as it is, with the levels that were touched as they were. */
  #told(): Sides {
    if (this.#isReplaced) {
      return this.#toldBefore ?? { priceScale: 0, sizeScale: 0, bids: NO_LEVELS, asks: NO_LEVELS };
    }
    const now = this.#all();
    if (this.#bids.size + this.#asks.size === 0) return now;
    const book = new OrderBook();
    book.applySnapshot(now);
    const { priceScale, sizeScale } = now;
    const bids = levelsOf(this.#bids);
    book.applyDelta({ priceScale, sizeScale, bids, asks: levelsOf(this.#asks) });
    return { priceScale, sizeScale, bids: book.bids(), asks: book.asks() };
  }

  #all(): Sides {
    const { priceScale, sizeScale } = this.#book;
    return { priceScale, sizeScale, bids: this.#book.bids(), asks: this.#book.asks() };
  }

  /** The book is about to raise its scales for this row; what is kept here follows. */
  #grow({ priceScale, sizeScale }: BookRow): void {
    const to = {
      priceScale: Math.max(priceScale, this.#book.priceScale),
      sizeScale: Math.max(sizeScale, this.#book.sizeScale),
    };
    if (to.priceScale === this.#priceScale && to.sizeScale === this.#sizeScale) return;
    const from = { priceScale: this.#priceScale, sizeScale: this.#sizeScale };
    this.#bids = rescaled(this.#bids, from, to);
    this.#asks = rescaled(this.#asks, from, to);
    this.#priceScale = to.priceScale;
    this.#sizeScale = to.sizeScale;
  }

  #touch(side: "bid" | "ask", touched: Touched, prices: readonly Mantissa[], scale: number): void {
    for (let index = 0; index < prices.length; index += 1) {
      const price = rescaleMantissa(prices[index] as Mantissa, scale, this.#priceScale);
      if (touched.has(price)) continue;
      touched.set(price, this.#sizeBefore(side, price));
    }
  }

  /** The row has not been applied yet: the book may be at a coarser scale. */
  #sizeBefore(side: "bid" | "ask", price: Mantissa): Mantissa {
    const { priceScale, sizeScale } = this.#book;
    const inBook = coarser(price, this.#priceScale - priceScale);
    if (inBook === undefined) return 0;
    return rescaleMantissa(this.#book.sizeAt(side, inBook), sizeScale, this.#sizeScale);
  }

  #changes(): Omit<BookRow, keyof RowTimes> | undefined {
    const bids = this.#changed("bid", this.#bids);
    const asks = this.#changed("ask", this.#asks);
    if (bids.prices.length + asks.prices.length === 0) return undefined;
    const { priceScale, sizeScale } = this.#book;
    return { snapshot: false, priceScale, sizeScale, bids, asks };
  }

  #changed(side: "bid" | "ask", touched: Touched): Levels {
    const prices: Mantissa[] = [];
    for (const [price, before] of touched) {
      if (this.#book.sizeAt(side, price) !== before) prices.push(price);
    }
    // Neighbours differ least, so their differences are the shortest.
    const sign = side === "bid" ? -1 : 1;
    prices.sort((one, other) => (one < other ? -sign : sign));
    return { prices, sizes: prices.map((price) => this.#book.sizeAt(side, price)) };
  }
}

/** Whether one of the prices lies within the levels that were told. */
function reaches(
  prices: readonly Mantissa[],
  told: readonly Mantissa[],
  depth: number,
  isBid: boolean,
): boolean {
  if (prices.length === 0) return false;
  const worst = told[depth - 1];
  if (worst === undefined) return true;
  for (let index = 0; index < prices.length; index += 1) {
    const price = prices[index] as Mantissa;
    if (isBid ? price >= worst : price <= worst) return true;
  }
  return false;
}

function changedRow(before: Sides, now: Sides): Omit<BookRow, keyof RowTimes> | undefined {
  const { priceScale, sizeScale } = now;
  const bids = diffLevels(atScales(before, "bids", now), now.bids, true);
  const asks = diffLevels(atScales(before, "asks", now), now.asks, false);
  if (bids.prices.length + asks.prices.length === 0) return undefined;
  return { snapshot: false, priceScale, sizeScale, bids, asks };
}

function atScales(sides: Sides, side: "bids" | "asks", to: Sides): Levels {
  const levels = sides[side];
  if (sides.priceScale === to.priceScale && sides.sizeScale === to.sizeScale) return levels;
  return {
    prices: levels.prices.map((each) => rescaleMantissa(each, sides.priceScale, to.priceScale)),
    sizes: levels.sizes.map((each) => rescaleMantissa(each, sides.sizeScale, to.sizeScale)),
  };
}

type Scales = { readonly priceScale: number; readonly sizeScale: number };

function rescaled(touched: Touched, from: Scales, to: Scales): Touched {
  const result: Touched = new Map();
  for (const [price, size] of touched) {
    result.set(
      rescaleMantissa(price, from.priceScale, to.priceScale),
      rescaleMantissa(size, from.sizeScale, to.sizeScale),
    );
  }
  return result;
}

/** The mantissa with so many decimals less; undefined if that is not exact. */
function coarser(mantissa: Mantissa, decimals: number): Mantissa | undefined {
  if (decimals === 0) return mantissa;
  const factor = 10n ** BigInt(decimals);
  const wide = BigInt(mantissa);
  if (wide % factor !== 0n) return undefined;
  const narrow = wide / factor;
  const number = Number(narrow);
  return Number.isSafeInteger(number) ? number : narrow;
}

function levelsOf(touched: Touched): Levels {
  return { prices: [...touched.keys()], sizes: [...touched.values()] };
}

function timesOf({ venueTimeUs, receivedTimeUs }: BookTimes): BookTimes {
  return { venueTimeUs, receivedTimeUs };
}

function bookRun(row: BookRow, lastSequence: number): Run {
  return { rows: { kind: "books", rows: [row] }, lastSequence };
}

function bookState(row: Omit<BookRow, "snapshot">): BatchRows {
  return { kind: "books", rows: [{ ...row, snapshot: true }] };
}
