import { quotedText } from "#core/visible-text.ts";
import { VENUE_IDS } from "#ingest/venues/venue-ids.ts";
import { UsageError } from "./errors.ts";

/** The id of a venue whose captures can be read. Throws UsageError that names them all. */
export function parseVenueId(text: string): string {
  if (VENUE_IDS.some((id) => id === text)) return text;
  const known = VENUE_IDS.join(", ");
  throw new UsageError(`there is no venue ${quotedText(text)}; there are ${known}`);
}
