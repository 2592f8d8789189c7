import { addMinute, type MinuteCandle } from "./market-statistics.ts";
import { TETHER_SYMBOL, type SimulatedInstrument } from "./simulated-instruments.ts";

type SimulatedPastOptions = {
  /** The same seed gives the same past. */
  readonly seed: number;
  /** Times each instrument's own volatility. */
  readonly volatility: number;
  /** Book changes a second of the busiest spot instrument; see the settings. */
  readonly eventsPerSecond: number | "max";
};

const MINUTE_US = 60_000_000;
/** The market has no time before: 2020-01-01, in minutes since 1970. */
export const PAST_FIRST_MINUTE = 26_297_280;

/** The walk is a sum of waves of these lengths in minutes: each about 4 times the next. */
const WAVE_MINUTES = [40_320, 10_080, 2_880, 720, 180, 45, 11, 3, 1] as const;
/** A wave's height, compared with how far the price wanders in its length. */
const WAVE_HEIGHT = 0.7;
/** How much of the first market's walk each other one takes over. */
const LEADER_SHARE = 0.7;
const BPS = 1e-4;
/** The price stays within this factor of the instrument's own, as it does in the live market. */
const FACTOR_MAX = 4;
const HOURS_OF_DAY = 24;
const MINUTES_OF_HOUR = 60;
/** Trades for each book change. */
const TRADE_SHARE = 0.16;
/** At the rate "max", the past is that of a market of the usual rate. */
const USUAL_EVENTS_PER_SECOND = 20;
/** What is drawn of one minute, each from a row of its own. */
const DRAW = { wickUp: 101, wickDown: 102, trades: 103, size: 104 } as const;

/** What one instrument's past is computed from. */
type PastMarket = {
  readonly instrument: SimulatedInstrument;
  readonly row: number;
  /** Perpetuals, and markets in USDT, share the row of what they follow. */
  readonly priceRow: number;
  /** Of one minute's return. */
  readonly sigma: number;
  readonly leader: PastMarket | undefined;
  /** Says what a USDT was worth, where prices are in USDT. */
  readonly tether: PastMarket | undefined;
};

/**
 * What happened at the simulated venue before it began to run: a price for every moment since 2020,
 * and one candle for every minute. Nothing is kept; each minute follows from the seed alone, so
 * that any range gives the same whenever it is asked for.
 */
export class SimulatedPast {
  readonly #options: SimulatedPastOptions;
  readonly #markets = new Map<string, PastMarket>();
  #leader: PastMarket | undefined;

  constructor(options: SimulatedPastOptions) {
    this.#options = options;
  }

  /** Takes an instrument in; what it follows comes before it. */
  add(instrument: SimulatedInstrument): void {
    const row = this.#markets.size;
    const { underlying = instrument.follows } = instrument;
    const shared = this.#markets.get(underlying ?? "");
    const leader = instrument.isPegged ? undefined : this.#leader;
    const isInTether = instrument.quote === "USDT";
    const market: PastMarket = {
      instrument,
      row,
      priceRow: shared?.priceRow ?? row,
      sigma: instrument.volatilityBps * this.#options.volatility * BPS * Math.sqrt(60),
      leader: shared === undefined ? leader : shared.leader,
      tether: isInTether ? this.#markets.get(TETHER_SYMBOL) : undefined,
    };
    this.#leader ??= market;
    this.#markets.set(instrument.symbol, market);
  }

  /** What participants believed the price to be, in ticks; from 2. */
  priceTicks(symbol: string, timeUs: number): number {
    return this.#priceAt(this.#market(symbol), timeUs / MINUTE_US);
  }

