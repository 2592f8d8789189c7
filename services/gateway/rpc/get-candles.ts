import type { CandleRow } from "@tickwire/proto/codec";
import { GetCandlesRequestCodec, GetCandlesResponseCodec } from "@tickwire/proto/service";
import type {
  Candle,
  GetCandlesRequest,
  GetCandlesResponse,
  Instrument,
} from "@tickwire/proto/service";
import { historyQuery } from "#wire/history-token.ts";
import { checkHistoryRequest, queryHistory } from "./history-request.ts";
import type { HistoryParts } from "./history-request.ts";
import { LoggedRows, pageOfPast } from "./logged-rows.ts";
import type { LoggedRow, RowReader } from "./logged-rows.ts";
import type { Terms } from "../access/rights.ts";
import { gotUntilUs, lateRange } from "./late-range.ts";
import { requireTopic } from "./permissions.ts";
import { requireChannel, requireInstrument } from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";

const INTERVAL_MS_DEFAULT = 60_000;

/** A page of the candles that are kept of an instrument, by its ingestor or the log. */
export async function getCandles(
  parts: HistoryParts,
  request: GetCandlesRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal" | "principal">,
): Promise<GetCandlesResponse> {
  const { principal } = context;
  const instrument = requireInstrument(parts.catalog, request, principal);
  const terms = requireCandles(instrument, principal);
  const { venue, symbol } = instrument;
  const intervalMs = requireInterval(instrument, request.intervalMs);
  const untilUs = gotUntilUs(terms, parts.clock.nowUs());
  // A candle holds what came until its end.
  const endUs = untilUs === undefined ? undefined : untilUs - intervalMs * 1_000 + 1;
  const late = lateRange(request, endUs);
  if (late.request === undefined) return { candles: [], keptFromTimeUs: 0, nextPageToken: "" };
  const asked = checkHistoryRequest({ ...late.request, venue, symbol, intervalMs });
  const query = historyQuery(asked);
  const { log } = parts;
  const name = { venue, symbol, channel: "candles" } as const;
  const logged = log && new LoggedRows({ log, name, reader: candlesOf(intervalMs), context });
  const page = await pageOfPast(
    async () => {
      const answer = await queryHistory(parts, context, {
        query: { venue, query: "candles", symbol },
        rows: asked.pageSize,
        payload: GetCandlesRequestCodec.encode(asked),
        read: (bytes) => GetCandlesResponseCodec.decode(bytes),
      });
      return { ...answer, rows: answer.candles };
    },
    logged,
    { ...asked, query },
    loggedCandle,
  );
  // Whoever answers may know nothing of an end.
  const candles = page.rows.filter(({ openTimeUs }) => endUs === undefined || openTimeUs < endUs);
  const { keptFromTimeUs, nextPageToken } = page;
  return { candles, keptFromTimeUs, nextPageToken: late.tokenOf(nextPageToken) };
}

/** Candles of one length; a later one of the same start replaces the one before. */
function candlesOf(intervalMs: number): RowReader<Candle> {
  return {
    replaces: true,
    lateUs: intervalMs * 2_000,
    read: (event) => {
      const row = event as CandleRow;
      if (row.intervalMs !== intervalMs) return undefined;
      const { venueTimeUs: _venue, receivedTimeUs: _received, ...candle } = row;
      const unsaid = {
        quoteVolume: undefined,
        tradeCount: undefined,
        built: undefined,
        incomplete: undefined,
      };
      return loggedCandle({ ...unsaid, ...candle });
    },
  };
}

function loggedCandle(row: Candle): LoggedRow<Candle> {
  return { row, epoch: 0, key: row.openTimeUs, timeUs: row.openTimeUs };
}

/** Who asks may know the candles, which are streamed or of the past alone. */
function requireCandles(instrument: Instrument, principal: RpcContext["principal"]): Terms {
  const hasPast = instrument.candleHistoryIntervalsMs.length > 0;
  return hasPast
    ? requireTopic(principal, instrument, "candles")
    : requireChannel(instrument, "candles", principal);
}

/** The length of the candles that are asked for: the shortest that there is if none is named. */
function requireInterval(instrument: Instrument, asked: number): number {
  const { venue, symbol, candleIntervalsMs: streamed, candleHistoryIntervalsMs: past } = instrument;
  const known = [...new Set([...streamed, ...past])].toSorted((one, other) => one - other);
  const shortest = streamed[0] ?? known[0];
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
