import type { Tick } from "./tick.ts";
import type { Units } from "./units.ts";

/** What the strategy wants to have in the market; a side that is absent is not quoted. */
type WantedQuotes = { readonly bid?: Units; readonly ask?: Units };

export type StrategyOptions = {
  /** Distance of each quote from the fair price at least. */
  readonly halfSpreadMin: Units;
  /** And so many times the usual move of the price. */
  readonly volatilityFactor: number;
  /** Position at which quotes are moved by a whole half spread. */
  readonly positionMax: Units;
  /** Quotes stay where they are while they are off by less. */
  readonly requoteMin: Units;
  /** Time over which the price and its moves are averaged. */
  readonly averageUs: number;
};

/**
 * A market maker as simple as one can be: quotes around an average of the mid price, wider when it
 * moves more, and moved against the position that it has. It sees ticks and their times and nothing
 * else, neither a clock nor a random number, so that the same ticks give the same quotes.
 */
export class Strategy {
  readonly #options: StrategyOptions;
  #fair: number | undefined;
  #move = 0;
  #lastMid = 0;
  #lastTimeUs = 0;
  #wanted: WantedQuotes = {};

  constructor(options: StrategyOptions) {
    this.#options = options;
  }

  /** What to quote after a tick, given the position. */
  onTick(tick: Tick, position: Units): WantedQuotes {
    if (tick.kind === "quote") this.#learn((tick.bid + tick.ask) / 2, tick.timeUs);
    const fair = this.#fair;
    if (fair === undefined) return this.#wanted;
    const { halfSpreadMin, volatilityFactor, positionMax } = this.#options;
    const half = Math.max(halfSpreadMin, volatilityFactor * this.#move);
    const skew = (position / positionMax) * half;
    const bid = Math.floor(fair - half - skew);
    const ask = Math.max(bid + 1, Math.ceil(fair + half - skew));
    this.#wanted = {
      ...(position >= positionMax ? {} : { bid: this.#settled(this.#wanted.bid, bid) }),
      ...(position <= -positionMax ? {} : { ask: this.#settled(this.#wanted.ask, ask) }),
    };
    return this.#wanted;
  }

  /** The stream is broken: what was learnt is not worth anything. */
  onBreak(): void {
    this.#fair = undefined;
    this.#wanted = {};
  }

  /** Takes the next mid price into the averages, which weigh by time. */
  #learn(mid: number, timeUs: number): void {
    if (this.#fair === undefined) {
      this.#fair = mid;
      this.#move = 0;
    } else {
      const weight =
        1 - Math.exp(-Math.max(0, timeUs - this.#lastTimeUs) / this.#options.averageUs);
      this.#fair += weight * (mid - this.#fair);
      this.#move += weight * (Math.abs(mid - this.#lastMid) - this.#move);
    }
    this.#lastMid = mid;
    this.#lastTimeUs = timeUs;
  }

  #settled(now: Units | undefined, next: Units): Units {
    return now !== undefined && Math.abs(now - next) < this.#options.requoteMin ? now : next;
  }
}
