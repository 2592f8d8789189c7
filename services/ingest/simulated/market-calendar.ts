import { SeededRandom } from "./seeded-random.ts";

/** What happens to the market as a venue runs it, and not by its orders. */
export type CalendarEvent = "halt" | "listing";

type MarketCalendarOptions = {
  readonly seed: number;
  /** Mean time between two halts; 0 for none. */
  readonly haltIntervalMs: number;
  /** Mean time between two listings or delistings; 0 for none. */
  readonly listingIntervalMs: number;
};

/** Nothing happens sooner than this, unless the mean is shorter. */
const DISTANCE_MS_MIN = 120_000;
const HALT_MS_MIN = 15_000;
const HALT_MS_REST = 45_000;
/** Of the events of listing, so many take something off the list. */
const DELISTING_SHARE = 0.4;

/** When instruments are halted, listed and delisted. The same seed gives the same calendar. */
export class MarketCalendar {
  readonly #options: MarketCalendarOptions;
  readonly #random: SeededRandom;
  readonly #nextUs: Record<CalendarEvent, number> = { halt: Infinity, listing: Infinity };

  constructor(options: MarketCalendarOptions) {
    this.#options = options;
    this.#random = new SeededRandom(Math.imul(options.seed, 0x27d4eb2f) ^ 0x165667b1);
  }

  /** Time counts from here. */
  start(monotonicUs: number): void {
    for (const event of ["halt", "listing"] as const) {
      this.#nextUs[event] = monotonicUs + this.#distanceUs(event);
    }
  }

  /** The next event that is due by now; undefined if none is left. */
  next(monotonicUs: number): CalendarEvent | undefined {
    for (const event of ["halt", "listing"] as const) {
      if (monotonicUs < this.#nextUs[event]) continue;
      this.#nextUs[event] = monotonicUs + this.#distanceUs(event);
      return event;
    }
    return undefined;
  }

  /** One of so many, at least 1. */
  choose(count: number): number {
    return this.#random.integer(count);
  }

  /** Whether something leaves the list rather than enters it. */
  isDelisting(): boolean {
    return this.#random.next() < DELISTING_SHARE;
  }

  haltMs(): number {
    return HALT_MS_MIN + Math.round(this.#random.exponential(HALT_MS_REST));
  }

  #distanceUs(event: CalendarEvent): number {
    const { haltIntervalMs, listingIntervalMs } = this.#options;
    const meanMs = event === "halt" ? haltIntervalMs : listingIntervalMs;
    if (meanMs === 0) return Infinity;
    const least = Math.min(meanMs, DISTANCE_MS_MIN);
    return Math.round((least + this.#random.exponential(meanMs - least)) * 1000);
  }
}
