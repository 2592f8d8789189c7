import type { Instrument } from "@tickwire/client";

/** What a deriver calls the venue of the candles that it makes of another's trades. */
const DERIVED_SUFFIX = "-derived";
/** What it calls the venue of what several venues amount to. */
const CONSOLIDATED_VENUE = "consolidated";

type Named = Pick<Instrument, "venue" | "symbol">;

/** Whether a venue is made of others, so that it is none to compare them with. */
export function isDerivedVenue(venue: string): boolean {
  return venue === CONSOLIDATED_VENUE || venue.endsWith(DERIVED_SUFFIX);
}

/** The market whose candles are made here, as `VENUE:SYMBOL`; undefined where they are not. */
export function sourceTopicOf({ venue, symbol }: Named): string | undefined {
  if (!venue.endsWith(DERIVED_SUFFIX)) return undefined;
  return `${venue.slice(0, -DERIVED_SUFFIX.length)}:${symbol}`;
}

/** Where the candles of a market are that are made here, as `VENUE:SYMBOL`. */
export function derivedTopicOf({ venue, symbol }: Named): string {
  return `${venue}${DERIVED_SUFFIX}:${symbol}`;
}
