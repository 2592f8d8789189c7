import { GetStatusRequestCodec, GetStatusResponseCodec } from "@tickwire/proto/service";
import type {
  GetStatusRequest,
  GetStatusResponse,
  Instrument,
  InstrumentStatus,
} from "@tickwire/proto/service";
import { channelFromWire } from "@tickwire/proto/codec";
import type { Principal } from "../access/principal.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { oneStep } from "../turns/turns.ts";
import { queryIngestor, readAnswer } from "./ingestor-query.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { requireAtMost, requireInstrument, requireVenue } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";
import { ROWS_PER_REQUEST } from "./work-price.ts";

/** The reason why every channel of a venue is down while its ingestor is silent. */
const INGESTOR_LOST_REASON = "ingestor-lost";

/** Instruments, each with some channels. */
const PAGE_SIZE_MAX = 200;
const ROWS_PER_INSTRUMENT = 5;

/** Which instruments are asked for. */
type Page = {
  readonly venue: string;
  /** Empty for all that come after `afterSymbol`. */
  readonly symbol: string;
  readonly afterSymbol: string;
  readonly pageSize: number;
};

/**
 * The state of every channel of an instrument, or of a page of a venue's; `down` while the venue's
 * ingestor is lost.
 */
export async function getStatus(
  parts: MethodParts,
  request: GetStatusRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal" | "principal">,
): Promise<GetStatusResponse> {
  const { catalog } = parts;
  const { venue } = request;
  const { line, spend, signal, principal } = context;
  requireVenue(catalog, venue, principal);
  requireAtMost("page_size", request.pageSize, PAGE_SIZE_MAX);
  const symbol = request.symbol === "" ? "" : requireInstrument(catalog, request, principal).symbol;
  const afterSymbol = readPageToken(request.pageToken)?.symbol ?? "";
  const pageSize = request.pageSize === 0 ? PAGE_SIZE_MAX : request.pageSize;
  if (symbol === "") spend((pageSize * ROWS_PER_INSTRUMENT) / ROWS_PER_REQUEST);
  const lostSinceUs = catalog.lostSinceUs(venue);
  if (lostSinceUs !== undefined) {
    const page = { venue, symbol, afterSymbol, pageSize };
    return line.run(oneStep(() => permitted(allDown(catalog, page, lostSinceUs), principal)));
  }
  // Between us and the ingestor the token is the symbol itself.
  const asked = { venue, symbol, pageSize, pageToken: afterSymbol };
  const payload = GetStatusRequestCodec.encode(asked);
  const answer = await queryIngestor(
    parts,
    { line, signal },
    { venue, query: "statuses" },
    payload,
  );
  return line.run(
    oneStep(() => {
      const page = readAnswer(venue, () => GetStatusResponseCodec.decode(answer));
      const { statuses, nextPageToken: next } = page;
      const nextPageToken = next === "" ? "" : writePageToken({ venue, symbol: next });
      return permitted({ statuses, nextPageToken }, principal);
    }),
  );
}

/** Without channels that the client may not have. A page may be empty and have one behind it. */
function permitted(page: GetStatusResponse, principal: Principal): GetStatusResponse {
  const statuses = page.statuses.filter(({ venue, symbol, status }) => {
    if (status === undefined) return false;
    const topic = { venue, symbol, channel: channelFromWire(status.channel) };
    return principal.may("query", topic)?.delayMs === 0;
  });
  return { ...page, statuses };
}

function allDown(catalog: Catalog, page: Page, sinceTimeUs: number): GetStatusResponse {
  const { venue, symbol, afterSymbol, pageSize } = page;
  const only = catalog.instrument(venue, symbol);
  if (only !== undefined) return { statuses: channelsDown(only, sinceTimeUs), nextPageToken: "" };
  const statuses: InstrumentStatus[] = [];
  let last: Instrument | undefined;
  let count = 0;
  for (const instrument of catalog.instrumentsAfter(venue, afterSymbol)) {
    if (count === pageSize && last !== undefined) {
      return { statuses, nextPageToken: writePageToken(last) };
    }
    for (const status of channelsDown(instrument, sinceTimeUs)) statuses.push(status);
    last = instrument;
    count += 1;
  }
  return { statuses, nextPageToken: "" };
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
      instrumentState: undefined,
      stateWord: undefined,
    },
  }));
}
