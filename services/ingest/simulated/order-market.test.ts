import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import {
  type BookSide,
  type MarketListener,
  type MarketQuote,
  type MarketTrade,
  OrderMarket,
} from "./order-market.ts";
import { SeededRandom } from "./seeded-random.ts";

const SEEDS = [1, 2, 3, 4, 5, 99];
const STEPS = 3000;

type Options = Partial<ConstructorParameters<typeof OrderMarket>[0]>;

function createMarket(seed: number, options: Options = {}): OrderMarket {
  return new OrderMarket({
    random: new SeededRandom(seed),
    fairTicks: 10_000,
    levelsMax: 50,
    gapTicks: 3,
    orderLots: 40,
    liquidationOneIn: 50,
    ...options,
  });
}

/** Rebuilds the book from what the market says, independently of how the market keeps it. */
class Witness implements MarketListener {
  readonly levels = { bid: new Map<number, number>(), ask: new Map<number, number>() };
  readonly log: string[] = [];
  readonly trades: MarketTrade[] = [];
  quote: MarketQuote;
  /** Levels as the trades of the step under way leave them. */
  #traded: { side: BookSide; price: number; size: number }[] = [];
  #updateId = 0;

  constructor(market: OrderMarket) {
    for (const side of ["bid", "ask"] as const) {
      const pairs = market.levels(side);
      for (let index = 0; index < pairs.length; index += 2) {
        this.levels[side].set(pairs[index] ?? 0, pairs[index + 1] ?? 0);
      }
    }
    this.quote = this.top();
  }

  onTrade(trade: MarketTrade): void {
    this.trades.push(trade);
    this.log.push(`trade ${JSON.stringify(trade)}`);
    const side = trade.takerIsBuyer ? "ask" : "bid";
    const best = side === "ask" ? this.top().askTicks : this.top().bidTicks;
    assert.equal(trade.priceTicks, best);
    const before = this.levels[side].get(best) ?? 0;
    assert.ok(trade.sizeLots > 0);
    assert.ok(trade.sizeLots <= before);
    this.#set(side, best, before - trade.sizeLots);
    this.#traded.push({ side, price: best, size: before - trade.sizeLots });
  }

