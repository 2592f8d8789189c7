import {
  GetStatusRequestCodec,
  GetStatusResponseCodec,
  VenueHealthCodec,
} from "@tickwire/proto/service";
import type {
  GetStatusRequest,
  GetStatusResponse,
  Instrument,
  InstrumentStatus,
  VenueHealth,
} from "@tickwire/proto/service";
import { channelFromWire } from "@tickwire/proto/codec";
import type { Principal } from "../access/principal.ts";
import type { BusLatency } from "./bus-latency.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { partitionId } from "../catalog/venue-partition.ts";
import type { VenuePartition } from "../catalog/venue-partition.ts";
import { oneStep } from "../turns/turns.ts";
import { queryIngestor, readAnswer } from "./ingestor-query.ts";
import type { Asker, MethodParts } from "./ingestor-query.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { requireAtMost, requireInstrument, requireVenue } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";
import { ROWS_PER_REQUEST } from "./work-price.ts";

/** The reason why every channel of a venue is down while its ingestor is silent. */
const INGESTOR_LOST_REASON: StatusReason = "ingestor-lost";

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
  /** Whether the venue as a whole is asked about, too. */
  readonly health: boolean;
};

/**
 * The state of every channel of an instrument, or of a page of a venue's; `down` while the venue's
 * ingestor is lost.
 */
export async function getStatus(
  parts: MethodParts & { readonly busLatencyOf: BusLatency },
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
  const page = { venue, symbol, afterSymbol, pageSize, health: request.health };
  const own = symbol === "" ? undefined : catalog.partitionOf(venue, symbol);
  const partitions = own === undefined ? catalog.partitionsOf(venue) : [own];
  const answers = await Promise.all(
    partitions.map((partition) => statusesOf(parts, { line, signal, partition }, page)),
  );
  const [only] = answers;
  const isOne = only !== undefined && answers.length === 1;
  const merged = isOne ? only : await line.run(oneStep(() => mergedPages(answers)));
  const next = merged.nextPageToken;
  const nextPageToken = next === "" ? "" : writePageToken({ venue, symbol: next });
  const health = merged.health.map((each) => {
    const isHere = each.reason !== INGESTOR_LOST_REASON;
    return isHere ? { ...each, publishedToGateway: parts.busLatencyOf(venue) } : each;
  });
  return permitted({ statuses: merged.statuses, nextPageToken, health }, principal);
}

/** A page of what one publisher of the venue has. The token is the last symbol itself. */
async function statusesOf(
  parts: MethodParts,
  asker: Asker & { readonly partition: VenuePartition },
  page: Page,
): Promise<GetStatusResponse> {
  const { catalog } = parts;
  const { line, partition } = asker;
  const { venue, symbol, afterSymbol, pageSize, health } = page;
  const lostSinceUs = catalog.partLostSinceUs(partition);
  if (lostSinceUs !== undefined) {
    const down = await line.run(
      oneStep(() => allDown(catalog, { ...page, partition }, lostSinceUs)),
    );
    return health ? { ...down, health: [lostHealth(venue, lostSinceUs)] } : down;
  }
  const asked = { venue, symbol, pageSize, pageToken: afterSymbol, health };
  const payload = GetStatusRequestCodec.encode(asked);
  const answer = await queryIngestor(parts, asker, { venue, query: "statuses" }, payload);
  return line.run(oneStep(() => readAnswer(venue, () => GetStatusResponseCodec.decode(answer))));
}

/** By symbol, up to where every publisher has answered. */
function mergedPages(pages: readonly GetStatusResponse[]): GetStatusResponse {
  const ends = pages.flatMap(({ nextPageToken: end }) => (end === "" ? [] : [end]));
  const end = ends.toSorted()[0];
  const statuses = pages
    .flatMap((page) => page.statuses)
    .filter(({ symbol }) => end === undefined || symbol <= end)
    .toSorted((one, other) => (one.symbol < other.symbol ? -1 : one.symbol > other.symbol ? 1 : 0));
  const health = pages.flatMap((page) => page.health);
  return { statuses, nextPageToken: end ?? "", health };
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

/** What is known of a part of a venue whose publisher is lost. */
function lostHealth(venue: string, sinceTimeUs: number): VenueHealth {
  const nothing = VenueHealthCodec.decode(new Uint8Array(0));
  return {
    ...nothing,
    venue,
    state: "TOPIC_STATE_DOWN",
    reason: INGESTOR_LOST_REASON,
    sinceTimeUs,
  };
}

/** Of a part of a venue whose publisher is lost. The token is the last symbol itself. */
function allDown(
  catalog: Catalog,
  page: Page & { readonly partition: VenuePartition },
  sinceTimeUs: number,
): GetStatusResponse {
  const { venue, symbol, afterSymbol, pageSize, partition } = page;
  const only = catalog.instrument(venue, symbol);
  if (only !== undefined)
    return { statuses: channelsDown(only, sinceTimeUs), nextPageToken: "", health: [] };
  const statuses: InstrumentStatus[] = [];
  let last: Instrument | undefined;
  let count = 0;
  for (const instrument of catalog.instrumentsAfter(venue, afterSymbol)) {
    const own = catalog.partitionOf(venue, instrument.symbol);
    if (own === undefined || partitionId(own) !== partitionId(partition)) continue;
    if (count === pageSize && last !== undefined)
      return { statuses, nextPageToken: last.symbol, health: [] };
    for (const status of channelsDown(instrument, sinceTimeUs)) statuses.push(status);
    last = instrument;
    count += 1;
  }
  return { statuses, nextPageToken: "", health: [] };
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
import type { StatusReason } from "#core/status-reason.ts";
