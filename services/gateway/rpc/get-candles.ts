import { GetCandlesRequestCodec, GetCandlesResponseCodec } from "@tickwire/proto/service";
import type { GetCandlesRequest, GetCandlesResponse } from "@tickwire/proto/service";
import { oneStep } from "../turns/turns.ts";
import { queryIngestor, readAnswer } from "./ingestor-query.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { requireAtMost, requireInstrument } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";
import { ROWS_PER_REQUEST } from "./work-price.ts";

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const INTERVAL_MS_DEFAULT = 60_000;

/** The latest candles of an instrument, oldest first, from the venue's ingestor. */
export async function getCandles(
  parts: MethodParts,
  request: GetCandlesRequest,
  { line, spend }: Pick<RpcContext, "line" | "spend">,
): Promise<GetCandlesResponse> {
  const { venue, symbol } = requireInstrument(parts.catalog, request);
  requireAtMost("limit", request.limit, LIMIT_MAX);
  const limit = request.limit === 0 ? LIMIT_DEFAULT : request.limit;
  const intervalMs = request.intervalMs === 0 ? INTERVAL_MS_DEFAULT : request.intervalMs;
  spend(limit / ROWS_PER_REQUEST);
  const payload = GetCandlesRequestCodec.encode({ venue, symbol, intervalMs, limit });
  const answer = await queryIngestor(parts, { venue, query: "candles", symbol }, payload);
  return line.run(oneStep(() => readAnswer(venue, () => GetCandlesResponseCodec.decode(answer))));
}
