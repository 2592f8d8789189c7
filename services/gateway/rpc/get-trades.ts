import { GetTradesRequestCodec, GetTradesResponseCodec } from "@tickwire/proto/service";
import type { GetTradesRequest, GetTradesResponse } from "@tickwire/proto/service";
import { oneStep } from "../turns/turns.ts";
import { queryIngestor, readAnswer } from "./ingestor-query.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { requireAtMost, requireInstrument } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";
import { ROWS_PER_REQUEST } from "./work-price.ts";

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;

/** The latest trades of an instrument, oldest first, from the venue's ingestor. */
export async function getTrades(
  parts: MethodParts,
  request: GetTradesRequest,
  { line, spend }: Pick<RpcContext, "line" | "spend">,
): Promise<GetTradesResponse> {
  const { venue, symbol } = requireInstrument(parts.catalog, request);
  requireAtMost("limit", request.limit, LIMIT_MAX);
  const limit = request.limit === 0 ? LIMIT_DEFAULT : request.limit;
  spend(limit / ROWS_PER_REQUEST);
  const payload = GetTradesRequestCodec.encode({ venue, symbol, limit });
  const answer = await queryIngestor(parts, { venue, query: "trades", symbol }, payload);
  return line.run(oneStep(() => readAnswer(venue, () => GetTradesResponseCodec.decode(answer))));
}
