import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { LatencyBoard } from "#publish/latency-histogram.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import { registerLatencyMetric } from "./latency-metric.ts";
import type { VenueCounters } from "./venue/venue-counters.ts";

/** What a venue shows to the metrics. */
export type MeasuredVenue = {
  readonly venue: string;
  readonly counters: VenueCounters;
  readonly connectionsOpen: number;
  readonly connections: number;
  readonly instruments: number;
  readonly snapshotsPending: number;
};

/** Totals per venue, by metric name. */
const VENUE_TOTALS = {
  ingest_frames_total: ["Messages received over WebSocket.", "frames"],
  ingest_connects_total: ["Connections opened.", "connects"],
  ingest_disconnects_total: ["Connections lost.", "disconnects"],
  ingest_rollovers_total: ["Connections replaced before the venue ended them.", "rollovers"],
  ingest_resubscribes_total: ["Single subscriptions made anew.", "resubscribes"],
  ingest_refusals_total: ["Subscriptions that the venue refused.", "refusals"],
  ingest_unrequested_total: ["Events of channels that nobody asked for.", "unrequested"],
  ingest_snapshots_requested_total: ["Book snapshots asked for.", "snapshotsRequested"],
  ingest_snapshots_failed_total: ["Book snapshots that could not be had.", "snapshotsFailed"],
  ingest_book_refreshes_total: ["Live books replaced by a fresh snapshot.", "booksRefreshed"],
  ingest_book_refreshes_failed_total: [
    "Snapshots for live books that could not be had or used.",
    "refreshesFailed",
  ],
  ingest_trades_filled_total: ["Trades fetched that a connection had missed.", "tradesFilled"],
  ingest_trade_fills_failed_total: [
    "Interruptions whose trades could not all be fetched.",
    "tradeFillsFailed",
  ],
  ingest_polls_total: ["Requests for channels that are polled.", "polls"],
  ingest_polls_failed_total: ["Requests for polled channels without an answer.", "pollsFailed"],
  ingest_rate_limited_total: ["REST answers with status 429.", "rateLimited"],
  ingest_banned_total: ["REST answers with status 418.", "banned"],
  ingest_bad_times_total: ["Events whose venue time was impossible.", "badTimes"],
  ingest_duplicate_trades_total: ["Trades that had been seen before.", "duplicateTrades"],
  ingest_historical_trades_total: ["Trades that the venue sent as history.", "historicalTrades"],
  ingest_sequence_gaps_total: ["Broken sequences and failed checksums of books.", "gaps"],
  ingest_resyncs_total: ["Books started anew after having been in sync.", "resyncs"],
  ingest_checksums_passed_total: ["Book checksums that were right.", "checksumsPassed"],
  ingest_checksums_failed_total: ["Book checksums that were wrong.", "checksumsFailed"],
} as const satisfies Record<string, readonly [string, keyof VenueCounters]>;

/**
 * Registers every metric of the ingestor. They read the counts when they are asked for, and cost
 * nothing before.
 */
export function registerIngestMetrics(options: {
  readonly registry: Registry;
  readonly venues: () => readonly MeasuredVenue[];
  readonly publisher: PublisherCounters;
  readonly latencies: LatencyBoard;
}): void {
  const { registry, venues, publisher, latencies } = options;
  for (const [name, [help, field]] of Object.entries(VENUE_TOTALS)) {
    readCounter({ registry, name, help, labelNames: ["venue"] }, (add) => {
      for (const { venue, counters } of venues()) add({ venue }, counters[field]);
    });
  }
  const events = { name: "ingest_events_total", help: "Events published." };
  readCounter({ registry, ...events, labelNames: ["venue", "channel"] }, (add) => {
    for (const { venue, counters } of venues()) {
      for (const [kind, count] of Object.entries(counters.events)) {
        add({ venue, channel: CHANNEL_OF_KIND[kind as MarketEvent["kind"]] }, count);
      }
    }
  });
  const rejected = { name: "ingest_rejected_total", help: "Venue data that was not used." };
  readCounter({ registry, ...rejected, labelNames: ["venue", "reason"] }, (add) => {
    for (const { venue, counters } of venues()) {
      for (const [reason, count] of Object.entries(counters.rejected))
        add({ venue, reason }, count);
    }
  });
  registerPublisher(registry, publisher);
  registerLatencyMetric({
    registry,
    board: latencies,
    name: "ingest_venue_to_received_seconds",
    help: "From the venue's time of an event to its arrival, by both clocks; once per batch.",
    side: "venueToReceived",
  });
  registerLatencyMetric({
    registry,
    board: latencies,
    name: "ingest_received_to_published_seconds",
    help: "From the arrival of a batch's first event to its publication.",
    side: "receivedToPublished",
  });
  registerGauges(registry, venues);
}

function registerPublisher(registry: Registry, publisher: PublisherCounters): void {
  const totals = {
    ingest_batches_total: ["Batches published.", "batches"],
    ingest_published_bytes_total: ["Bytes published.", "bytes"],
    ingest_publish_failures_total: ["Events that the bus did not take.", "failures"],
  } as const;
  for (const [name, [help, field]] of Object.entries(totals)) {
    readCounter({ registry, name, help, labelNames: [] }, (add) => add({}, publisher[field]));
  }
}

function registerGauges(registry: Registry, venues: () => readonly MeasuredVenue[]): void {
  const gauges = {
    ingest_connections: ["Connections that should be open.", "connections"],
    ingest_connections_open: ["Connections that are open.", "connectionsOpen"],
    ingest_instruments: ["Instruments that are streamed.", "instruments"],
    ingest_snapshots_pending: ["Book snapshots waited for.", "snapshotsPending"],
  } as const;
  for (const [name, [help, field]] of Object.entries(gauges)) {
    const gauge: Gauge<"venue"> = new Gauge({
      name,
      help,
      labelNames: ["venue"],
      registers: [registry],
      collect: () => {
        for (const each of venues()) gauge.set({ venue: each.venue }, each[field]);
      },
    });
  }
}

type Labels = Readonly<Record<string, string>>;

function readCounter(
  options: {
    readonly registry: Registry;
    readonly name: string;
    readonly help: string;
    readonly labelNames: readonly string[];
  },
  read: (add: (labels: Labels, value: number) => void) => void,
): void {
  const { registry, name, help, labelNames } = options;
  const counter: Counter = new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: () => {
      counter.reset();
      read((labels, value) => counter.inc(labels, value));
    },
  });
}
