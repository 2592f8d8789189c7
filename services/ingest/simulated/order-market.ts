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
  /** The price believed in when the market opens: a whole number from 2. */
  readonly fairTicks: number;
  /** Deepest book of a side, at least 10; beyond it the worst level is withdrawn. */
  readonly levelsMax: number;
  /** Mean distance between neighbouring levels; 1 fills every tick. */
  readonly gapTicks: number;
  /** Mean size of an order. */
  readonly orderLots: number;
  /** One marketable order in so many is a liquidation; 0 for never. */
  readonly liquidationOneIn: number;
};

/** Levels of one side, the best one last, so that what changes most is at the cheap end. */
type Ladder = { readonly side: BookSide; readonly prices: number[]; readonly sizes: number[] };

/** A side never gets thinner than this by cancellation. */
const LEVELS_MIN = 3;
/** A side with less than this share of its levels is filled up before anything else. */
const THIN_SHARE = 0.75;
/** Levels that one order takes, or that one participant changes at once. */
const SWEEP_LEVELS_MAX = 8;
const REFILL_LEVELS_MAX = 12;
/** What a step is while the price stands still; the rest fills up or resizes deep levels. */
const ARRIVE_SHARE = 0.42;
const CANCEL_SHARE = 0.26;
const TAKE_SHARE = 0.16;
/** Gaps between the price believed in and a side's best from where somebody improves on it. */
const IMPROVE_GAPS = 3;
/** Factors of the mean order size, one as likely as the other: a few orders are huge. */
const ORDER_FACTORS = [0.05, 0.1, 0.2, 0.4, 0.8, 1, 1.2, 4.25];
/** The steps of sizes that people type: 1, 2 or 5 and noughts. */
const ROUND_SIZES = [5, 2, 1];

/**
 * One instrument's market: limit orders arrive around the price that its participants believe in,
 * are cancelled, and are taken by marketable orders; orders that the price has left behind are
 * swept or withdrawn. The book is never empty on either side and never crossed. The same random
 * numbers and prices give the same market.
 */
export class OrderMarket {
  readonly #random: SeededRandom;
  readonly #options: OrderMarketOptions;
  readonly #bids: Ladder = { side: "bid", prices: [], sizes: [] };
  readonly #asks: Ladder = { side: "ask", prices: [], sizes: [] };
  readonly #changes: number[] = [];
  #fairTicks: number;
  #lean = 0;
  #updateId = 0;
  #tradeId = 0;
  #quote: MarketQuote;

