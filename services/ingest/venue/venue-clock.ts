/**
 * 2009-01-03, when the first of the assets began to exist: no event can be older. Some venues write
 * "no time" as year 1 or 1970.
 */
export const VENUE_TIME_US_MIN = Date.UTC(2009, 0, 3) * 1000;

/** How far an event's time may be ahead of the venue's clock, which is not one clock either. */
export const VENUE_TIME_AHEAD_US_MAX = 3_600_000_000;

/** Events whose times tell where the venue's clock stands. */
const EVENTS_COMPARED = 16;

/**
 * What happened was later than we received it: then our clock is behind, because no message
 * travels back in time.
 */
const BEHIND_US_MAX = 1_000_000;

/** Or the venue is that late; whoever looks at its times wants to know either way. */
const AHEAD_US_MAX = 60_000_000;

/** How our clock stands to the venue's. */
export type ClockState = "right" | "behind" | "ahead";

/**
 * Judges the times of a venue's events by those of the events before, and our clock by the venue's.
 * Our clock alone would not do: if it is two hours behind, every right time seems to come from the
 * future.
 */
export class VenueClock {
  /** Venue's time less ours at the receipt, in microseconds; the newest in place of the oldest. */
  readonly #offsetsUs = new Float64Array(EVENTS_COMPARED);
  /** Scratch. */
  readonly #sortedUs = new Float64Array(EVENTS_COMPARED);
  #count = 0;
  #state: ClockState = "right";
  readonly #onState: (state: ClockState, offsetUs: number) => void;

  /** `onState` is called with each change, and how far the venue's clock is ahead of ours. */
  constructor(onState: (state: ClockState, offsetUs: number) => void) {
    this.#onState = onState;
  }

  /** The venue's clock less ours, by the middle one of the last events; undefined at first. */
  get offsetUs(): number | undefined {
    return this.#count === 0 ? undefined : this.#median();
  }

  /**
   * False if the time could not be read, or cannot be true, such as year 1, 1970, or tomorrow. That
   * of an event that happened just now also tells where the venue's clock stands.
   */
  judge(venueTimeUs: number, receivedTimeUs: number, isNow: boolean): boolean {
    // Written so that NaN fails.
    if (!(venueTimeUs >= VENUE_TIME_US_MIN)) return false;
    const offsetUs = venueTimeUs - receivedTimeUs;
    if (isNow) this.#note(offsetUs);
    if (offsetUs <= VENUE_TIME_AHEAD_US_MAX) return true;
    return this.#count === 0 || offsetUs <= this.#median() + VENUE_TIME_AHEAD_US_MAX;
  }

  #note(offsetUs: number): void {
    this.#offsetsUs[this.#count % EVENTS_COMPARED] = offsetUs;
    this.#count += 1;
    if (this.#count % EVENTS_COMPARED !== 0) return;
    const state = this.#stateNow();
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state, this.#median());
  }

  /** By the middle one of the last events, which need not be found to tell where it lies. */
  #stateNow(): ClockState {
    let behind = 0;
    let ahead = 0;
    for (let index = 0; index < EVENTS_COMPARED; index += 1) {
      const offsetUs = this.#offsetsUs[index]!;
      if (offsetUs > BEHIND_US_MAX) behind += 1;
      else if (offsetUs < -AHEAD_US_MAX) ahead += 1;
    }
    // Of sixteen in order, `#median` takes the ninth.
    if (behind >= EVENTS_COMPARED / 2) return "behind";
    return ahead > EVENTS_COMPARED / 2 ? "ahead" : "right";
  }

  /** By insertion: an array of its own and a call to sort it would cost more than the rest. */
  #median(): number {
    const known = Math.min(this.#count, EVENTS_COMPARED);
    const sorted = this.#sortedUs;
    for (let index = 0; index < known; index += 1) {
      const offsetUs = this.#offsetsUs[index] as number;
      let place = index;
      while (place > 0 && (sorted[place - 1] as number) > offsetUs) {
        sorted[place] = sorted[place - 1] as number;
        place -= 1;
      }
      sorted[place] = offsetUs;
    }
    return sorted[known >> 1] as number;
  }
}
