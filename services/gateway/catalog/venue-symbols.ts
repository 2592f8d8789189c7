import type { Instrument } from "@tickwire/proto/service";

const KINDS = ["SPOT", "PERPETUAL", "FUTURE", "OPTION", "COMBO"].map(
  (kind) => `INSTRUMENT_KIND_${kind}`,
);

const rankOf = ({ kind }: Instrument): number => KINDS.indexOf(kind);

/**
 * The instruments of a venue by its own symbols. Where its parts have one each, spot wins, then
 * perpetuals, futures, options, combos, and then the first that was added.
 */
export class VenueSymbols {
  readonly #index = new Map<string, Instrument>();

  get(venueSymbol: string): Instrument | undefined {
    return this.#index.get(venueSymbol);
  }

  /** To be called in the order of Tickwire's symbols. */
  add(instrument: Instrument): void {
    const { venueSymbol } = instrument;
    const other = this.#index.get(venueSymbol);
    if (other === undefined || rankOf(instrument) < rankOf(other)) {
      this.#index.set(venueSymbol, instrument);
    }
  }
}
