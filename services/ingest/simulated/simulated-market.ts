import { formatDecimal, fromBigInt } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import { MarketStatistics, type MinuteCandle } from "./market-statistics.ts";
import {
  type BookSide,
  type MarketListener,
  type MarketQuote,
  type MarketTrade,
  OrderMarket,
} from "./order-market.ts";
import { PricePath } from "./price-path.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { SimulatedInstrument } from "./simulated-instruments.ts";

/** Takes the frames of one instrument's channels. */
export type MarketAudience = {
  /** Whether anybody listens; frames for nobody are not made. */
  has(channel: Channel): boolean;
  send(channel: Channel, frame: string): void;
  /** Whether the next quote is to be a wrong one, whose bid is above its ask. */
  isCrossed(): boolean;
};

type SimulatedMarketOptions = {
  readonly instrument: SimulatedInstrument;
  /** The same seed gives the same market. */
  readonly seed: number;
  readonly audience: MarketAudience;
  /** The market of the spot instrument that a perpetual follows. */
  readonly underlying: SimulatedMarket | undefined;
  /** The market whose moves this one shares in part; undefined for the first. */
  readonly leader: SimulatedMarket | undefined;
  /** The market in USD whose price this one has in USDT, and that of USDT; undefined for others. */
  readonly followed: SimulatedMarket | undefined;
  readonly tether: SimulatedMarket | undefined;
  /** The price at which the market opens. */
  readonly openTicks: number;
  /** Hours before a moment, oldest first, that its 24 h statistics begin with. */
  readonly dayBefore: (timeUs: number) => readonly MinuteCandle[];
  readonly bookLevels: number;
  /** Times the instrument's own volatility. */
  readonly volatility: number;
};

const FUNDING_INTERVAL_US = 8 * 3_600_000_000;
const CANDLE_INTERVAL_MS = 60_000;
const LIQUIDATION_ONE_IN = 200;
/** Open interest at the start, in mean orders. */
const OPEN_INTEREST_ORDERS = 50_000;
/** A perpetual's price is so far from its index at most, and so far it wanders in a second. */
const PREMIUM_BPS_MAX = 8;
const PREMIUM_BPS_STEP = 0.3;
/** The same of a market in USDT, against what it would cost through USD. */
const TETHER_PREMIUM_BPS_MAX = 2;
const TETHER_PREMIUM_BPS_STEP = 0.1;
const MINUTE_US = 60_000_000;
/** Funding per interval: 0.01 % plus the premium, within 0.75 %; integers of 10^-8. */
const FUNDING_BASE = 10_000;
const FUNDING_MAX = 750_000;
const FUNDING_SCALE = 8;

/**
 * One instrument of the simulated venue: runs its order market and puts what happens into frames.
 * Every frame is JSON with decimals as text and times in microseconds.
 */
export class SimulatedMarket implements MarketListener {
  readonly instrument: SimulatedInstrument;
  readonly #options: SimulatedMarketOptions;
  readonly #random: SeededRandom;
  readonly #path: PricePath;
  readonly #market: OrderMarket;
  readonly #statistics = new MarketStatistics();
  #timeUs = 0;
  #candleChanged = false;
  #openInterestLots: number;
  #premiumBps = 0;
  #hasBegun = false;
  /** The market that says what a USDT is worth, where prices are in USDT. */
  readonly #tether: SimulatedMarket | undefined;
  #isHalted = false;

