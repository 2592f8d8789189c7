import type { Clock } from "#core/clock.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { Logger } from "#core/logger.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedSubscription,
  RejectReason,
} from "../feed-adapter.ts";
import type { FeedPolicy } from "../feed-policy.ts";
import type { FeedSession } from "./feed-session.ts";
import type { RequestPacer } from "../rest/request-pacer.ts";
import type { FeedData } from "./rollover.ts";
import type { SnapshotCounters, SnapshotFetcher } from "../rest/snapshot-fetcher.ts";
import type { TradeFillCounters } from "../rest/trade-gap-filler.ts";
import type { VenueRest } from "../rest/venue-rest.ts";
import type { FeedDialer } from "./web-socket-dialer.ts";

/** Where a session's events go. Called synchronously, in the order of the frames. */
export type FeedSink = {
  onData(event: FeedData): void;
  onRejected(reason: RejectReason, instrument?: Instrument, channel?: Channel): void;
  /**
   * A subscription's health changed. For a book, `live` means that data flows, not that it is in
   * sync.
   */
  onChannelState(instrument: Instrument, channel: Channel, state: TopicState, reason: string): void;
  isBookLive(instrument: Instrument): boolean;
  /** A recording showed a subscription that was not planned. */
  onLearnt?(subscription: FeedSubscription, session: FeedSession): void;
};

/** Counts that the sessions of one venue keep up to date together; read by the metrics. */
export type SessionCounters = TradeFillCounters &
  Pick<SnapshotCounters, "snapshotsRequested" | "snapshotsDelivered"> & {
    frames: number;
    connects: number;
    disconnects: number;
    rollovers: number;
    resubscribes: number;
    refusals: number;
    /** Data of a channel that nobody asked for. */
    unrequested: number;
  };

export type FeedSessionOptions = {
  readonly adapter: FeedAdapter;
  readonly plan: ConnectionPlan;
  readonly bookDepth: number;
  readonly catalog: InstrumentCatalog;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly dialer: FeedDialer;
  /** Shared by all sessions of the venue. */
  readonly connectPacer: RequestPacer;
  /** Shared by all sessions of the venue. */
  readonly snapshots: SnapshotFetcher;
  /** Shared by all sessions of the venue; absent for recordings. */
  readonly rest?: VenueRest;
  readonly policy: FeedPolicy;
  readonly counters: SessionCounters;
  readonly logger: Logger;
  readonly sink: FeedSink;
  /**
   * The connection is a recording: it ends when the recording says so, never by our decision, and
   * what it subscribed shows in its data.
   */
  readonly recorded?: boolean;
};
