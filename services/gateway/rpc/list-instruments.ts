import type { ListInstrumentsRequest, ListInstrumentsResponse } from "@tickwire/proto/service";
import type { Instrument } from "@tickwire/proto/service";
import type { Catalog } from "../catalog/catalog.ts";
import { mayKnow, permittedInstrument } from "../catalog/permitted-names.ts";
import type { Work } from "../turns/turns.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { requireAtMost, requireVenue } from "./request-checks.ts";
import { EXAMINED_PER_REQUEST, ROWS_PER_REQUEST } from "./work-price.ts";
import type { RpcContext } from "./service-table.ts";

const PAGE_SIZE_MAX = 1_000;
/** Looking at so many takes some microseconds. */
const EXAMINED_PER_STEP = 64;

/**
 * A page of the catalog, ordered by venue and symbol. The token names the last instrument of a
 * page, so paging neither repeats nor skips what stays when the catalog changes in between.
 */
export function* listInstruments(
  catalog: Catalog,
  request: ListInstrumentsRequest,
  { line, spend, principal }: Pick<RpcContext, "line" | "spend" | "principal">,
): Work<ListInstrumentsResponse> {
  if (request.venue !== "") requireVenue(catalog, request.venue, principal);
  requireAtMost("page_size", request.pageSize, PAGE_SIZE_MAX);
  const pageSize = request.pageSize === 0 ? PAGE_SIZE_MAX : request.pageSize;
  spend(pageSize / ROWS_PER_REQUEST);
  const page: Instrument[] = [];
  let examined = 0;
  for (const instrument of candidates(catalog, request)) {
    examined += 1;
    if (examined % EXAMINED_PER_STEP === 0 && line.isOver) yield;
    if (examined % EXAMINED_PER_REQUEST === 0) spend(1);
    if (!matches(instrument, request) || !mayKnow(principal, instrument)) continue;
    const last = page.at(-1);
    if (page.length === pageSize && last !== undefined) {
      return { instruments: page, nextPageToken: writePageToken(last) };
    }
    page.push(permittedInstrument(instrument, principal));
  }
  return { instruments: page, nextPageToken: "" };
}

/** What comes behind the page before, of the venue that is asked for or of all. */
function* candidates(catalog: Catalog, request: ListInstrumentsRequest): Iterable<Instrument> {
  const after = readPageToken(request.pageToken);
  for (const venue of request.venue === "" ? catalog.venues : [request.venue]) {
    if (after !== undefined && venue < after.venue) continue;
    yield* catalog.instrumentsAfter(venue, venue === after?.venue ? after.symbol : "");
  }
}

function matches(instrument: Instrument, request: ListInstrumentsRequest): boolean {
  return (
    (request.base === "" || request.base === instrument.base) &&
    (request.quote === "" || request.quote === instrument.quote) &&
    (request.kind === "INSTRUMENT_KIND_UNSPECIFIED" || request.kind === instrument.kind)
  );
}
