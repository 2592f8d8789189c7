import type { Instrument } from "./instrument.ts";
import { isSymbol } from "./topic.ts";

type InstrumentCatalogOptions = {
  readonly venue: string;
  /** At the limit further instruments are rejected and counted. */
  readonly instrumentsMax: number;
  /** Makes an instrument from its venue symbol alone, for feeds without a list of instruments. */
  readonly derive?: DeriveInstrument;
};

/** Makes an instrument from its venue symbol and, where the venue has parts, from its part. */
type DeriveInstrument = (venueSymbol: string, venueMarket?: string) => Instrument | undefined;

/** What `add` did. Instruments that were known with the same details are in none of the counts. */
type CatalogAddition = {
  readonly added: number;
  /** Known instruments whose details (increments, contract size) have changed. */
  readonly updated: number;
  /**
   * Instruments of another venue, in conflict with a known one, without a usable symbol, or beyond
   * the limit.
   */
  readonly rejected: number;
};

/** What may be written into a request: nothing that cannot be seen, and of the length of a name. */
const VENUE_SYMBOL = /^[^\p{Cc}\p{Cf}\p{Cs}]{1,128}$/u;

/**
 * The instruments of one venue. The mapping between the venue's symbols and ours is one to one:
 * what would give two instruments one symbol is refused. The first object added for an instrument
 * is the one handed out ever after; the catalog owns it and brings its details up to date in place.
 */
export class InstrumentCatalog {
  readonly venue: string;
  readonly instrumentsMax: number;
  readonly #derive: DeriveInstrument | undefined;
  /** By part of the venue, then by symbol. */
  readonly #byVenueSymbol = new Map<string, Map<string, Instrument>>();
  readonly #bySymbol = new Map<string, Instrument>();
  #version = 0;
  #rejectedTotal = 0;

  constructor(options: InstrumentCatalogOptions) {
    this.venue = options.venue;
    this.instrumentsMax = options.instrumentsMax;
    this.#derive = options.derive;
  }

  /** Rises with each change. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#bySymbol.size;
  }

  /** Instruments refused since the start. */
  get rejectedTotal(): number {
    return this.#rejectedTotal;
  }

  /** True if another instrument would be refused. */
  get isFull(): boolean {
    return this.#bySymbol.size >= this.instrumentsMax;
  }

  /**
   * The instrument with this venue symbol. An unknown one is derived and added, if the catalog can
   * derive.
   */
  byVenueSymbol(venueSymbol: string, venueMarket?: string): Instrument | undefined {
    const known = this.#byVenueSymbol.get(venueMarket ?? "")?.get(venueSymbol);
    if (known !== undefined || this.#derive === undefined) return known;
    // A full catalog would refuse what is derived, and a feed of unknown names must stay cheap.
    if (this.isFull) {
      this.#rejectedTotal++;
      return undefined;
    }
    const derived = this.#derive(venueSymbol, venueMarket);
    if (derived === undefined || derived.venueSymbol !== venueSymbol) return undefined;
    if (derived.venueMarket !== venueMarket) return undefined;
    this.add([derived]);
    return this.#byVenueSymbol.get(venueMarket ?? "")?.get(venueSymbol);
  }

  /** The instruments with this venue symbol in any part of the venue. Derives nothing. */
  allByVenueSymbol(venueSymbol: string): readonly Instrument[] {
    return [...this.#byVenueSymbol.values()]
      .map((bySymbol) => bySymbol.get(venueSymbol))
      .filter((instrument) => instrument !== undefined);
  }

  bySymbol(symbol: string): Instrument | undefined {
    return this.#bySymbol.get(symbol);
  }

  add(instruments: readonly Instrument[]): CatalogAddition {
    let added = 0;
    let updated = 0;
    let rejected = 0;
    for (const instrument of instruments) {
      switch (this.#addOne(instrument)) {
        case "added":
          added++;
          break;
        case "updated":
          updated++;
          break;
        case "rejected":
          rejected++;
          break;
        case "known":
          break;
      }
    }
    if (added + updated > 0) this.#version++;
    this.#rejectedTotal += rejected;
    return { added, updated, rejected };
  }

  /** Forgets an instrument, so that another one may have its names. False if it is not here. */
  remove(instrument: Instrument): boolean {
    const { symbol, venueSymbol, venueMarket = "" } = instrument;
    if (this.#bySymbol.get(symbol) !== instrument) return false;
    this.#bySymbol.delete(symbol);
    this.#byVenueSymbol.get(venueMarket)?.delete(venueSymbol);
    this.#version++;
    return true;
  }

  /** All instruments in the order in which they were added. */
  all(): readonly Instrument[] {
    return [...this.#bySymbol.values()];
  }

  #addOne(instrument: Instrument): "added" | "updated" | "known" | "rejected" {
    const { venue, symbol, venueSymbol, venueMarket = "" } = instrument;
    if (venue !== this.venue || !isSymbol(symbol)) return "rejected";
    if (!VENUE_SYMBOL.test(venueSymbol)) return "rejected";
    const known = this.#bySymbol.get(symbol);
    if (known !== this.#byVenueSymbol.get(venueMarket)?.get(venueSymbol)) return "rejected";
    if (known !== undefined) return this.#update(known, instrument);
    if (this.isFull) return "rejected";
    this.#bySymbol.set(symbol, instrument);
    const bySymbol = this.#byVenueSymbol.get(venueMarket) ?? new Map<string, Instrument>();
    this.#byVenueSymbol.set(venueMarket, bySymbol.set(venueSymbol, instrument));
    return "added";
  }

  #update(known: Instrument, next: Instrument): "updated" | "known" | "rejected" {
    const fields = Object.keys(next) as (keyof Instrument)[];
    if (fields.every((field) => known[field] === next[field])) return "known";
    if (Object.isFrozen(known)) return "rejected";
    Object.assign(known, next);
    return "updated";
  }
}
