import type { GetInstrumentRequest, GetInstrumentResponse } from "@tickwire/proto/service";
import type { Catalog } from "../catalog/catalog.ts";
import { permittedInstrument } from "../catalog/permitted-names.ts";
import { requireInstrument } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";

/** One instrument by Tickwire's symbol or the venue's own. */
export function getInstrument(
  catalog: Catalog,
  request: GetInstrumentRequest,
  { principal }: Pick<RpcContext, "principal">,
): GetInstrumentResponse {
  const instrument = requireInstrument(catalog, request, principal);
  return { instrument: permittedInstrument(instrument, principal) };
}
