import { EVENT_KINDS } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { RefreshCounters } from "../feed/rest/book-refresher.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";
import type { ProbeCounters } from "../feed/rest/feed-prober.ts";
import type { PollCounters } from "../feed/rest/rest-poller.ts";
import type { SessionCounters } from "../feed/connection/feed-session-options.ts";
import type { ArchiveCounters } from "../feed/rest/candle-blocks.ts";
import type { SnapshotCounters } from "../feed/rest/snapshot-fetcher.ts";

type EventCounts = Record<MarketEvent["kind"], number>;

/**
 * What happened at one venue since the start. The stages count in plain numbers, because counting
 * in a labelled metric costs more than handling an event; the metrics read the numbers on demand.
 */
export type VenueCounters = SessionCounters &
  SnapshotCounters &
  RefreshCounters &
  PollCounters &
  ArchiveCounters &
  ProbeCounters & {
    /** Published, by kind. */
    readonly events: EventCounts;
    readonly rejected: Partial<Record<RejectReason, number>>;
    /** The same by channel; empty where nobody can tell. */
    readonly rejectedOf: Map<Channel | "", Partial<Record<RejectReason, number>>>;
    /** Events whose venue time was impossible and left out; the events themselves went on. */
    badTimes: number;
    /** Lists that were not believed at once. */
    listsDoubted: number;
    /** Delisted or renamed. */
    instrumentsEnded: number;
    /** Quotes whose bid was above their ask; they were published. */
    crossedQuotes: number;
    /** Trades that had been seen before. */
    duplicateTrades: number;
    /** Published trades that the venue sent as history, on subscribing or in a list. */
    historicalTrades: number;
    /** Broken sequences and failed checksums of books, and holes in the numbers of trades. */
    gaps: number;
    /** Those of trades. */
    tradeGaps: number;
    /** Books started anew after having been in sync. */
    resyncs: number;
    checksumsPassed: number;
    checksumsFailed: number;
  };

/** All zero. */
export function createVenueCounters(): VenueCounters {
  return {
    frames: 0,
    connects: 0,
    disconnects: 0,
    rollovers: 0,
    resubscribes: 0,
    refusals: 0,
    unrequested: 0,
    tradesFilled: 0,
    tradeFillsFailed: 0,
    polls: 0,
    pollsFailed: 0,
    candleRequests: 0,
    candleRequestsFailed: 0,
    candlesKept: 0,
    probes: 0,
    probesDead: 0,
    probesFailed: 0,
    snapshotsRequested: 0,
    snapshotsDelivered: 0,
    snapshotsFailed: 0,
    booksRefreshed: 0,
    refreshesFailed: 0,
    rateLimited: 0,
    banned: 0,
    events: Object.fromEntries(EVENT_KINDS.map(({ type }) => [type, 0])) as EventCounts,
    rejected: {},
    rejectedOf: new Map(),
    badTimes: 0,
    listsDoubted: 0,
    instrumentsEnded: 0,
    crossedQuotes: 0,
    duplicateTrades: 0,
    historicalTrades: 0,
    gaps: 0,
    tradeGaps: 0,
    resyncs: 0,
    checksumsPassed: 0,
    checksumsFailed: 0,
  };
}
