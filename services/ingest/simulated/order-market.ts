import type { SeededRandom } from "./seeded-random.ts";

/** What a step of the market did, in the order in which it happened. Integers: ticks and lots. */
export type MarketListener = {
  /** At the best price of the side that was hit, for at most what is there. */
  onTrade(trade: MarketTrade): void;
  /**
   * The levels of one side that changed, as pairs in a flat array that is reused by the next step:
   * price, size, price, size, ... Size 0 removes.
   */
  onDelta(side: BookSide, changes: readonly number[], updateId: number): void;
  /** The best bid or offer changed, price or size. */
  onQuote(quote: MarketQuote): void;
};

export type BookSide = "bid" | "ask";

export type MarketTrade = {
  readonly tradeId: number;
  readonly priceTicks: number;
  readonly sizeLots: number;
  readonly takerIsBuyer: boolean;
  /** Forced by the venue: the taker's position was liquidated. */
  readonly isLiquidation: boolean;
};

export type MarketQuote = {
  readonly bidTicks: number;
  readonly bidLots: number;
  readonly askTicks: number;
  readonly askLots: number;
};

type OrderMarketOptions = {
  readonly random: SeededRandom;
  readonly referenceTicks: number;
  /** Deepest book of a side; beyond it the worst level is withdrawn. */
  readonly levelsMax: number;
  /** One marketable order in so many is a liquidation; 0 for never. */
  readonly liquidationOneIn: number;
};

/** Levels of one side, the best one last, so that what changes most is at the cheap end. */
type Ladder = { readonly side: BookSide; readonly prices: number[]; readonly sizes: number[] };

/** A side never gets thinner than this by cancellation. */
const LEVELS_MIN = 3;
const LEVELS_AT_START = 20;
const LIMIT_SHARE = 0.5;
const CANCEL_SHARE = 0.35;
/** How far from its reference the price has to be for the pull back to be at its strongest. */
const PULL_TICKS = 200;

/**
 * One instrument's market: limit orders arrive, are cancelled, and are taken by marketable orders.
 * The book is never empty on either side and never crossed. The same random numbers give the same
 * market.
 */
export class OrderMarket {
  readonly #random: SeededRandom;
  readonly #levelsMax: number;
  readonly #liquidationOneIn: number;
  readonly #bids: Ladder = { side: "bid", prices: [], sizes: [] };
  readonly #asks: Ladder = { side: "ask", prices: [], sizes: [] };
  readonly #changes: number[] = [];
  #referenceTicks: number;
  #updateId = 0;
  #tradeId = 0;
  #quote: MarketQuote;

  constructor(options: OrderMarketOptions) {
    this.#random = options.random;
    this.#levelsMax = options.levelsMax;
    this.#liquidationOneIn = options.liquidationOneIn;
    this.#referenceTicks = options.referenceTicks;
    const levels = Math.min(LEVELS_AT_START, options.levelsMax);
    for (let offset = levels; offset >= 1; offset -= 1) {
      const bid = options.referenceTicks - offset;
      if (bid >= 1) this.#push(this.#bids, bid);
      this.#push(this.#asks, options.referenceTicks + offset);
    }
    this.#quote = this.#top();
  }

  /** The id of the last delta; 0 before the first. */
  get updateId(): number {
    return this.#updateId;
  }

  /** The best bid and offer as they stand. */
  get quote(): MarketQuote {
    return this.#quote;
  }

  /**
   * Levels of a side, best first, as pairs: price, size, price, size, ... The array is the
   * caller's.
   */
  levels(side: BookSide): number[] {
    const ladder = side === "bid" ? this.#bids : this.#asks;
    const pairs: number[] = [];
    for (let index = ladder.prices.length - 1; index >= 0; index -= 1) {
      pairs.push(ladder.prices[index] ?? 0, ladder.sizes[index] ?? 0);
    }
    return pairs;
  }

  /** Draws the price towards here from now on. */
  setReference(ticks: number): void {
    this.#referenceTicks = Math.max(2, ticks);
  }

