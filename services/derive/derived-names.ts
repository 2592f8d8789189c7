/** The venue whose instruments are assets over several venues. */
export const CONSOLIDATED_VENUE = "consolidated";
/** A venue with this end of its id has what is made of the venue before it. */
const DERIVED_END = "-derived";

/** The venue of what is made of the trades of another one. */
export function derivedVenueOf(venue: string): string {
  return `${venue}${DERIVED_END}`;
}

/** True for a venue that a deriver makes: nothing is derived of it. */
export function isDerivedVenue(venue: string): boolean {
  return venue === CONSOLIDATED_VENUE || venue.endsWith(DERIVED_END);
}
