import type { SeededRandom } from "./seeded-random.ts";

/** What a market is like for a while. Rates are per second of the market's own time. */
type Regime = {
  /** Basis points a second, up or down as drawn when the regime begins. */
  readonly driftBps: number;
  /** Times the instrument's own volatility. */
  readonly volatility: number;
  /** Times the instrument's own pace. */
  readonly activity: number;
  /** How long it lasts on average. */
  readonly secondsMean: number;
  /** How likely it comes next, out of the sum of all weights. */
  readonly weight: number;
};

/** Over a long time the mean activity is 1.07: bursts are short. */
export const REGIMES = {
  quiet: { driftBps: 0, volatility: 0.5, activity: 0.5, secondsMean: 60, weight: 20 },
  normal: { driftBps: 0, volatility: 1, activity: 1, secondsMean: 90, weight: 35 },
  trend: { driftBps: 0.6, volatility: 1, activity: 1.4, secondsMean: 45, weight: 25 },
  volatile: { driftBps: 0, volatility: 2.2, activity: 2, secondsMean: 30, weight: 12 },
  burst: { driftBps: 2.5, volatility: 3, activity: 5, secondsMean: 6, weight: 8 },
} as const satisfies Record<string, Regime>;

export type RegimeName = keyof typeof REGIMES;

type PricePathOptions = {
  readonly random: SeededRandom;
  readonly startTicks: number;
  /** Where it is when the market opens; at `startTicks` if absent. */
  readonly openTicks?: number;
  /** Standard deviation of one second's return in a normal market, in basis points. */
  readonly volatilityBps: number;
  /** The market that this one partly follows, such as that of BTC. */
  readonly leader: PricePath | undefined;
};

/** The price moves in pulses of this length, whatever the pace of the orders is. */
export const PULSE_US = 100_000;
/** After a longer pause (a sleeping machine) the time between is left out. */
export const PULSES_MAX = 600;
const PULSES_PER_SECOND = 1_000_000 / PULSE_US;
const WEIGHTS = Object.values(REGIMES).reduce((sum, { weight }) => sum + weight, 0);
/** How much of its leader's return a market takes over. */
const LEADER_SHARE = 0.7;
/** The pull towards the starting price: an excursion halves in about 80 minutes. */
const PULL_PER_SECOND = 1 / 7_000;
/** The price stays within this factor of where it started. */
const FACTOR_MAX = 4;
const BPS = 1e-4;

/**
 * The price that one market's participants believe in: a random walk through regimes (quiet,
 * normal, trend, volatile, burst), pulled gently to where it started. The same random numbers and
 * times give the same path.
 */
export class PricePath {
  readonly #options: PricePathOptions;
  #fairTicks: number;
  #leaderTicks: number;
  #regime: RegimeName = "normal";
  #direction: -1 | 1 = 1;
  #pulsesLeft = 0;
  #nextPulseUs = 0;

  constructor(options: PricePathOptions) {
    this.#options = options;
    this.#fairTicks = options.openTicks ?? options.startTicks;
    this.#leaderTicks = options.leader?.fairTicks ?? 1;
    this.#pulsesLeft = this.#drawPulses("normal");
  }

  /** The price believed in, in ticks with a fraction; at least 2. */
  get fairTicks(): number {
    return this.#fairTicks;
  }

  get regime(): RegimeName {
    return this.#regime;
  }

  /** Times the usual pace. */
  get activity(): number {
    return REGIMES[this.#regime].activity;
  }

  /** From -1 to 1: whether those who trade rather sell or rather buy. */
  get lean(): number {
    return REGIMES[this.#regime].driftBps === 0 ? 0 : this.#direction;
  }

  /** Brings the path to this time, which never goes back. */
  advance(timeUs: number): void {
    if (timeUs < this.#nextPulseUs) return;
    this.#options.leader?.advance(timeUs);
    this.#followLeader();
    const begin = timeUs - (timeUs % PULSE_US);
    const first = this.#nextPulseUs === 0 ? begin : this.#nextPulseUs;
    const pulses = Math.min(PULSES_MAX, (begin - first) / PULSE_US + 1);
    for (let pulse = 0; pulse < pulses; pulse += 1) this.#pulse();
    this.#nextPulseUs = begin + PULSE_US;
  }

  #followLeader(): void {
    const { leader } = this.#options;
    if (leader === undefined) return;
    const change = (leader.fairTicks - this.#leaderTicks) / this.#leaderTicks;
    this.#leaderTicks = leader.fairTicks;
    this.#move(change * LEADER_SHARE);
  }

  #pulse(): void {
    const { random, startTicks, volatilityBps, leader } = this.#options;
    this.#pulsesLeft -= 1;
    if (this.#pulsesLeft <= 0) this.#changeRegime();
    const { driftBps, volatility } = REGIMES[this.#regime];
    const noise = (random.symmetric() + random.symmetric() + random.symmetric()) / Math.sqrt(3);
    const own = leader === undefined ? 1 : 1 - LEADER_SHARE / 2;
    const spread = volatilityBps * volatility * own * Math.sqrt(1 / PULSES_PER_SECOND);
    const drift = (driftBps * volatilityBps * this.#direction) / PULSES_PER_SECOND;
    const pull = ((1 - this.#fairTicks / startTicks) * PULL_PER_SECOND) / PULSES_PER_SECOND;
    this.#move((noise * spread + drift) * BPS + pull);
  }

  #move(change: number): void {
    const { startTicks } = this.#options;
    const moved = this.#fairTicks * (1 + change);
    const bounded = Math.min(startTicks * FACTOR_MAX, Math.max(startTicks / FACTOR_MAX, moved));
    this.#fairTicks = Math.max(2, bounded);
  }

  #changeRegime(): void {
    const { random } = this.#options;
    let drawn = random.integer(WEIGHTS);
    for (const name of Object.keys(REGIMES) as RegimeName[]) {
      drawn -= REGIMES[name].weight;
      if (drawn >= 0) continue;
      this.#regime = name;
      break;
    }
    this.#direction = random.next() < 0.5 ? -1 : 1;
    this.#pulsesLeft = this.#drawPulses(this.#regime);
  }

  /** At least a second of a regime, so that each can be seen. */
  #drawPulses(name: RegimeName): number {
    const seconds = 1 + this.#options.random.exponential(REGIMES[name].secondsMean - 1);
    return Math.round(seconds * PULSES_PER_SECOND);
  }
}
