import { GetCandlesRequestCodec, GetCandlesResponseCodec } from "@tickwire/proto/service";
import type {
  Candle,
  GetCandlesRequest,
  GetCandlesResponse,
  Instrument,
} from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";
import { checkHistoryRequest, queryHistory } from "./history-request.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { pastRows } from "./permissions.ts";
import { requireChannel, requireInstrument } from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";

const INTERVAL_MS_DEFAULT = 60_000;

/** A page of the candles that the venue's ingestor keeps of an instrument, oldest first. */
export async function getCandles(
  parts: MethodParts & { readonly clock: Pick<Clock, "nowUs"> },
  request: GetCandlesRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal" | "principal">,
): Promise<GetCandlesResponse> {
  const { principal } = context;
  const instrument = requireInstrument(parts.catalog, request, principal);
  const terms = requireChannel(instrument, "candles", principal);
  const { venue, symbol } = instrument;
  const intervalMs = requireInterval(instrument, request.intervalMs);
  const asked = checkHistoryRequest({ ...request, venue, symbol, intervalMs });
  const page = await queryHistory(parts, context, {
    query: { venue, query: "candles", symbol },
    rows: asked.pageSize,
    payload: GetCandlesRequestCodec.encode(asked),
    read: (answer) => GetCandlesResponseCodec.decode(answer),
  });
  const nowUs = parts.clock.nowUs();
  // A candle holds what came until its end.
  const timeUsOf = (candle: Candle): number => candle.openTimeUs + intervalMs * 1_000;
  const { rows, isCut } = pastRows(page.candles, terms, { nowUs, timeUsOf });
  return { ...page, candles: rows, nextPageToken: isCut ? "" : page.nextPageToken };
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
