import { GetStatusRequestCodec, GetStatusResponseCodec } from "@tickwire/proto/service";
import type {
  GetStatusRequest,
  GetStatusResponse,
  Instrument,
  InstrumentStatus,
} from "@tickwire/proto/service";
import { queryIngestor } from "./ingestor-query.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { requireInstrument, requireVenue } from "./request-checks.ts";

/** The reason why every channel of a venue is down while its ingestor is silent. */
const INGESTOR_LOST_REASON = "ingestor-lost";

/**
 * The state of every channel of an instrument or a venue; `down` while the venue's ingestor is
 * lost.
 */
export async function getStatus(
  parts: MethodParts,
  request: GetStatusRequest,
): Promise<GetStatusResponse> {
  requireVenue(parts.catalog, request.venue);
  const symbol = request.symbol === "" ? "" : requireInstrument(parts.catalog, request).symbol;
  const lostSinceUs = parts.catalog.lostSinceUs(request.venue);
  if (lostSinceUs !== undefined) return allDown(parts, request.venue, symbol, lostSinceUs);
  const payload = GetStatusRequestCodec.encode({ venue: request.venue, symbol });
  const answer = await queryIngestor(parts, { venue: request.venue, query: "statuses" }, payload);
  return GetStatusResponseCodec.decode(answer);
}

function allDown(
  parts: MethodParts,
  venue: string,
  symbol: string,
  sinceTimeUs: number,
): GetStatusResponse {
  const statuses: InstrumentStatus[] = [];
  for (const instrument of parts.catalog.instruments()) {
    if (instrument.venue !== venue || (symbol !== "" && instrument.symbol !== symbol)) continue;
    statuses.push(...channelsDown(instrument, sinceTimeUs));
  }
  return { statuses };
}

function channelsDown(instrument: Instrument, sinceTimeUs: number): InstrumentStatus[] {
  return instrument.channels.map((channel) => ({
    venue: instrument.venue,
    symbol: instrument.symbol,
    status: {
      channel,
      state: "TOPIC_STATE_DOWN",
      reason: INGESTOR_LOST_REASON,
      sinceTimeUs,
    },
  }));
}
