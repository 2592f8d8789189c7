import { VENUE_IDS } from "#ingest/venues/venue-ids.ts";
import { UsageError } from "./errors.ts";
import { unknownText } from "#core/nearest.ts";

/** The id of a venue whose captures can be read. Throws UsageError that says what was meant. */
export function parseVenueId(text: string): string {
  if (VENUE_IDS.some((id) => id === text)) return text;
  throw new UsageError(unknownText("venue", { text, known: VENUE_IDS }));
}
