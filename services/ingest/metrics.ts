import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { Channel } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { PublishLatencies } from "#publish/publish-latency.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import { registerLatencyMetric } from "#runtime/latency-metric.ts";
import type { VenueCounters } from "./venue/venue-counters.ts";

/** How one subscription of a venue does. */
export type SubscriptionHealth = {
  readonly symbol: string;
  readonly channel: Channel;
  /** A state of `SUBSCRIPTION_LIFE`. */
  readonly state: string;
  /** For people: what is wrong and what is done about it; empty if nothing is. */
  readonly trouble: string;
};

/** What a venue shows to the metrics. */
export type MeasuredVenue = {
  readonly venue: string;
  readonly counters: VenueCounters;
  readonly connectionsOpen: number;
  readonly connections: number;
  readonly instruments: number;
  readonly snapshotsPending: number;
  readonly subscriptions: readonly SubscriptionHealth[];
  /** The same one by one, for whoever has not the time for all at once. */
  eachSubscription(): Iterable<SubscriptionHealth>;
  /** How far the venue's clock is ahead of ours; undefined while nothing tells. */
  readonly clockOffsetSeconds: number | undefined;
};

type NumberOfVenue = {
  [Key in keyof VenueCounters]: VenueCounters[Key] extends number ? Key : never;
}[keyof VenueCounters];

/** Totals per venue, by metric name; with the channel that they are of where there is just one. */
const VENUE_TOTALS = {
  tickwire_ingest_frames_total: ["Messages received over WebSocket.", "frames"],
  tickwire_ingest_connects_total: ["Connections opened.", "connects"],
  tickwire_ingest_disconnects_total: ["Connections lost.", "disconnects"],
  tickwire_ingest_rollovers_total: [
    "Connections replaced before the venue ended them.",
    "rollovers",
  ],
  tickwire_ingest_resubscribes_total: ["Single subscriptions made anew.", "resubscribes"],
  tickwire_ingest_refusals_total: ["Subscriptions that the venue refused.", "refusals"],
  tickwire_ingest_unrequested_total: ["Events of channels that nobody asked for.", "unrequested"],
  tickwire_ingest_snapshots_requested_total: [
    "Book snapshots asked for.",
    "snapshotsRequested",
    "book",
  ],
  tickwire_ingest_snapshots_failed_total: [
    "Book snapshots that could not be had.",
    "snapshotsFailed",
    "book",
  ],
  tickwire_ingest_book_refreshes_total: [
    "Live books replaced by a fresh snapshot.",
    "booksRefreshed",
    "book",
  ],
  tickwire_ingest_book_refreshes_failed_total: [
    "Snapshots for live books that could not be had or used.",
    "refreshesFailed",
    "book",
  ],
  tickwire_ingest_trades_filled_total: [
    "Trades fetched that a connection had missed.",
    "tradesFilled",
    "trades",
  ],
  tickwire_ingest_trade_fills_failed_total: [
    "Interruptions whose trades could not all be fetched.",
    "tradeFillsFailed",
    "trades",
  ],
  tickwire_ingest_polls_total: ["Requests for channels that are polled.", "polls"],
  tickwire_ingest_polls_failed_total: [
    "Requests for polled channels without an answer.",
    "pollsFailed",
  ],
  tickwire_ingest_candle_requests_total: [
    "REST requests for candles of the past.",
    "candleRequests",
    "candles",
  ],
  tickwire_ingest_candle_requests_failed_total: [
    "Such requests without a usable answer.",
    "candleRequestsFailed",
    "candles",
  ],
  tickwire_ingest_probes_total: [
    "REST requests that find out whether a quiet channel missed anything.",
    "probes",
  ],
  tickwire_ingest_probes_dead_total: [
    "Quiet channels for which the venue had news that did not come.",
    "probesDead",
  ],
  tickwire_ingest_probes_failed_total: ["Such requests without a usable answer.", "probesFailed"],
  tickwire_ingest_rate_limited_total: ["REST answers with status 429.", "rateLimited"],
  tickwire_ingest_banned_total: ["REST answers with status 418.", "banned"],
  tickwire_ingest_crossed_quotes_total: [
    "Quotes whose bid was above their ask, published as they came.",
    "crossedQuotes",
  ],
  tickwire_ingest_lists_doubted_total: [
    "Lists of instruments that lacked too much to be believed at once.",
    "listsDoubted",
  ],
  tickwire_ingest_instruments_ended_total: [
    "Instruments that were delisted or renamed.",
    "instrumentsEnded",
  ],
  tickwire_ingest_bad_times_total: ["Events whose venue time was impossible.", "badTimes"],
  tickwire_ingest_duplicate_trades_total: [
    "Trades that had been seen before.",
    "duplicateTrades",
    "trades",
  ],
  tickwire_ingest_historical_trades_total: [
    "Trades that the venue sent as history.",
    "historicalTrades",
    "trades",
  ],
  tickwire_ingest_resyncs_total: [
    "Books started anew after having been in sync.",
    "resyncs",
    "book",
  ],
  tickwire_ingest_checksums_passed_total: [
    "Book checksums that were right.",
    "checksumsPassed",
    "book",
  ],
  tickwire_ingest_checksums_failed_total: [
    "Book checksums that were wrong.",
    "checksumsFailed",
    "book",
  ],
} as const satisfies Record<
  string,
  readonly [help: string, field: NumberOfVenue, channel?: Channel]