  constructor(options: OrderMarketOptions) {
    this.#random = options.random;
    this.#options = options;
    this.#fairTicks = options.fairTicks;
    for (const ladder of [this.#bids, this.#asks]) {
      this.#insertLast(ladder, options.fairTicks + (ladder.side === "bid" ? -1 : 1));
      this.#extend(ladder, options.levelsMax - 1);
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

  /**
   * What participants believe from now on: the price, and from -1 to 1 whether they rather sell or
   * rather buy.
   */
  believe(fairTicks: number, lean: number): void {
    this.#fairTicks = Math.max(2, fairTicks);
    this.#lean = lean;
  }

  /** What one participant does: one delta on one side, with the trades that it comes from. */
  step(listener: MarketListener): void {
    this.#changes.length = 0;
    const changed = this.#act(listener);
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

  #act(listener: MarketListener): Ladder {
    const kind = this.#random.next();
    const ladder = this.#random.next() < 0.5 ? this.#bids : this.#asks;
    // What would empty a side, or has nothing to change, becomes an arrival.
    return (
      this.#catchUp(kind, listener) ?? this.#trade(kind, ladder, listener) ?? this.#arrive(ladder)
    );
  }

  /** Where the price has moved away from the book, the book follows. */
  #catchUp(kind: number, listener: MarketListener): Ladder | undefined {
    const { levelsMax, gapTicks } = this.#options;
    const thin = this.#bids.prices.length < this.#asks.prices.length ? this.#bids : this.#asks;
    if (thin.prices.length < levelsMax * THIN_SHARE && kind < 0.5) {
      this.#extend(thin, Math.min(REFILL_LEVELS_MAX, levelsMax - thin.prices.length));
      if (this.#changes.length > 0) return thin;
    }
    const { bidTicks, askTicks } = this.#quote;
    const fair = this.#fairTicks;
    if (fair > askTicks || fair < bidTicks) {
      const stale = fair > askTicks ? this.#asks : this.#bids;
      if (kind < 0.25) return this.#sweep(stale, listener);
      if (kind < 0.95) return this.#withdraw(stale);
      return undefined;
    }
    const far = fair - bidTicks > askTicks - fair ? this.#bids : this.#asks;
    const distance = far === this.#bids ? fair - bidTicks : askTicks - fair;
    return distance > IMPROVE_GAPS * gapTicks + 1 && kind < 0.7 ? this.#improve(far) : undefined;
  }

  #trade(kind: number, ladder: Ladder, listener: MarketListener): Ladder | undefined {
    if (kind < ARRIVE_SHARE) return undefined;
    if (kind < ARRIVE_SHARE + CANCEL_SHARE) return this.#cancel(ladder);
    if (kind >= ARRIVE_SHARE + CANCEL_SHARE + TAKE_SHARE) return this.#refill(ladder);
    const takerIsBuyer = this.#random.next() < 0.5 + 0.25 * this.#lean;
    const hit = takerIsBuyer ? this.#asks : this.#bids;
    return this.#take(hit, { wanted: this.#orderLots(), listener });
  }

  #arrive(ladder: Ladder): Ladder {
    const { gapTicks, levelsMax } = this.#options;
    const { prices, sizes } = ladder;
    const size = this.#orderLots();
    let price: number;
    if (this.#random.next() < 0.5) {
      price = prices[this.#indexNearTop(ladder)] ?? 0;
    } else {
      const distance = Math.floor(this.#random.exponential(3 * gapTicks));
      const anchor = this.#anchor(ladder);
      price = ladder.side === "bid" ? Math.max(1, anchor - distance) : anchor + distance;
    }
    // A full book takes nothing that is worse than its worst level.
    const worst = prices[0] ?? 0;
    if (prices.length >= levelsMax && isBetter(ladder, worst, price)) price = worst;
    let index = prices.length;
    while (index > 0 && isBetter(ladder, prices[index - 1] ?? 0, price)) index -= 1;
    if (index > 0 && prices[index - 1] === price) {
      const total = (sizes[index - 1] ?? 0) + size;
      sizes[index - 1] = total;
      this.#changes.push(price, total);
      return ladder;
    }
    prices.splice(index, 0, price);
    sizes.splice(index, 0, size);
    this.#changes.push(price, size);
    this.#trim(ladder);
    return ladder;
  }

  #cancel(ladder: Ladder): Ladder | undefined {
    if (ladder.prices.length <= LEVELS_MIN) return undefined;
    const index = this.#indexNearTop(ladder);
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

  /** One order takes what is offered at prices that nobody believes in any more. */
  #sweep(stale: Ladder, listener: MarketListener): Ladder | undefined {
    const { prices, sizes } = stale;
    let wanted = 0;
    for (let taken = 0; taken < SWEEP_LEVELS_MAX; taken += 1) {
      const index = prices.length - 1 - taken;
      if (index < 0 || !isBetter(stale, prices[index] ?? 0, this.#fairTicks)) break;
      wanted += sizes[index] ?? 0;
    }
    return this.#take(stale, { wanted, listener });
  }

  /** Participants withdraw orders at prices that nobody believes in any more. */
  #withdraw(stale: Ladder): Ladder | undefined {
    const { prices, sizes } = stale;
    for (let left = SWEEP_LEVELS_MAX; left > 0 && prices.length > LEVELS_MIN; left -= 1) {
      const price = prices.at(-1) ?? 0;
      if (!isBetter(stale, price, this.#fairTicks)) break;
      prices.pop();
      sizes.pop();
      this.#changes.push(price, 0);
    }
    return this.#changes.length === 0 ? undefined : stale;
  }

  /** New levels between the best one and the price believed in. */
  #improve(ladder: Ladder): Ladder | undefined {
    const best = ladder.prices.at(-1) ?? 0;
    const direction = ladder.side === "bid" ? -1 : 1;
    const added: number[] = [];
    let price = this.#anchor(ladder);
    while (added.length < SWEEP_LEVELS_MAX && price >= 1 && isBetter(ladder, price, best)) {
      added.push(price);
      price += direction * this.#gap(1);
    }
    for (const each of added.toReversed()) this.#insertLast(ladder, each);
    this.#trim(ladder);
    return this.#changes.length === 0 ? undefined : ladder;
  }

  /** Deep levels: where some are missing they are added, else a few get new sizes. */
  #refill(ladder: Ladder): Ladder | undefined {
    const { prices, sizes } = ladder;
    const missing = this.#options.levelsMax - prices.length;
    this.#extend(ladder, Math.min(REFILL_LEVELS_MAX / 2, missing));
    if (this.#changes.length > 0) return ladder;
    const first = this.#random.integer(prices.length);
    for (let index = first; index < Math.min(first + 3, prices.length); index += 1) {
      const size = this.#orderLots() + this.#orderLots();
      sizes[index] = size;
      this.#changes.push(prices[index] ?? 0, size);
    }
    return ladder;
  }

  /** Adds so many levels at the far end, fewer where the prices end. */
  #extend(ladder: Ladder, count: number): void {
    const direction = ladder.side === "bid" ? -1 : 1;
    const added: number[] = [];
    for (let price = ladder.prices[0] ?? 0; added.length < count;) {
      price += direction * this.#gap(1.5);
      if (price < 1) break;
      added.push(price);
    }
    if (added.length === 0) return;
    const sizes = added.map(() => this.#orderLots() + this.#orderLots());
    for (const [index, price] of added.entries()) this.#changes.push(price, sizes[index] ?? 0);
    ladder.prices.unshift(...added.toReversed());
    ladder.sizes.unshift(...sizes.toReversed());
  }

  #trim(ladder: Ladder): void {
    while (ladder.prices.length > this.#options.levelsMax) {
      this.#changes.push(ladder.prices.shift() ?? 0, 0);
      ladder.sizes.shift();
    }
  }

  #take(
    ladder: Ladder,
    { wanted, listener }: { readonly wanted: number; readonly listener: MarketListener },
  ): Ladder | undefined {
    const { liquidationOneIn } = this.#options;
    const isLiquidation = liquidationOneIn > 0 && this.#random.integer(liquidationOneIn) === 0;
    const takerIsBuyer = ladder.side === "ask";
    let left = wanted * (isLiquidation ? 5 : 1);
    for (let taken = 0; taken < SWEEP_LEVELS_MAX && left > 0; taken += 1) {
      const best = ladder.prices.length - 1;
      const priceTicks = ladder.prices[best] ?? 0;
      const size = ladder.sizes[best] ?? 0;
      // The last lot of the last level stays.
      const sizeLots = Math.min(left, best === 0 ? size - 1 : size);
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
      left -= sizeLots;
    }
    return this.#changes.length === 0 ? undefined : ladder;
  }

  /** The best price that an order of this side may have without crossing or being disbelieved. */
  #anchor(ladder: Ladder): number {
    const bestBid = this.#bids.prices.at(-1) ?? 0;
    const bestAsk = this.#asks.prices.at(-1) ?? 0;
    if (ladder.side === "bid") return Math.min(bestAsk - 1, Math.floor(this.#fairTicks));
    return Math.max(bestBid + 1, Math.ceil(this.#fairTicks));
  }

  #indexNearTop(ladder: Ladder): number {
    const last = ladder.prices.length - 1;
    return Math.max(0, last - Math.floor(this.#random.exponential(6)));
  }

  /** The distance to the next level: at least one tick, `factor` times the mean gap on average. */
  #gap(factor: number): number {
    return 1 + Math.floor(this.#random.exponential((this.#options.gapTicks - 1) * factor));
  }

  /** A third of all sizes are round ones, as people type them. */
  #orderLots(): number {
    const factor = ORDER_FACTORS[this.#random.integer(ORDER_FACTORS.length)] ?? 1;
    const lots = 1 + Math.floor(this.#random.exponential(this.#options.orderLots * factor));
    return this.#random.next() < 1 / 3 ? roundLots(lots) : lots;
  }

  /** A new best level of this price. */
  #insertLast(ladder: Ladder, price: number): void {
    const size = this.#orderLots();
    ladder.prices.push(price);
    ladder.sizes.push(size);
    this.#changes.push(price, size);
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

function isBetter(ladder: Ladder, price: number, than: number): boolean {
  return ladder.side === "bid" ? price > than : price < than;
}

/** The next lower 1, 2 or 5 with noughts: 2000 for 4321. */
function roundLots(lots: number): number {
  let unit = 1;
  while (unit * 10 <= lots) unit *= 10;
  return unit * (ROUND_SIZES.find((digit) => digit * unit <= lots) ?? 1);
}