  /** One order, cancellation or marketable order. */
  step(listener: MarketListener): void {
    this.#changes.length = 0;
    const kind = this.#random.next();
    const bidHit = this.#random.next() < 0.5;
    const ladder = bidHit ? this.#bids : this.#asks;
    let changed: Ladder | undefined;
    if (kind >= LIMIT_SHARE + CANCEL_SHARE) changed = this.#take(listener);
    else if (kind >= LIMIT_SHARE) changed = this.#cancel(ladder);
    // What could not be cancelled or taken without emptying a side becomes an arrival.
    changed ??= this.#arrive(ladder);
    this.#updateId += 1;
    listener.onDelta(changed.side, this.#changes, this.#updateId);
    const top = this.#top();
    const last = this.#quote;
    if (
      top.bidTicks !== last.bidTicks ||
      top.bidLots !== last.bidLots ||
      top.askTicks !== last.askTicks ||
      top.askLots !== last.askLots
    ) {
      this.#quote = top;
      listener.onQuote(top);
    }
  }

  #arrive(ladder: Ladder): Ladder {
    const { bidTicks, askTicks } = this.#quote;
    const distance = 1 + this.#random.geometric(4);
    // Measured from the other side's best price, so that no arrival ever crosses it.
    const price = ladder.side === "bid" ? Math.max(1, askTicks - distance) : bidTicks + distance;
    const size = this.#orderLots();
    let index = ladder.prices.length;
    while (index > 0 && this.#isBetter(ladder, ladder.prices[index - 1] ?? 0, price)) index -= 1;
    if (index > 0 && ladder.prices[index - 1] === price) {
      const total = (ladder.sizes[index - 1] ?? 0) + size;
      ladder.sizes[index - 1] = total;
      this.#changes.push(price, total);
      return ladder;
    }
    ladder.prices.splice(index, 0, price);
    ladder.sizes.splice(index, 0, size);
    this.#changes.push(price, size);
    if (ladder.prices.length > this.#levelsMax) {
      const worst = ladder.prices.shift() ?? 0;
      ladder.sizes.shift();
      if (worst === price) this.#changes.length = 0;
      this.#changes.push(worst, 0);
    }
    return ladder;
  }

  #cancel(ladder: Ladder): Ladder | undefined {
    const count = ladder.prices.length;
    if (count <= LEVELS_MIN) return undefined;
    const index = Math.max(0, count - 1 - this.#random.geometric(5));
    const price = ladder.prices[index] ?? 0;
    const size = ladder.sizes[index] ?? 0;
    const kept = this.#random.next() < 0.5 ? 0 : this.#random.integer(size);
    if (kept === 0) {
      ladder.prices.splice(index, 1);
      ladder.sizes.splice(index, 1);
    } else {
      ladder.sizes[index] = kept;
    }
    this.#changes.push(price, kept);
    return ladder;
  }

  #take(listener: MarketListener): Ladder | undefined {
    const { bidTicks, askTicks } = this.#quote;
    const distance = (this.#referenceTicks - (bidTicks + askTicks) / 2) / PULL_TICKS;
    const pull = Math.max(-1, Math.min(1, distance)) * 0.4;
    const takerIsBuyer = this.#random.next() < 0.5 + pull;
    const isLiquidation =
      this.#liquidationOneIn > 0 && this.#random.integer(this.#liquidationOneIn) === 0;
    const ladder = takerIsBuyer ? this.#asks : this.#bids;
    let wanted = this.#orderLots() * (isLiquidation ? 5 : 1);
    while (wanted > 0) {
      const best = ladder.prices.length - 1;
      const priceTicks = ladder.prices[best] ?? 0;
      const size = ladder.sizes[best] ?? 0;
      // The last lot of the last level stays.
      const sizeLots = Math.min(wanted, best === 0 ? size - 1 : size);
      if (sizeLots <= 0) break;
      this.#tradeId += 1;
      const tradeId = this.#tradeId;
      listener.onTrade({ tradeId, priceTicks, sizeLots, takerIsBuyer, isLiquidation });
      this.#changes.push(priceTicks, size - sizeLots);
      if (size === sizeLots) {
        ladder.prices.pop();
        ladder.sizes.pop();
      } else {
        ladder.sizes[best] = size - sizeLots;
      }
      wanted -= sizeLots;
    }
    return this.#changes.length === 0 ? undefined : ladder;
  }

  #orderLots(): number {
    return 1 + this.#random.geometric(20) * (1 + this.#random.integer(10));
  }

  #push(ladder: Ladder, price: number): void {
    ladder.prices.push(price);
    ladder.sizes.push(this.#orderLots());
  }

  #isBetter(ladder: Ladder, price: number, than: number): boolean {
    return ladder.side === "bid" ? price > than : price < than;
  }

  #top(): MarketQuote {
    const bid = this.#bids.prices.length - 1;
    const ask = this.#asks.prices.length - 1;
    return {
      bidTicks: this.#bids.prices[bid] ?? 0,
      bidLots: this.#bids.sizes[bid] ?? 0,
      askTicks: this.#asks.prices[ask] ?? 0,
      askLots: this.#asks.sizes[ask] ?? 0,
    };
  }
}
