import { rescaleMantissa, type Mantissa } from "./decimal.ts";
import {
  PriceLadder,
  type BookSide,
  type Ladder,
  type Level,
  type LevelColumns,
  type OwnedLevelColumns,
} from "./price-ladder.ts";

/** A snapshot or delta: sizes are absolute, 0 removes. */
export type BookChange = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: LevelColumns;
  readonly asks: LevelColumns;
};

/** Prices of levels that fell out of a truncated book. */
export type TruncatedPrices = {
  readonly bids: readonly Mantissa[];
  readonly asks: readonly Mantissa[];
};

const NOTHING_TRUNCATED: TruncatedPrices = { bids: [], asks: [] };

/**
 * Both sides of a book, exact. Mantissas are at the book's scales, which a snapshot sets and a
 * finer delta raises (all levels are then rescaled); coarser deltas are scaled up. Nothing is
 * rounded.
 */
export class OrderBook {
  readonly #bids: Ladder;
  readonly #asks: Ladder;
  #priceScale = 0;
  #sizeScale = 0;

  /** Each side is a sorted list unless another ladder is made for it. */
  constructor(createLadder: (side: BookSide) => Ladder = (side) => new PriceLadder(side)) {
    this.#bids = createLadder("bid");
    this.#asks = createLadder("ask");
  }

  get priceScale(): number {
    return this.#priceScale;
  }

  get sizeScale(): number {
    return this.#sizeScale;
  }

  get bidCount(): number {
    return this.#bids.count;
  }

  get askCount(): number {
    return this.#asks.count;
  }

  /** Replaces the book. Levels of size 0 are left out; of equal prices the last one counts. */
  applySnapshot(change: BookChange): void {
    this.#priceScale = change.priceScale;
    this.#sizeScale = change.sizeScale;
    this.#bids.replace(change.bids);
    this.#asks.replace(change.asks);
  }

  /** Sets the levels that the change names. Removing a level that is not there does nothing. */
  applyDelta(change: BookChange): void {
    if (change.priceScale > this.#priceScale || change.sizeScale > this.#sizeScale) {
      this.#grow(change);
    }
    if (change.priceScale === this.#priceScale && change.sizeScale === this.#sizeScale) {
      setAll(this.#bids, change.bids);
      setAll(this.#asks, change.asks);
    } else {
      this.#setScaled(this.#bids, change.bids, change);
      this.#setScaled(this.#asks, change.asks, change);
    }
  }

  /** Empties the book; the scales stay. */
  clear(): void {
    this.#bids.clear();
    this.#asks.clear();
  }

  /**
   * Keeps the best `depth` levels of each side and says which prices went (shared empty arrays if
   * none).
   */
  truncate(depth: number): TruncatedPrices {
    if (this.#bids.count <= depth && this.#asks.count <= depth) return NOTHING_TRUNCATED;
    return { bids: this.#bids.truncate(depth), asks: this.#asks.truncate(depth) };
  }

  bestBid(): Level | undefined {
    return this.#bids.best();
  }

  bestAsk(): Level | undefined {
    return this.#asks.best();
  }

  /** Copies of the best levels (all without `depth`), best first. */
  bids(depth?: number): OwnedLevelColumns {
    return this.#bids.levels(depth);
  }

  /** Copies of the best levels (all without `depth`), best first. */
  asks(depth?: number): OwnedLevelColumns {
    return this.#asks.levels(depth);
  }

  /** The size at a price given at the book's scale; 0 if there is no such level. */
  sizeAt(side: "bid" | "ask", price: Mantissa): Mantissa {
    return (side === "bid" ? this.#bids : this.#asks).sizeAt(price);
  }

  /** True if the best bid is at or above the best ask. */
  isCrossed(): boolean {
    const bid = this.#bids.bestPrice();
    const ask = this.#asks.bestPrice();
    return bid !== undefined && ask !== undefined && bid >= ask;
  }

  #grow(change: BookChange): void {
    const growth = {
      price: Math.max(0, change.priceScale - this.#priceScale),
      size: Math.max(0, change.sizeScale - this.#sizeScale),
    };
    this.#bids.rescale(growth);
    this.#asks.rescale(growth);
    this.#priceScale += growth.price;
    this.#sizeScale += growth.size;
  }

  #setScaled(ladder: Ladder, columns: LevelColumns, change: BookChange): void {
    const { prices, sizes } = columns;
    for (let index = 0; index < prices.length; index++) {
      ladder.set(
        rescaleMantissa(prices[index]!, change.priceScale, this.#priceScale),
        rescaleMantissa(sizes[index]!, change.sizeScale, this.#sizeScale),
      );
    }
  }
}

function setAll(ladder: Ladder, columns: LevelColumns): void {
  const { prices, sizes } = columns;
  for (let index = 0; index < prices.length; index++) ladder.set(prices[index]!, sizes[index]!);
}
