import type { Instrument } from "@tickwire/proto/service";

/** `before` with `now` in place of what has the same symbol. */
export function joinedBySymbol(
  before: ReadonlyMap<string, Instrument>,
  now: readonly Instrument[],
): Instrument[] {
  const all = new Map(before);
  for (const instrument of now) all.set(instrument.symbol, instrument);
  return [...all.values()];
}

const KINDS = ["SPOT", "PERPETUAL", "FUTURE", "OPTION", "COMBO"].map(
  (kind) => `INSTRUMENT_KIND_${kind}`,
);

/**
 * By the venue's own symbol. Where its parts have one each, spot wins, then perpetuals, futures,
 * options, combos, and then the first of `sorted`, which is in the order of Tickwire's symbols.
 */
export function indexByVenueSymbol(sorted: readonly Instrument[]): Map<string, Instrument> {
  const rank = ({ kind }: Instrument): number => KINDS.indexOf(kind);
  const index = new Map<string, Instrument>();
  for (const instrument of sorted) {
    const other = index.get(instrument.venueSymbol);
    if (other === undefined || rank(instrument) < rank(other)) {
      index.set(instrument.venueSymbol, instrument);
    }
  }
  return index;
}
