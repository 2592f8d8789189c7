import { GetTradesRequestCodec, GetTradesResponseCodec } from "@tickwire/proto/service";
import type { GetTradesRequest, GetTradesResponse } from "@tickwire/proto/service";
import { checkHistoryRequest, queryHistory } from "./history-request.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { requireChannel, requireInstrument } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";

/** A page of the trades that the venue's ingestor keeps of an instrument, oldest first. */
export async function getTrades(
  parts: MethodParts,
  request: GetTradesRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal">,
): Promise<GetTradesResponse> {
  const instrument = requireInstrument(parts.catalog, request);
  requireChannel(instrument, "trades");
  const { venue, symbol } = instrument;
  const asked = checkHistoryRequest({ ...request, venue, symbol });
  return queryHistory(parts, context, {
    query: { venue, query: "trades", symbol },
    rows: asked.pageSize,
    payload: GetTradesRequestCodec.encode(asked),
    read: (answer) => GetTradesResponseCodec.decode(answer),
  });
}
