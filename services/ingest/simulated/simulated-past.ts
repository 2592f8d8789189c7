import type { MinuteCandle } from "./market-statistics.ts";
import { SeededRandom } from "./seeded-random.ts";

/** What a market's past is made from. */
type PastOptions = {
  readonly seed: number;
  /** When the market opened: a whole minute, at which its past ends. */
  readonly endUs: number;
  /** What it opened with. */
  readonly endTicks: number;
  readonly days: number;
  /** Standard deviation of one second's return, in basis points. */
  readonly volatilityBps: number;
  readonly orderLots: number;
  /** Trades of a usual minute. */
  readonly tradesPerMinute: number;
};

const MINUTES_PER_DAY = 1_440;
const MINUTE_US = 60_000_000;
export const DAY_US = MINUTES_PER_DAY * MINUTE_US;
const BPS = 1e-4;
/** Between days a price moves by this share of what a walk without a pull would move by. */
const DAY_SHARE = 0.35;
/** The price of the past stays within this factor of where it ended. */
const FACTOR_MAX = 2;

/**
 * What a market's candles were before it opened: a random walk back in time that ends in the price
 * that the market opened with. A day is made by itself from the prices at its two ends, whenever it
 * is asked for, so that a long past costs nothing. The same options give the same past.
 */
export class SimulatedPast {
  readonly #options: PastOptions;
  /** The price at the end of each day, the latest first. */
  readonly #dayEnds: readonly number[];

  constructor(options: PastOptions) {
    this.#options = options;
    const random = new SeededRandom(options.seed);
    const { endTicks, volatilityBps, days } = options;
    const dayBps = volatilityBps * Math.sqrt(86_400) * DAY_SHARE;
    const ends = [endTicks];
    for (let day = 0; day < days; day += 1) {
      const moved = (ends[day] ?? endTicks) * (1 + random.symmetric() * dayBps * BPS);
      ends.push(Math.min(endTicks * FACTOR_MAX, Math.max(endTicks / FACTOR_MAX, moved)));
    }
    this.#dayEnds = ends;
  }

  /** End of the latest minute. */
  get endUs(): number {
    return this.#options.endUs;
  }

  /** The minutes of one day, oldest first; 0 is the day that ends with the past. */
  minutesOfDay(day: number): MinuteCandle[] {
    const { seed, endUs, days, volatilityBps, orderLots, tradesPerMinute } = this.#options;
    if (day < 0 || day >= days) return [];
    const random = new SeededRandom(Math.imul(seed ^ 0x51ed270b, 0x9e3779b1) + day);
    const endTicks = this.#dayEnds[day] ?? 0;
    const beginTicks = this.#dayEnds[day + 1] ?? endTicks;
    const minuteBps = volatilityBps * Math.sqrt(60) * BPS;
    const walk = bridge(random, { beginTicks, endTicks, minuteBps });
    const beginUs = endUs - (day + 1) * DAY_US;
    const minutes: MinuteCandle[] = [];
    for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
      const openTicks = whole(walk[minute] ?? 0);
      const closeTicks = whole(walk[minute + 1] ?? 0);
      const wick = (): number => random.exponential(0.35 * minuteBps * endTicks);
      const tradeCount = 1 + Math.floor(random.exponential(tradesPerMinute));
      const volumeLots = BigInt(tradeCount) * BigInt(1 + Math.floor(random.exponential(orderLots)));
      minutes.push({
        openTimeUs: beginUs + minute * MINUTE_US,
        openTicks,
        highTicks: whole(Math.max(openTicks, closeTicks) + wick()),
        lowTicks: whole(Math.min(openTicks, closeTicks) - wick()),
        closeTicks,
        volumeLots,
        turnover: (volumeLots * BigInt(openTicks + closeTicks)) / 2n,
        tradeCount,
      });
    }
    return minutes;
  }
}

/** A walk of so many minutes that begins and ends at given prices; one price more than minutes. */
function bridge(
  random: SeededRandom,
  of: { readonly beginTicks: number; readonly endTicks: number; readonly minuteBps: number },
): number[] {
  const steps = [0];
  for (let minute = 1; minute <= MINUTES_PER_DAY; minute += 1) {
    steps.push((steps[minute - 1] ?? 0) + random.symmetric() * of.minuteBps);
  }
  const drift = steps.at(-1) ?? 0;
  return steps.map((step, minute) => {
    const share = minute / MINUTES_PER_DAY;
    const line = of.beginTicks + (of.endTicks - of.beginTicks) * share;
    return line * (1 + Math.max(-0.4, Math.min(0.4, step - drift * share)));
  });
}

function whole(ticks: number): number {
  return Math.max(1, Math.round(ticks));
}

/** Minutes, oldest first, put together to candles of another length that is a multiple. */
export function mergeMinutes(minutes: Iterable<MinuteCandle>, intervalUs: number): MinuteCandle[] {
  const merged: MinuteCandle[] = [];
  for (const minute of minutes) {
    const openTimeUs = minute.openTimeUs - (minute.openTimeUs % intervalUs);
    const last = merged.at(-1);
    if (last?.openTimeUs !== openTimeUs) {
      merged.push({ ...minute, openTimeUs });
      continue;
    }
    last.highTicks = Math.max(last.highTicks, minute.highTicks);
    last.lowTicks = Math.min(last.lowTicks, minute.lowTicks);
    last.closeTicks = minute.closeTicks;
    last.volumeLots += minute.volumeLots;
    last.turnover += minute.turnover;
    last.tradeCount += minute.tradeCount;
  }
  return merged;
}
