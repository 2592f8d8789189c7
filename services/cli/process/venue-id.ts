import { quotedText } from "#core/visible-text.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { UsageError } from "./errors.ts";

/** The id of a venue whose captures can be read. Throws UsageError that names them all. */
export function parseVenueId(text: string): string {
  if (Object.hasOwn(VENUES, text)) return text;
  const known = Object.keys(VENUES).join(", ");
  throw new UsageError(`there is no venue ${quotedText(text)}; there are ${known}`);
}
