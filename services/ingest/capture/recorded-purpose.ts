import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { RecordedRequest, RestPurpose } from "../feed/feed-adapter.ts";

/** What is asked for by REST beside lists of instruments. */
type RecordedQuestion = Exclude<RecordedRequest, { kind: "instruments" }>;

/**
 * What a recorded request was for, about an instrument of this catalog; undefined if the catalog
 * does not have it.
 */
export function purposeOfRecorded(
  request: RecordedQuestion,
  catalog: InstrumentCatalog,
): RestPurpose | undefined {
  const { kind, venueSymbol, venueMarket } = request;
  const instrument =
    venueSymbol === undefined ? undefined : catalog.byVenueSymbol(venueSymbol, venueMarket);
  if (kind === "poll") {
    const isUnknown = venueSymbol !== undefined && instrument === undefined;
    return isUnknown ? undefined : { kind, channel: request.channel, instrument };
  }
  if (instrument === undefined) return undefined;
  return kind === "trades"
    ? { kind, channel: "trades", instrument }
    : { kind, channel: "book", instrument };
}
