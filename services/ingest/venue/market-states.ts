import type { Instrument, InstrumentState } from "#core/instrument.ts";

/** What can be done, in our words and the venue's. */
export type SaidState = { readonly state: InstrumentState; readonly word: string | undefined };

type MarketStatesOptions = {
  /** Called when another state holds than was told; the instrument says it already. */
  readonly onState: (instrument: Instrument, said: SaidState) => void;
};

/** How much a state takes away. What takes away more holds. */
const RANKS: Readonly<Record<InstrumentState, number>> = {
  trading: 0,
  "limit-only": 1,
  "reduce-only": 1,
  "post-only": 2,
  "cancel-only": 3,
  auction: 3,
  "pre-open": 4,
  closed: 4,
  halted: 4,
  settling: 4,
  maintenance: 5,
  delisted: 6,
};

const TRADING: SaidState = { state: "trading", word: undefined };

/**
 * What can be done with each instrument of a venue now: what the venue says of the instrument and
 * what it says of itself as a whole, whichever takes away more. Says only changes; an instrument
 * that nothing was said of is taken for one that trades. Invariant: what an instrument has in
 * `state` is what was told of it last.
 */
export class MarketStates {
  readonly #options: MarketStatesOptions;
  readonly #own = new Map<Instrument, SaidState>();
  readonly #told = new Map<Instrument, SaidState>();
  #venue = TRADING;

  constructor(options: MarketStatesOptions) {
    this.#options = options;
  }

  /** The venue said this of one instrument. True if another state holds than before. */
  setOwn(instrument: Instrument, said: SaidState): boolean {
    this.#own.set(instrument, said);
    return this.settle(instrument);
  }

  /** The venue said this of itself: each instrument is to be settled. False if it is no news. */
  setVenue(said: SaidState): boolean {
    if (said.state === this.#venue.state && said.word === this.#venue.word) return false;
    this.#venue = said;
    return true;
  }

  /** Tells of an instrument what holds for it now. True if that is another state than before. */
  settle(instrument: Instrument): boolean {
    const own = this.#own.get(instrument);
    const isVenues = RANKS[this.#venue.state] > RANKS[own?.state ?? "trading"];
    const said = isVenues ? this.#venue : (own ?? TRADING);
    const told = this.#told.get(instrument) ?? TRADING;
    const isKnown = own !== undefined || isVenues || this.#told.has(instrument);
    if (!isKnown) return false;
    Object.assign(instrument, { state: said.state, stateWord: said.word });
    this.#told.set(instrument, said);
    if (said.state === told.state && (said.state === "trading" || said.word === told.word)) {
      return false;
    }
    this.#options.onState(instrument, said);
    return true;
  }

  /** It is gone. */
  forget(instrument: Instrument): void {
    this.#own.delete(instrument);
    this.#told.delete(instrument);
  }
}