  constructor(options: SimulatedMarketOptions) {
    const { instrument, seed, leader, underlying, followed } = options;
    this.#options = options;
    this.instrument = instrument;
    this.#random = new SeededRandom(seed);
    this.#openInterestLots = instrument.orderLots * OPEN_INTEREST_ORDERS;
    // A perpetual has the path of its spot market, and one in USDT that of the one in USD. The path
    // draws from a row of its own, so that it depends on time alone, not on how many orders there
    // were.
    const shared = followed ?? underlying;
    this.#tether =
      followed !== undefined
        ? options.tether
        : underlying === undefined
          ? undefined
          : underlying.#tether;
    this.#path =
      shared === undefined
        ? new PricePath({
            random: new SeededRandom(~seed),
            startTicks: instrument.referenceTicks,
            openTicks: options.openTicks,
            volatilityBps: instrument.volatilityBps * options.volatility,
            leader: leader === undefined || instrument.isPegged ? undefined : leader.#path,
          })
        : shared.#path;
    this.#market = new OrderMarket({
      random: this.#random,
      fairTicks: options.openTicks,
      levelsMax: options.bookLevels,
      gapTicks: instrument.gapTicks,
      orderLots: instrument.orderLots,
      liquidationOneIn: instrument.kind === "perpetual" ? LIQUIDATION_ONE_IN : 0,
    });
  }

  /** How busy it is now, compared with its usual pace. */
  get activity(): number {
    return this.#path.activity;
  }

  /** Bid plus ask, in ticks: twice the middle, and so a whole number. */
  get doubleMidTicks(): number {
    const { bidTicks, askTicks } = this.#market.quote;
    return bidTicks + askTicks;
  }

  /** Nothing is traded, and the book stands still, while it is halted. */
  get isHalted(): boolean {
    return this.#isHalted;
  }

  halt(isHalted: boolean): void {
    this.#isHalted = isHalted;
  }

  /** One step of the market, at this time; nothing happens while it is halted. */
  step(timeUs: number): void {
    if (this.#isHalted) return;
    this.#timeUs = timeUs;
    this.#path.advance(timeUs);
    const fairTicks = this.#path.fairTicks * this.#rate() * (1 + this.#premiumBps / 10_000);
    this.#market.believe(fairTicks, this.#path.lean);
    this.#market.step(this);
  }

  /** Since when its own trades tell what happened; undefined before the first. */
  get firstTimeUs(): number | undefined {
    return this.#statistics.firstTimeUs;
  }

  /** The minute that starts then, as its trades made it. */
  minuteAt(openTimeUs: number): MinuteCandle | undefined {
    return this.#statistics.minuteAt(openTimeUs);
  }

  /** What comes by the clock and not by orders; to be called about once a second. */
  second(timeUs: number): void {
    this.#timeUs = timeUs;
    this.#begin(timeUs);
    // A market with few orders moves in time nevertheless.
    this.#path.advance(timeUs);
    this.#closeMinute();
    const candle = this.#statistics.current;
    if (candle !== undefined && this.#candleChanged) this.#sendCandle(candle, false);
    this.#candleChanged = false;
    this.#sendTicker();
    const { underlying } = this.#options;
    if (underlying !== undefined) this.#sendDerivative(underlying);
    else if (this.#tether !== undefined) {
      this.#wanderPremium(TETHER_PREMIUM_BPS_MAX, TETHER_PREMIUM_BPS_STEP);
    }
  }

  /** Its statistics begin with the day before, so that its first ticker is like any other. */
  #begin(timeUs: number): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const beginUs = this.#statistics.firstTimeUs ?? timeUs - (timeUs % MINUTE_US);
    this.#statistics.begin(this.#options.dayBefore(beginUs));
  }

  /** How many USDT one USD costs, compared with what it usually does; 1 in a market in USD. */
  #rate(): number {
    const tether = this.#tether;
    if (tether === undefined) return 1;
    return tether.instrument.referenceTicks / tether.#path.fairTicks;
  }

  /**
   * The frame that a new subscriber gets first; undefined for channels that begin with the next
   * event.
   */
  firstFrame(channel: Channel, timeUs: number): string | undefined {
    if (channel === "quotes") return this.#quoteFrame(this.#market.quote, timeUs);
    if (channel !== "book") return undefined;
    const { updateId } = this.#market;
    const bids = this.#levelsText(this.#market.levels("bid"));
    const asks = this.#levelsText(this.#market.levels("ask"));
    return (
      `{"e":"book","s":"${this.instrument.symbol}","snapshot":true,` +
      `"U":${updateId},"u":${updateId},"b":${bids},"a":${asks},"t":${timeUs}}`
    );
  }

  onTrade(trade: MarketTrade): void {
    this.#closeMinute();
    this.#statistics.onTrade(this.#timeUs, trade.priceTicks, trade.sizeLots);
    this.#candleChanged = true;
    this.#moveOpenInterest(trade);
    const { audience } = this.#options;
    const price = this.#price(trade.priceTicks);
    const size = this.#size(trade.sizeLots);
    const rest =
      `"s":"${this.instrument.symbol}","id":"${trade.tradeId}","p":"${price}","q":"${size}",` +
      `"side":"${trade.takerIsBuyer ? "buy" : "sell"}","t":${this.#timeUs}}`;
    if (audience.has("trades")) audience.send("trades", `{"e":"trade",${rest}`);
    if (trade.isLiquidation && audience.has("liquidations")) {
      audience.send("liquidations", `{"e":"liquidation",${rest}`);
    }
  }

  onDelta(side: BookSide, changes: readonly number[], updateId: number): void {
    const { audience } = this.#options;
    if (!audience.has("book")) return;
    const levels = this.#levelsText(changes);
    const sides = side === "bid" ? `"b":${levels},"a":[]` : `"b":[],"a":${levels}`;
    audience.send(
      "book",
      `{"e":"book","s":"${this.instrument.symbol}","U":${updateId},"u":${updateId},` +
        `${sides},"t":${this.#timeUs}}`,
    );
  }

  onQuote(quote: MarketQuote): void {
    const { audience } = this.#options;
    if (!audience.has("quotes")) return;
    const said = audience.isCrossed() ? { ...quote, bidTicks: quote.askTicks + 1 } : quote;
    audience.send("quotes", this.#quoteFrame(said, this.#timeUs));
  }

  #quoteFrame(quote: MarketQuote, timeUs: number): string {
    return (
      `{"e":"quote","s":"${this.instrument.symbol}",` +
      `"b":"${this.#price(quote.bidTicks)}","B":"${this.#size(quote.bidLots)}",` +
      `"a":"${this.#price(quote.askTicks)}","A":"${this.#size(quote.askLots)}","t":${timeUs}}`
    );
  }

  #closeMinute(): void {
    const closed = this.#statistics.closeMinute(this.#timeUs);
    if (closed !== undefined) this.#sendCandle(closed, true);
  }

  #sendCandle(candle: MinuteCandle, closed: boolean): void {
    const { audience } = this.#options;
    if (!audience.has("candles")) return;
    const frame = {
      e: "candle",
      s: this.instrument.symbol,
      interval: CANDLE_INTERVAL_MS,
      open: candle.openTimeUs,
      o: this.#price(candle.openTicks),
      h: this.#price(candle.highTicks),
      l: this.#price(candle.lowTicks),
      c: this.#price(candle.closeTicks),
      v: this.#sum(candle.volumeLots, this.instrument.sizeScale),
      q: this.#sum(candle.turnover, this.instrument.priceScale + this.instrument.sizeScale),
      n: candle.tradeCount,
      closed,
      t: this.#timeUs,
    };
    audience.send("candles", JSON.stringify(frame));
  }

  #sendTicker(): void {
    const { audience } = this.#options;
    if (!audience.has("ticker")) return;
    const day = this.#statistics.day(this.#timeUs);
    if (day === undefined) return;
    const { bidTicks, askTicks } = this.#market.quote;
    const frame = {
      e: "ticker",
      s: this.instrument.symbol,
      c: this.#price(day.lastTicks),
      Q: this.#size(day.lastLots),
      o: this.#price(day.openTicks),
      h: this.#price(day.highTicks),
      l: this.#price(day.lowTicks),
      v: this.#sum(day.volumeLots, this.instrument.sizeScale),
      q: this.#sum(day.turnover, this.instrument.priceScale + this.instrument.sizeScale),
      b: this.#price(bidTicks),
      a: this.#price(askTicks),
      t: this.#timeUs,
    };
    audience.send("ticker", JSON.stringify(frame));
  }

  /** The index is the middle of the spot market, the mark the middle of the perpetual's own. */
  #sendDerivative(underlying: SimulatedMarket): void {
    const { audience } = this.#options;
    const index = underlying.doubleMidTicks;
    const mark = this.doubleMidTicks;
    this.#wanderPremium(PREMIUM_BPS_MAX, PREMIUM_BPS_STEP);
    const s = this.instrument.symbol;
    const t = this.#timeUs;
    // Twice the middle, times 5, is the middle at one more digit.
    const scale = this.instrument.priceScale + 1;
    const [markPrice, indexPrice] = [
      formatDecimal(mark * 5, scale),
      formatDecimal(index * 5, scale),
    ];
    audience.send("mark-price", JSON.stringify({ e: "mark", s, p: markPrice, i: indexPrice, t }));
    const premium = Math.round(((mark - index) * 10 ** FUNDING_SCALE) / index);
    const bounded = Math.max(-FUNDING_MAX, Math.min(FUNDING_MAX, FUNDING_BASE + premium));
    const rate = formatDecimal(bounded, FUNDING_SCALE);
    const next = t - (t % FUNDING_INTERVAL_US) + FUNDING_INTERVAL_US;
    const interval = FUNDING_INTERVAL_US / 1000;
    audience.send("funding", JSON.stringify({ e: "funding", s, r: rate, next, interval, t }));
    const interest = this.#size(this.#openInterestLots);
    const value = this.#sum(
      BigInt(this.#openInterestLots) * BigInt(mark * 5),
      this.instrument.sizeScale + scale,
    );
    audience.send("open-interest", JSON.stringify({ e: "interest", s, q: interest, value, t }));
  }

  #wanderPremium(most: number, step: number): void {
    const moved = this.#premiumBps * 0.99 + this.#random.symmetric() * step;
    this.#premiumBps = Math.max(-most, Math.min(most, moved));
  }

  #moveOpenInterest(trade: MarketTrade): void {
    if (this.instrument.kind !== "perpetual") return;
    const opens = !trade.isLiquidation && this.#random.next() < 0.5;
    const change = opens ? trade.sizeLots : -trade.sizeLots;
    this.#openInterestLots = Math.max(0, this.#openInterestLots + change);
  }

  #levelsText(pairs: readonly number[]): string {
    let text = "[";
    for (let index = 0; index < pairs.length; index += 2) {
      const price = this.#price(pairs[index] ?? 0);
      const size = this.#size(pairs[index + 1] ?? 0);
      text += `${index === 0 ? "" : ","}["${price}","${size}"]`;
    }
    return `${text}]`;
  }

  #price(ticks: number): string {
    return formatDecimal(ticks, this.instrument.priceScale);
  }

  #size(lots: number): string {
    return formatDecimal(lots, this.instrument.sizeScale);
  }

  #sum(total: bigint, scale: number): string {
    return formatDecimal(fromBigInt(total), scale);
  }
}
