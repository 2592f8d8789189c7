import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { type Emit, reject } from "./emit.ts";

/**
 * The instrument that a message names; undefined, and counted, if the field is no text or the venue
 * has no such instrument.
 */
export function lookUpInstrument(
  catalog: InstrumentCatalog,
  venueSymbol: unknown,
  emit: Emit,
  venueMarket?: string,
): Instrument | undefined {
  if (typeof venueSymbol !== "string") {
    reject(emit, "missing-field");
    return undefined;
  }
  const instrument = catalog.byVenueSymbol(venueSymbol, venueMarket);
  if (instrument === undefined) reject(emit, "unknown-instrument");
  return instrument;
}
