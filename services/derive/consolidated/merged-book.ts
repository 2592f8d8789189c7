import { rescaleMantissa } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import type { LevelColumns } from "#core/market-event.ts";
import { addMantissa, multiplyMantissa, subtractMantissa } from "./exact-sizes.ts";
import type { SizeFactor } from "./exact-sizes.ts";

/** Levels of both sides, of absolute sizes; size 0 removes. */
export type BookColumns = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: LevelColumns;
  readonly asks: LevelColumns;
};

type Levels = Map<Mantissa, Mantissa>;
type Side = "bids" | "asks";
type Sides = { bids: Levels; asks: Levels };

const NO_LEVELS: LevelColumns = { prices: [], sizes: [] };

/**
 * The sum of several books: at each price the size of all that have it, exactly. It tells what each
 * change of a source changes in the sum. All numbers are at the finest scales that came so far.
 */
export class MergedBook {
  readonly #sources: Sides[];
  #totals: Sides = { bids: new Map(), asks: new Map() };
  #priceScale = 0;
  #sizeScale = 0;

  constructor(sources: number) {
    this.#sources = Array.from({ length: sources }, () => emptySides());
  }

  get priceScale(): number {
    return this.#priceScale;
  }

  get sizeScale(): number {
    return this.#sizeScale;
  }

  /** Levels of the sum. */
  get levels(): number {
    return this.#totals.bids.size + this.#totals.asks.size;
  }

  /** A book of a source in place of the one that it had, or a change of it. */
  apply(
    source: number,
    change: BookColumns & { readonly snapshot: boolean },
    factor: SizeFactor,
  ): BookColumns {
    this.#grow(change.priceScale, change.sizeScale + factor.scale);
    const changed = (side: Side): LevelColumns => this.#applySide(source, side, change, factor);
    return this.#columns(changed("bids"), changed("asks"));
  }

  /** The source has no part in the sum any more. */
  clear(source: number): BookColumns {
    return this.#columns(this.#clearSide(source, "bids"), this.#clearSide(source, "asks"));
  }

  /** What a source has in the sum now, in no particular order. */
  shareOf(source: number): BookColumns {
    const { bids, asks } = this.#sources[source] as Sides;
    return this.#columns(columnsOf(bids), columnsOf(asks));
  }

  #applySide(
    source: number,
    side: Side,
    change: BookColumns & { readonly snapshot: boolean },
    factor: SizeFactor,
  ): LevelColumns {
    const { prices, sizes } = change[side];
    if (prices.length === 0 && !change.snapshot) return NO_LEVELS;
    const sides = this.#sources[source] as Sides;
    const before = sides[side];
    const after: Levels = change.snapshot ? new Map() : before;
    const touched = new Set<Mantissa>();
    const changed: { prices: Mantissa[]; sizes: Mantissa[] } = { prices: [], sizes: [] };
    for (let index = 0; index < prices.length; index += 1) {
      const price = rescaleMantissa(prices[index] as Mantissa, change.priceScale, this.#priceScale);
      const counted = multiplyMantissa(sizes[index] as Mantissa, factor.mantissa);
      const scale = change.sizeScale + factor.scale;
      const size = rescaleMantissa(counted, scale, this.#sizeScale);
      if (change.snapshot) {
        // Of equal prices in a snapshot the last one counts.
        if (size === 0) after.delete(price);
        else after.set(price, size);
        touched.add(price);
        continue;
      }
      const old = before.get(price) ?? 0;
      if (size === 0) before.delete(price);
      else before.set(price, size);
      this.#move(side, price, old, size, changed);
    }
    if (!change.snapshot) return changed;
    sides[side] = after;
    for (const [price, old] of before) {
      if (!touched.has(price)) this.#move(side, price, old, 0, changed);
    }
    for (const price of touched) {
      this.#move(side, price, before.get(price) ?? 0, after.get(price) ?? 0, changed);
    }
    return changed;
  }

  #clearSide(source: number, side: Side): LevelColumns {
    const sides = this.#sources[source] as Sides;
    const changed: { prices: Mantissa[]; sizes: Mantissa[] } = { prices: [], sizes: [] };
    for (const [price, old] of sides[side]) this.#move(side, price, old, 0, changed);
    sides[side] = new Map();
    return changed;
  }

  #move(
    side: Side,
    price: Mantissa,
    old: Mantissa,
    size: Mantissa,
    changed: { prices: Mantissa[]; sizes: Mantissa[] },
  ): void {
    if (old === size) return;
    const totals = this.#totals[side];
    const total = addMantissa(subtractMantissa(totals.get(price) ?? 0, old), size);
    if (total === 0) totals.delete(price);
    else totals.set(price, total);
    changed.prices.push(price);
    changed.sizes.push(total);
  }

  /** Finer numbers came: everything is brought to their scale. */
  #grow(priceScale: number, sizeScale: number): void {
    if (priceScale <= this.#priceScale && sizeScale <= this.#sizeScale) return;
    const [oldPrice, oldSize] = [this.#priceScale, this.#sizeScale];
    this.#priceScale = Math.max(oldPrice, priceScale);
    this.#sizeScale = Math.max(oldSize, sizeScale);
    const grown = (levels: Levels): Levels =>
      new Map(
        Array.from(levels, ([price, size]) => [
          rescaleMantissa(price, oldPrice, this.#priceScale),
          rescaleMantissa(size, oldSize, this.#sizeScale),
        ]),
      );
    for (const sides of [this.#totals, ...this.#sources]) {
      sides.bids = grown(sides.bids);
      sides.asks = grown(sides.asks);
    }
  }

  #columns(bids: LevelColumns, asks: LevelColumns): BookColumns {
    return { priceScale: this.#priceScale, sizeScale: this.#sizeScale, bids, asks };
  }
}

function emptySides(): Sides {
  return { bids: new Map(), asks: new Map() };
}

function columnsOf(levels: Levels): LevelColumns {
  return { prices: [...levels.keys()], sizes: [...levels.values()] };
}
