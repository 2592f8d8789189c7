import type { SimulatedFaults } from "./simulated-faults.ts";
import {
  listSimulatedInstruments,
  type SimulatedInstrument,
  spotInstrument,
  TETHER_SYMBOL,
} from "./simulated-instruments.ts";
import { SimulatedListing } from "./simulated-listing.ts";
import type { SimulatedPast } from "./simulated-past.ts";
import type { SimulatedSettings } from "./simulated-settings.ts";

/** Most instruments that are listed while the venue runs and not delisted since. */
const LISTED_LATER_MAX = 10;

/** Of so many instruments the tickers begin with the day before: each costs about 2 ms, once. */
const DAYS_BEFORE_MAX = 100;

type ListedMarketsParts = {
  readonly faults: SimulatedFaults;
  readonly past: SimulatedPast;
  readonly nowUs: () => number;
};

/** The markets of the venue, in the order in which they were listed. */
export class ListedMarkets {
  readonly #settings: SimulatedSettings;
  readonly #faults: SimulatedFaults;
  readonly #past: SimulatedPast;
  readonly #nowUs: () => number;
  readonly #bySymbol = new Map<string, SimulatedListing>();
  /** The same; a turn goes through them by place. */
  #order: SimulatedListing[] = [];
  /** Those listed while it runs, the oldest first. */
  readonly #later: SimulatedListing[] = [];
  #spotCount: number;
  #created = 0;

  constructor(settings: SimulatedSettings, { faults, past, nowUs }: ListedMarketsParts) {
    this.#settings = settings;
    this.#faults = faults;
    this.#past = past;
    this.#nowUs = nowUs;
    this.#spotCount = settings.instruments;
    for (const instrument of listSimulatedInstruments(settings)) this.#add(instrument);
  }

  get order(): readonly SimulatedListing[] {
    return this.#order;
  }

  get instruments(): readonly SimulatedInstrument[] {
    return this.#order.map(({ market }) => market.instrument);
  }

  get(symbol: string): SimulatedListing | undefined {
    return this.#bySymbol.get(symbol);
  }

  /** Lists the next spot instrument; undefined if as many as there may be were listed already. */
  listOne(): SimulatedListing | undefined {
    if (this.#later.length >= LISTED_LATER_MAX) return undefined;
    const listing = this.#add(spotInstrument(this.#spotCount));
    this.#spotCount += 1;
    this.#later.push(listing);
    return listing;
  }

  /** Takes what was listed first, of those that came while it runs, off the list again. */
  delistOne(): SimulatedListing | undefined {
    const listing = this.#later.shift();
    if (listing === undefined) return undefined;
    this.#bySymbol.delete(listing.market.instrument.symbol);
    this.#order = this.#order.filter((other) => other !== listing);
    return listing;
  }

  #add(instrument: SimulatedInstrument): SimulatedListing {
    const marketOf = (symbol: string | undefined) => this.#bySymbol.get(symbol ?? "")?.market;
    const past = this.#past;
    const { symbol } = instrument;
    past.add(instrument);
    const hasDayBefore = this.#created < DAYS_BEFORE_MAX;
    const listing = new SimulatedListing(instrument, {
      ...this.#settings,
      openTicks: past.priceTicks(symbol, this.#nowUs()),
      dayBefore: (timeUs) => (hasDayBefore ? past.hoursBefore(symbol, timeUs) : []),
      index: this.#created,
      faults: this.#faults,
      underlying: marketOf(instrument.underlying),
      leader: this.#order[0]?.market,
      followed: instrument.kind === "spot" ? marketOf(instrument.follows) : undefined,
      tether: marketOf(TETHER_SYMBOL),
    });
    this.#created += 1;
    this.#bySymbol.set(instrument.symbol, listing);
    this.#order.push(listing);
    return listing;
  }
}
