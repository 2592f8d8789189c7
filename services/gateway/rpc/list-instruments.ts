import type { ListInstrumentsRequest, ListInstrumentsResponse } from "@tickwire/proto/service";
import type { Instrument } from "@tickwire/proto/service";
import { Buffer } from "node:buffer";
import type { Catalog } from "../catalog/catalog.ts";
import { badPageToken, requireAtMost, requireVenue } from "./request-checks.ts";

const PAGE_SIZE_MAX = 1_000;

/**
 * A page of the catalog, ordered by venue and symbol. The token names the last instrument of a
 * page, so paging neither repeats nor skips what stays when the catalog changes in between.
 */
export function listInstruments(
  catalog: Catalog,
  request: ListInstrumentsRequest,
): ListInstrumentsResponse {
  if (request.venue !== "") requireVenue(catalog, request.venue);
  requireAtMost("page_size", request.pageSize, PAGE_SIZE_MAX);
  const pageSize = request.pageSize === 0 ? PAGE_SIZE_MAX : request.pageSize;
  const after = readToken(request.pageToken);
  const page: Instrument[] = [];
  for (const instrument of catalog.instruments()) {
    if (after !== undefined && !isAfter(instrument, after)) continue;
    if (!matches(instrument, request)) continue;
    const last = page.at(-1);
    if (page.length === pageSize && last !== undefined) {
      return { instruments: page, nextPageToken: writeToken(last) };
    }
    page.push(instrument);
  }
  return { instruments: page, nextPageToken: "" };
}

type Place = { readonly venue: string; readonly symbol: string };

function matches(instrument: Instrument, request: ListInstrumentsRequest): boolean {
  return (
    (request.venue === "" || request.venue === instrument.venue) &&
    (request.base === "" || request.base === instrument.base) &&
    (request.quote === "" || request.quote === instrument.quote) &&
    (request.kind === "INSTRUMENT_KIND_UNSPECIFIED" || request.kind === instrument.kind)
  );
}

function isAfter(instrument: Place, place: Place): boolean {
  if (instrument.venue !== place.venue) return instrument.venue > place.venue;
  return instrument.symbol > place.symbol;
}

function writeToken(place: Place): string {
  return Buffer.from(`${place.venue}:${place.symbol}`, "utf8").toString("base64url");
}

function readToken(token: string): Place | undefined {
  if (token === "") return undefined;
  const text = Buffer.from(token, "base64url").toString("utf8");
  const colon = text.indexOf(":");
  if (colon <= 0) throw badPageToken();
  return { venue: text.slice(0, colon), symbol: text.slice(colon + 1) };
}
