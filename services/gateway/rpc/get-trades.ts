import { GetTradesRequestCodec, GetTradesResponseCodec } from "@tickwire/proto/service";
import type { GetTradesRequest, GetTradesResponse, Trade } from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";
import { checkHistoryRequest, queryHistory } from "./history-request.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { pastRows } from "./permissions.ts";
import { requireChannel, requireInstrument } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";

/** A page of the trades that the venue's ingestor keeps of an instrument, oldest first. */
export async function getTrades(
  parts: MethodParts & { readonly clock: Pick<Clock, "nowUs"> },
  request: GetTradesRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal" | "principal">,
): Promise<GetTradesResponse> {
  const { principal } = context;
  const instrument = requireInstrument(parts.catalog, request, principal);
  const terms = requireChannel(instrument, "trades", principal);
  const { venue, symbol } = instrument;
  const asked = checkHistoryRequest({ ...request, venue, symbol });
  const page = await queryHistory(parts, context, {
    query: { venue, query: "trades", symbol },
    rows: asked.pageSize,
    payload: GetTradesRequestCodec.encode(asked),
    read: (answer) => GetTradesResponseCodec.decode(answer),
  });
  const nowUs = parts.clock.nowUs();
  const timeUsOf = (trade: Trade): number => trade.receivedTimeUs;
  const { rows, isCut } = pastRows(page.trades, terms, { nowUs, timeUsOf });
  return { ...page, trades: rows, nextPageToken: isCut ? "" : page.nextPageToken };
}
