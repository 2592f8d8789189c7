import { createPrng, type Prng } from "./prng.ts";

/** A level as the venue writes it: fixed decimals, trailing zeros included. */
export type LevelText = readonly [price: string, size: string];

/** What changed in a book: absolute sizes, "0.000..." removes. */
export type MarketDelta = {
  readonly firstUpdateId: number;
  readonly lastUpdateId: number;
  readonly bids: readonly LevelText[];
  readonly asks: readonly LevelText[];
};

/** Both sides, best first. */
export type MarketBook = {
  readonly lastUpdateId: number;
  readonly bids: readonly LevelText[];
  readonly asks: readonly LevelText[];
};

export type ScriptedTrade = {
  readonly tradeId: number;
  readonly price: string;
  readonly size: string;
  readonly aggressorSide: "buyer" | "seller";
};

type ScriptedInstrument = { readonly base: string; readonly quote: string };

type ScriptedMarketOptions = ScriptedInstrument & {
  readonly seed: number;
  /** Levels that the venue shows; deltas and books are those of this view. All if undefined. */
  readonly depth: number | undefined;
  readonly priceScale: number;
  /** Decimals of sizes; 0 where they count whole contracts. */
  readonly sizeScale: number;
  /** The price around which the book begins, in its least steps. */
  readonly middle?: number | undefined;
};

const LEVELS_AT_START = 40;
const LEVELS_MIN = 30;
const MIDDLE_DEFAULT = 50_000;
/** Levels that are always there and change in turn. */
const NEAR_LEVELS = 5;

/**
 * The true book of one instrument, walked by a seeded generator. It knows nothing of protocols or
 * sockets: every step returns what a venue would have to tell somebody who follows it.
 */
export class ScriptedMarket {
  readonly base: string;
  readonly quote: string;
  readonly #options: ScriptedMarketOptions;
  readonly #prng: Prng;
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();
  readonly #middle: number;
  #updateId = 1000;
  #tradeId = 100;
  #steps = 0;

  constructor(options: ScriptedMarketOptions) {
    this.#options = options;
    this.base = options.base;
    this.quote = options.quote;
    this.#prng = createPrng(options.seed);
    this.#middle = options.middle ?? MIDDLE_DEFAULT;
    for (let tick = 1; tick <= LEVELS_AT_START; tick++) {
      this.#bids.set(this.#middle - tick, this.#size());
      this.#asks.set(this.#middle + tick, this.#size());
    }
  }

  /** The book as the venue shows it. */
  book(): MarketBook {
    const { bids, asks } = this.#view();
    return {
      lastUpdateId: this.#updateId,
      bids: [...bids].map((level) => this.#text(level)),
      asks: [...asks].map((level) => this.#text(level)),
    };
  }

  /**
   * The next change. One of the best levels of each side changes, and not one that the step before
   * or after changes: who misses a step has a wrong best ten after the next one, and whoever checks
   * will notice.
   */
  step(): MarketDelta {
    const before = this.#view();
    const firstUpdateId = this.#updateId + 1;
    this.#steps += 1;
    this.#change(this.#bids, this.#middle - 1, -1);
    this.#change(this.#asks, this.#middle + 1, 1);
    this.#updateId += 2;
    const after = this.#view();
    return {
      firstUpdateId,
      lastUpdateId: this.#updateId,
      bids: this.#difference(before.bids, after.bids, this.#bids),
      asks: this.#difference(before.asks, after.asks, this.#asks),
    };
  }

  /**
   * A trade at the best price of a side. It leaves the book alone: its delta is a step of its own.
   */
  trade(): ScriptedTrade {
    const buyer = this.#prng.chance(0.5);
    const { bids, asks } = this.#view();
    const [price = this.#middle] = buyer ? [...asks.keys()] : [...bids.keys()];
    this.#tradeId += 1;
    return {
      tradeId: this.#tradeId,
      price: fixed(price, this.#options.priceScale),
      size: fixed(this.#size(), this.#options.sizeScale),
      aggressorSide: buyer ? "buyer" : "seller",
    };
  }

  /** Best first, cut to what the venue shows. */
  #view(): { readonly bids: Map<number, number>; readonly asks: Map<number, number> } {
    const depth = this.#options.depth ?? Infinity;
    const bids = [...this.#bids].toSorted(([a], [b]) => b - a).slice(0, depth);
    const asks = [...this.#asks].toSorted(([a], [b]) => a - b).slice(0, depth);
    return { bids: new Map(bids), asks: new Map(asks) };
  }

  /** Sets one of the best five levels, each in turn, and often removes one that is further out. */
  #change(side: Map<number, number>, best: number, direction: 1 | -1): void {
    const price = best + direction * (this.#steps % NEAR_LEVELS);
    let size = this.#size();
    while (size === side.get(price)) size = this.#size();
    side.set(price, size);
    const other = best + direction * (NEAR_LEVELS + this.#prng.below(15));
    if (side.size <= LEVELS_MIN) side.set(other, this.#size());
    else if (this.#prng.chance(0.6)) side.delete(other);
  }

  /**
   * What turns one view into the other. A level that was pushed out of view is not mentioned,
   * because a follower cuts it off by itself; one that comes back into view is.
   */
  #difference(
    before: ReadonlyMap<number, number>,
    after: ReadonlyMap<number, number>,
    whole: ReadonlyMap<number, number>,
  ): LevelText[] {
    const changes: LevelText[] = [];
    for (const price of before.keys()) {
      if (!whole.has(price)) changes.push(this.#text([price, 0]));
    }
    for (const [price, size] of after) {
      if (before.get(price) !== size) changes.push(this.#text([price, size]));
    }
    return changes;
  }

  #size(): number {
    return 1 + this.#prng.below(500_000_000);
  }

  #text([price, size]: readonly [number, number]): LevelText {
    return [fixed(price, this.#options.priceScale), fixed(size, this.#options.sizeScale)];
  }
}

/** A whole number with the point `scale` digits from the right. */
function fixed(value: number, scale: number): string {
  if (scale === 0) return String(value);
  const digits = String(Math.abs(value)).padStart(scale + 1, "0");
  return `${value < 0 ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
