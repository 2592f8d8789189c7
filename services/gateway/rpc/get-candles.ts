import { GetCandlesRequestCodec, GetCandlesResponseCodec } from "@tickwire/proto/service";
import type { GetCandlesRequest, GetCandlesResponse, Instrument } from "@tickwire/proto/service";
import { checkHistoryRequest, queryHistory } from "./history-request.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { requireChannel, requireInstrument } from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";

const INTERVAL_MS_DEFAULT = 60_000;

/** A page of the candles that the venue's ingestor keeps of an instrument, oldest first. */
export async function getCandles(
  parts: MethodParts,
  request: GetCandlesRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal">,
): Promise<GetCandlesResponse> {
  const instrument = requireInstrument(parts.catalog, request);
  requireChannel(instrument, "candles");
  const { venue, symbol } = instrument;
  const intervalMs = requireInterval(instrument, request.intervalMs);
  const asked = checkHistoryRequest({ ...request, venue, symbol, intervalMs });
  return queryHistory(parts, context, {
    query: { venue, query: "candles", symbol },
    rows: asked.pageSize,
    payload: GetCandlesRequestCodec.encode(asked),
    read: (answer) => GetCandlesResponseCodec.decode(answer),
  });
}

/** The length of the candles that are asked for: the shortest that there is if none is named. */
function requireInterval(instrument: Instrument, asked: number): number {
  const { venue, symbol, candleIntervalsMs: known } = instrument;
  const [shortest] = known;
  // Whoever replays a capture may not know yet what it holds.
  if (shortest === undefined) return asked === 0 ? INTERVAL_MS_DEFAULT : asked;
  if (asked === 0) return shortest;
  if (known.includes(asked)) return asked;
  const message = `${venue}:${symbol} has no candles of interval_ms ${asked}; there are ${known.join(", ")}`;
  const metadata = { alternatives: known.join(" ") };
  throw new RpcError("invalid_argument", message, {
    detail: { reason: "UNKNOWN_INTERVAL", metadata },
  });
}