  onDelta(side: BookSide, changes: readonly number[], updateId: number): void {
    this.log.push(`delta ${side} ${changes.join()} ${updateId}`);
    assert.equal(updateId, this.#updateId + 1);
    this.#updateId = updateId;
    assert.ok(changes.length > 0);
    const prices = changes.filter((_, index) => index % 2 === 0);
    assert.equal(new Set(prices).size, prices.length);
    // The delta of a step with trades says just what the trades have left.
    if (this.#traded.length > 0) {
      assert.ok(this.#traded.every((level) => level.side === side));
      assert.deepEqual(
        changes,
        this.#traded.flatMap(({ price, size }) => [price, size]),
      );
    }
    this.#traded = [];
    for (let index = 0; index < changes.length; index += 2) {
      this.#set(side, changes[index] ?? 0, changes[index + 1] ?? 0);
    }
  }

  onQuote(quote: MarketQuote): void {
    this.log.push(`quote ${JSON.stringify(quote)}`);
    assert.notDeepEqual(quote, this.quote);
    this.quote = quote;
  }

  top(): MarketQuote {
    const bidTicks = Math.max(...this.levels.bid.keys());
    const askTicks = Math.min(...this.levels.ask.keys());
    const bidLots = this.levels.bid.get(bidTicks) ?? 0;
    return { bidTicks, bidLots, askTicks, askLots: this.levels.ask.get(askTicks) ?? 0 };
  }

  #set(side: BookSide, price: number, size: number): void {
    assert.ok(Number.isSafeInteger(price) && price > 0);
    assert.ok(Number.isSafeInteger(size) && size >= 0);
    if (size === 0) this.levels[side].delete(price);
    else this.levels[side].set(price, size);
  }
}

describe.each(SEEDS)("the market of seed %i", (seed) => {
  test("trades at the best opposite price, and quotes the top of its book", () => {
    const market = createMarket(seed);
    const witness = new Witness(market);
    for (let step = 0; step < STEPS; step += 1) {
      // The price goes up and down by 300 ticks and jumps at times.
      const jump = step % 500 < 20 ? 100 : 0;
      market.believe(10_000 + 300 * Math.sin(step / 200) + jump, Math.sin(step / 50));
      market.step(witness);
      // Whether or not a quote was sent, the last one is the top of the book.
      expect(witness.quote).toEqual(witness.top());
      expect(witness.quote.bidTicks).toBeLessThan(witness.quote.askTicks);
    }
    for (const side of ["bid", "ask"] as const) {
      const levels = [...witness.levels[side]].toSorted(([a], [b]) =>
        side === "bid" ? b - a : a - b,
      );
      expect(market.levels(side)).toEqual(levels.flat());
    }
    expect(witness.trades.some((trade) => trade.takerIsBuyer)).toBe(true);
    expect(witness.trades.some((trade) => !trade.takerIsBuyer)).toBe(true);
    expect(witness.trades.some((trade) => trade.isLiquidation)).toBe(true);
    expect(witness.trades.map((trade) => trade.tradeId)).toEqual(
      witness.trades.map((_, index) => index + 1),
    );
  });

  test("is the same each time, and another for another seed", () => {
    const logs = [seed, seed, seed + 1000].map((each) => {
      const market = createMarket(each);
      const witness = new Witness(market);
      for (let step = 0; step < 200; step += 1) market.step(witness);
      return witness.log;
    });
    expect(logs[0]).toEqual(logs[1]);
    expect(logs[0]).not.toEqual(logs[2]);
  });
});

test("neither side grows beyond its limit or empties", () => {
  const market = createMarket(7, { levelsMax: 10 });
  const witness = new Witness(market);
  for (let step = 0; step < STEPS; step += 1) {
    market.step(witness);
    for (const side of ["bid", "ask"] as const) {
      expect(witness.levels[side].size).toBeGreaterThan(0);
      expect(witness.levels[side].size).toBeLessThanOrEqual(10);
    }
  }
});

test("prices stay above zero when they start at the bottom", () => {
  const market = createMarket(8, { fairTicks: 3 });
  const witness = new Witness(market);
  for (let step = 0; step < STEPS; step += 1) market.step(witness);
  expect(witness.top().bidTicks).toBeGreaterThan(0);
});

test.each([
  ["up at once", 10_400, 3],
  ["down at once", 9_600, 3],
  ["in a book with a level on each tick", 10_100, 1],
])("the book follows the price that is believed in: %s", (_, fairTicks, gapTicks) => {
  const market = createMarket(9, { gapTicks });
  const witness = new Witness(market);
  market.believe(fairTicks, 0);
  for (let step = 0; step < 400; step += 1) market.step(witness);
  const { bidTicks, askTicks } = witness.top();
  expect(Math.abs((bidTicks + askTicks) / 2 - fairTicks)).toBeLessThan(30);
  expect(askTicks - bidTicks).toBeLessThan(30);
});

test("a book is as deep as its limit, and stays at least half so while the price runs", () => {
  const market = createMarket(10, { levelsMax: 200 });
  const witness = new Witness(market);
  expect(market.levels("bid")).toHaveLength(400);
  expect(market.levels("ask")).toHaveLength(400);
  let thinnest = Infinity;
  for (let step = 0; step < STEPS; step += 1) {
    // A level's distance with every second step: faster than any regime.
    market.believe(10_000 + 1.5 * step, 1);
    market.step(witness);
    thinnest = Math.min(thinnest, witness.levels.bid.size, witness.levels.ask.size);
  }
  expect(thinnest).toBeGreaterThanOrEqual(100);
});

test("orders come in many sizes, some of them round", () => {
  const market = createMarket(11, { orderLots: 5_000, levelsMax: 500 });
  const sizes = market.levels("bid").filter((_, index) => index % 2 === 1);
  expect(Math.max(...sizes)).toBeGreaterThan(30_000);
  expect(Math.min(...sizes)).toBeLessThan(500);
  expect(new Set(sizes).size).toBeGreaterThan(300);
});
