/** Venues that speak as another family does, under names of their own. */
const MEMBERS: ReadonlyMap<string, string> = new Map([["bithumb", "upbit/bithumb"]]);

/** The folder of a venue's files below those of the others: `binance/usdm` of `binance-usdm`. */
export function venueFolder(venue: string): string {
  return MEMBERS.get(venue) ?? venue.replace("-", "/");
}