  /** The candle of a minute, which is counted from 1970. Undefined before 2020. */
  minute(symbol: string, minute: number): MinuteCandle | undefined {
    if (minute < PAST_FIRST_MINUTE) return undefined;
    const market = this.#market(symbol);
    const { instrument, row, sigma } = market;
    const openTicks = this.#priceAt(market, minute);
    const closeTicks = this.#priceAt(market, minute + 1);
    const wickTicks = openTicks * sigma * 0.5;
    const draw = (what: number): number => this.#draw(row, what, minute);
    const highTicks = Math.max(openTicks, closeTicks) + Math.round(wickTicks * draw(DRAW.wickUp));
    const lowest = Math.min(openTicks, closeTicks) - Math.round(wickTicks * draw(DRAW.wickDown));
    const lowTicks = Math.max(1, lowest);
    const { eventsPerSecond } = this.#options;
    const rate = eventsPerSecond === "max" ? USUAL_EVENTS_PER_SECOND : eventsPerSecond;
    const meanTrades = rate * instrument.pace * TRADE_SHARE * 60;
    const tradeCount = 1 + Math.floor(meanTrades * (0.4 + 1.2 * draw(DRAW.trades)));
    const meanLots = instrument.orderLots * (0.6 + 0.8 * draw(DRAW.size));
    const volumeLots = BigInt(Math.max(1, Math.round(tradeCount * meanLots)));
    const middleTicks = Math.round((openTicks + highTicks + lowTicks + closeTicks) / 4);
    return {
      openTimeUs: minute * MINUTE_US,
      openTicks,
      highTicks,
      lowTicks,
      closeTicks,
      volumeLots,
      turnover: volumeLots * BigInt(middleTicks),
      tradeCount,
    };
  }

  /** The hours of the day that ends then, at a whole minute, oldest first. */
  hoursBefore(symbol: string, timeUs: number): MinuteCandle[] {
    const endMinute = Math.floor(timeUs / MINUTE_US);
    const hours: MinuteCandle[] = [];
    for (let hour = HOURS_OF_DAY; hour > 0; hour -= 1) {
      const first = endMinute - hour * MINUTES_OF_HOUR;
      let sum: MinuteCandle | undefined;
      for (let minute = first; minute < first + MINUTES_OF_HOUR; minute += 1) {
        const next = this.minute(symbol, minute);
        if (next === undefined || sum === undefined) sum = next;
        else addMinute(sum, next);
      }
      if (sum !== undefined) hours.push(sum);
    }
    return hours;
  }

  #priceAt(market: PastMarket, minute: number): number {
    const { referenceTicks } = market.instrument;
    const own = this.#walk(market, minute);
    const { leader, tether } = market;
    const walked =
      leader === undefined
        ? own
        : this.#walk(leader, minute) * LEADER_SHARE + own * (1 - LEADER_SHARE / 2);
    const worth = tether === undefined ? 0 : this.#walk(tether, minute);
    const factor = Math.min(FACTOR_MAX, Math.max(1 / FACTOR_MAX, Math.exp(walked - worth)));
    return Math.max(2, Math.round(referenceTicks * factor));
  }

  /** The logarithm of the price, compared with the instrument's own. */
  #walk({ priceRow, sigma }: PastMarket, minute: number): number {
    let sum = 0;
    for (const [wave, length] of WAVE_MINUTES.entries()) {
      const position = minute / length;
      const begin = Math.floor(position);
      const part = position - begin;
      const from = this.#draw(priceRow, wave, begin) * 2 - 1;
      const to = this.#draw(priceRow, wave, begin + 1) * 2 - 1;
      // Smooth where two parts of a wave meet.
      const weight = part * part * (3 - 2 * part);
      sum += (from + (to - from) * weight) * Math.sqrt(length);
    }
    return sum * sigma * WAVE_HEIGHT;
  }

  /** In [0, 1): the same for the same row, kind and place. */
  #draw(row: number, kind: number, place: number): number {
    let mixed = Math.imul(this.#options.seed ^ Math.imul(row + 1, 0x9e3779b1), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13) ^ Math.imul(kind + 1, 0xc2b2ae35), 0x27d4eb2f);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ place, 0x165667b1);
    mixed = Math.imul(mixed ^ (mixed >>> 14), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 4_294_967_296;
  }

  #market(symbol: string): PastMarket {
    const market = this.#markets.get(symbol);
    if (market === undefined) throw new RangeError(`the simulated market has no ${symbol}`);
    return market;
  }
}