>;

/**
 * Registers every metric of the ingestor. They read the counts when they are asked for, and cost
 * nothing before.
 */
export function registerIngestMetrics(options: {
  readonly registry: Registry;
  readonly venues: () => readonly MeasuredVenue[];
  readonly publisher: PublisherCounters;
  readonly latencies: PublishLatencies;
}): void {
  const { registry, venues, publisher, latencies } = options;
  for (const [name, [help, field, channel]] of Object.entries(VENUE_TOTALS)) {
    const labelNames = channel === undefined ? ["venue"] : ["venue", "channel"];
    readCounter({ registry, name, help, labelNames }, (add) => {
      for (const { venue, counters } of venues()) {
        add(channel === undefined ? { venue } : { venue, channel }, counters[field]);
      }
    });
  }
  registerLosses(registry, venues);
  const events = { name: "tickwire_ingest_events_total", help: "Events published." };
  readCounter({ registry, ...events, labelNames: ["venue", "channel"] }, (add) => {
    for (const { venue, counters } of venues()) {
      for (const [kind, count] of Object.entries(counters.events)) {
        add({ venue, channel: CHANNEL_OF_KIND[kind as MarketEvent["kind"]] }, count);
      }
    }
  });
  registerPublisher(registry, publisher);
  registerFailures(registry, publisher);
  registerLatencyMetric({
    registry,
    board: latencies,
    name: "tickwire_ingest_venue_to_received_seconds",
    help: "From the venue's time of an event to its arrival, by both clocks; once per batch.",
    part: "venueToReceived",
  });
  registerLatencyMetric({
    registry,
    board: latencies,
    name: "tickwire_ingest_received_to_published_seconds",
    help: "From the arrival of a batch's first event to its publication.",
    part: "receivedToPublished",
  });
  registerGauges(registry, venues);
  registerKeptCandles(registry, venues);
  registerSubscriptions(registry, venues);
}

