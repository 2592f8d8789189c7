import type { Instrument } from "#core/instrument.ts";
import type { ScaleTracker } from "./scale-tracker.ts";

/** What is kept of an instrument whose book may come on several channels. */
export type BookChannelState = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** The channel that its book is taken from, should there be several. */
  bookChannel: string | undefined;
};

/**
 * What a decoder remembers of each instrument on its connection. A state is made when its
 * instrument turns up, so there are never more of them than the catalog has instruments.
 */
export class InstrumentStates<State> {
  readonly #create: (instrument: Instrument) => State;
  readonly #states = new Map<Instrument, State>();

  constructor(create: (instrument: Instrument) => State) {
    this.#create = create;
  }

  /** The state of an instrument, made now if there is none. */
  of(instrument: Instrument): State {
    const known = this.#states.get(instrument);
    if (known !== undefined) return known;
    const state = this.#create(instrument);
    this.#states.set(instrument, state);
    return state;
  }

  /** The state of an instrument that has turned up before. */
  known(instrument: Instrument): State | undefined {
    return this.#states.get(instrument);
  }

  /** All that have been made, in that order. */
  all(): Iterable<State> {
    return this.#states.values();
  }

  /** What has turned up, in that order. */
  instruments(): Iterable<Instrument> {
    return this.#states.keys();
  }

  /** Forgets one; the next time it is made anew. */
  forget(instrument: Instrument): void {
    this.#states.delete(instrument);
  }
}
