import type { GetInstrumentRequest, GetInstrumentResponse } from "@tickwire/proto/service";
import type { Catalog } from "../catalog/catalog.ts";
import { requireInstrument } from "./request-checks.ts";

/** One instrument by Tickwire's symbol or the venue's own. */
export function getInstrument(
  catalog: Catalog,
  request: GetInstrumentRequest,
): GetInstrumentResponse {
  return { instrument: requireInstrument(catalog, request) };
}