/** What venues sent and nobody received, or had to send again. */
function registerLosses(registry: Registry, venues: () => readonly MeasuredVenue[]): void {
  const rejected = {
    name: "tickwire_ingest_rejected_total",
    help: "Venue data that was not used; without a channel where nobody can tell.",
  };
  readCounter({ registry, ...rejected, labelNames: ["venue", "channel", "reason"] }, (add) => {
    for (const { venue, counters } of venues()) {
      for (const [channel, reasons] of counters.rejectedOf) {
        for (const [reason, count] of Object.entries(reasons))
          add({ venue, channel, reason }, count);
      }
    }
  });
  const gaps = {
    name: "tickwire_ingest_sequence_gaps_total",
    help: "Broken sequences and failed checksums of books, and holes in the numbers of trades.",
  };
  readCounter({ registry, ...gaps, labelNames: ["venue", "channel"] }, (add) => {
    for (const { venue, counters } of venues()) {
      add({ venue, channel: "book" }, counters.gaps - counters.tradeGaps);
      add({ venue, channel: "trades" }, counters.tradeGaps);
    }
  });
}

function registerPublisher(registry: Registry, publisher: PublisherCounters): void {
  const totals = {
    tickwire_ingest_batches_total: ["Batches published.", "batches"],
    tickwire_ingest_published_bytes_total: ["Bytes published.", "bytes"],
  } as const;
  for (const [name, [help, field]] of Object.entries(totals)) {
    readCounter({ registry, name, help, labelNames: [] }, (add) => add({}, publisher[field]));
  }
  const history: Gauge = new Gauge({
    name: "tickwire_ingest_history_bytes",
    help: "Memory of the batches that are kept for gateways which missed some.",
    registers: [registry],
    collect: () => history.set(publisher.historyBytes),
  });
}

function registerFailures(registry: Registry, { failures }: PublisherCounters): void {
  const options = {
    name: "tickwire_ingest_publish_failures_total",
    help: "Events that the bus did not take.",
    labelNames: ["venue", "channel"],
  };
  readCounter({ registry, ...options }, (add) => {
    for (const { venue, channel, events } of failures) add({ venue, channel }, events);
  });
}

function registerGauges(registry: Registry, venues: () => readonly MeasuredVenue[]): void {
  const gauges = {
    tickwire_ingest_connections: ["Connections that should be open.", "connections"],
    tickwire_ingest_connections_open: ["Connections that are open.", "connectionsOpen"],
    tickwire_ingest_instruments: ["Instruments that are streamed.", "instruments"],
    tickwire_ingest_snapshots_pending: ["Book snapshots waited for.", "snapshotsPending"],
    tickwire_ingest_venue_clock_offset_seconds: [
      "Time of the venue's last events less ours at their receipt; above 0 our clock is behind.",
      "clockOffsetSeconds",
    ],
  } as const;
  for (const [name, [help, field]] of Object.entries(gauges)) {
    const gauge: Gauge<"venue"> = new Gauge({
      name,
      help,
      labelNames: ["venue"],
      registers: [registry],
      collect: () => {
        for (const each of venues()) {
          const value = each[field];
          if (value !== undefined) gauge.set({ venue: each.venue }, value);
        }
      },
    });
  }
}

function registerKeptCandles(registry: Registry, venues: () => readonly MeasuredVenue[]): void {
  const gauge: Gauge<"venue"> = new Gauge({
    name: "tickwire_ingest_candles_kept",
    help: "Candles of the past that are kept of the venue's answers.",
    labelNames: ["venue"],
    registers: [registry],
    collect: () => {
      for (const { venue, counters } of venues()) gauge.set({ venue }, counters.candlesKept);
    },
  });
}

/** How many subscriptions are in each state: what is asked for and not served shows here. */
function registerSubscriptions(registry: Registry, venues: () => readonly MeasuredVenue[]): void {
  const gauge: Gauge<"venue" | "channel" | "state"> = new Gauge({
    name: "tickwire_ingest_subscriptions",
    help: "Subscriptions by the state that they are in; live and doubted ones are served.",
    labelNames: ["venue", "channel", "state"],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const { venue, subscriptions } of venues()) {
        for (const { channel, state } of subscriptions) gauge.inc({ venue, channel, state });
      }
    },
  });
}

type Labels = Readonly<Record<string, string>>;

/**
 * Registers a counter whose values are read off somebody's own counts when they are asked for, so
 * that counting costs nothing more.
 */
export function readCounter(
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
