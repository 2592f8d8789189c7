import type { ConnectionPlan, FeedSubscription } from "../feed-adapter.ts";
import type { FeedSink } from "../feed-sink.ts";
import type { AddressBudget } from "../rest/address-budget.ts";
import type { FeedProber } from "../rest/feed-prober.ts";
import type { SnapshotCounters, SnapshotFetcher } from "../rest/snapshot-fetcher.ts";
import type { TradeFillCounters } from "../rest/trade-gap-filler.ts";
import type { VenueRest } from "../rest/venue-rest.ts";
import type { VenueContext } from "../venue-context.ts";
import type { FeedDialer } from "./web-socket-dialer.ts";

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

/** How a venue is reached, within limits that all its sessions share. */
export type SessionNetwork = {
  readonly dialer: FeedDialer;
  /** What all connections to the venue spend from. */
  readonly address: AddressBudget;
  readonly snapshots: SnapshotFetcher;
  /** Absent for recordings: their addresses and their missed trades cannot be asked for. */
  readonly rest?: VenueRest;
};

export type FeedSessionOptions = VenueContext & {
  /** Where to connect, and what to subscribe there. */
  readonly plan: ConnectionPlan;
  readonly network: SessionNetwork;
  readonly counters: SessionCounters;
  readonly sink: FeedSink;
  /** Whether this session is the one that also subscribes what tells of the market as a whole. */
  readonly carriesMarket?: () => boolean;
  /** Finds out what silence means; absent for recordings, which cannot be asked. */
  readonly prober?: FeedProber;
  /** For recordings: data showed a subscription that was not planned. */
  readonly onLearnt?: (subscription: FeedSubscription) => void;
  /**
   * The connection is a recording: it ends when the recording says so, never by our decision, and
   * what it subscribed shows in its data.
   */
  readonly recorded?: boolean;
};
