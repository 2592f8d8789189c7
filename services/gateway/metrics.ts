import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";
import { LatencyBoard } from "#core/latency-histogram.ts";
import type { LatencyRow } from "#core/latency-histogram.ts";
import { registerLatencyMetric } from "#runtime/latency-metric.ts";
import { createAccessMetrics } from "./access/access-metrics.ts";
import { createStreamMetrics } from "./http/streams/stream-metrics.ts";
import { createLogMetrics } from "./history/log-metrics.ts";
import { createViewMetrics } from "./view-metrics.ts";

/**
 * The gateway's metrics. Labels are of low cardinality: venue and channel, never instrument or
 * session.
 */
export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/** Registers every metric of the gateway. @throws if the registry has them already. */
export function createGatewayMetrics(registry: Registry) {
  return {
    ...createAccessMetrics(registry),
    ...refusalMetrics(registry),
    ...sessionMetrics(registry),
    ...waitingMetrics(registry),
    ...createStreamMetrics(registry),
    ...drainMetrics(registry),
    ...deliveryMetrics(registry),
    ...busMetrics(registry),
    ...publisherMetrics(registry),
    ...topicMetrics(registry),
    ...createLogMetrics(registry),
    latencies: registerLatencies(registry),
    ...createViewMetrics(registry),
  };
}

/** How much of a limit of the whole gateway is used. */
export type LimitUse = { readonly limit: string; readonly used: number; readonly max: number };

/** Reads how much of each limit is used when the metrics are asked for. */
export function registerLimitUse(registry: Registry, read: () => readonly LimitUse[]): void {
  const gauge: Gauge<"limit"> = new Gauge({
    name: "tickwire_gateway_limit_used_ratio",
    aggregator: "max",
    help: "Part of a limit of the whole gateway that is used; at 1 its policy applies.",
    labelNames: ["limit"],
    registers: [registry],
    collect: () => {
      for (const { limit, used, max } of read()) gauge.set({ limit }, used / max);
    },
  });
}

const LATENCY_PARTS = ["publishToReceive", "receiveToSocket", "socketToClient"] as const;
type LatencyPart = (typeof LATENCY_PARTS)[number];

/** How long the batches of one channel took to the gateway, through it, and to its clients. */
export type GatewayLatency = LatencyRow<LatencyPart>;

/** The parts of the way that a gateway sees. They are counted without labels being looked up. */
function registerLatencies(registry: Registry): LatencyBoard<LatencyPart> {
  const board = new LatencyBoard(LATENCY_PARTS);
  registerLatencyMetric({
    registry,
    board,
    part: "publishToReceive",
    name: "tickwire_gateway_publish_to_receive_seconds",
    help: "From a batch's published time to its arrival; may be negative between machines.",
  });
  registerLatencyMetric({
    registry,
    board,
    part: "receiveToSocket",
    name: "tickwire_gateway_receive_to_socket_seconds",
    help: "From a batch's arrival, or its making by a view, to its socket; 1 frame in 16.",
  });
  registerLatencyMetric({
    registry,
    board,
    part: "socketToClient",
    name: "tickwire_gateway_socket_to_client_seconds",
    help: "From a frame's socket to the client's answer that it has come, by probes now and then.",
  });
  registerBatches(registry, board);
  return board;
}

/** Every batch was measured when it came, so that how many came is known without counting. */
function registerBatches(registry: Registry, board: LatencyBoard<LatencyPart>): void {
  const counter = new Counter({
    name: "tickwire_gateway_batches_total",
    help: "Batches from the bus.",
    labelNames: ["venue", "channel"],
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const { labels, latency } of board.rows()) {
        counter.inc(labels, latency.publishToReceive.total);
      }
    },
  });
}

function refusalMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requestsRefused: new Counter({
      name: "tickwire_gateway_requests_refused_total",
      help: "Requests above the rate, no calls, that were told when to come again.",
      labelNames: ["request"],
      registers,
    }),
    upgradesRefused: new Counter({
      name: "tickwire_gateway_upgrades_refused_total",
      help: "Upgrades refused, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    bodiesRefused: new Counter({
      name: "tickwire_gateway_bodies_refused_total",
      help: "HTTP requests with a body above requestBytesMax.",
      registers,
    }),
    limitsExceeded: new Counter({
      name: "tickwire_gateway_limits_exceeded_total",
      help: "Connections, requests and bodies refused, by the limit that they exceed.",
      labelNames: ["limit"],
      registers,
    }),
    originsRefused: new Counter({
      name: "tickwire_gateway_origins_refused_total",
      help: "Requests and upgrades refused for their Host or Origin, by which.",
      labelNames: ["reason"],
      registers,
    }),
  };
}

function sessionMetrics(registry: Registry) {
  const registers = [registry];
  return {
    connections: new Gauge({
      name: "tickwire_gateway_connections",
      help: "Open WebSocket connections.",
      registers,
    }),
    connectionsTotal: new Counter({
      name: "tickwire_gateway_connections_total",
      help: "WebSocket connections accepted.",
      registers,
    }),
    closes: new Counter({
      name: "tickwire_gateway_closes_total",
      help: "Connections closed, by close code and by whom.",
      labelNames: ["code", "by"],
      registers,
    }),
    framesReceived: new Counter({
      name: "tickwire_gateway_frames_received_total",
      help: "Frames from clients.",
      registers,
    }),
    subscriptions: new Gauge({
      name: "tickwire_gateway_subscriptions",
      help: "Topics that sessions are subscribed to, each session counted.",
      registers,
    }),
    subscriptionRows: new Gauge({
      name: "tickwire_gateway_subscription_rows",
      help: "Topics of sessions for which there is room in memory now.",
      registers,
    }),
    topicErrors: new Counter({
      name: "tickwire_gateway_topic_errors_total",
      help: "Topics of subscribe requests that were refused.",
      labelNames: ["error"],
      registers,
    }),
    positionsForgotten: new Counter({
      name: "tickwire_gateway_positions_forgotten_total",
      help: "Positions of topics not to be had yet that a session sent beyond subscriptionsMax.",
      registers,
    }),
    calls: new Counter({
      name: "tickwire_gateway_calls_total",
      help: "RPCs answered, by method, carrier and code.",
      labelNames: ["method", "carrier", "code"],
      registers,
    }),
    callSeconds: new Histogram({
      name: "tickwire_gateway_call_seconds",
      help: "Time to answer an RPC.",
      labelNames: ["method"],
      buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
      registers,
    }),
  };
}

/** What waits for its turn. */
function waitingMetrics(registry: Registry) {
  const registers = [registry];
  return {
    inboxBytes: new Gauge({
      name: "tickwire_gateway_inbox_bytes",
      help: "Bytes of frames from clients that wait to be read.",
      registers,
    }),
    inboxOverflows: new Counter({
      name: "tickwire_gateway_inbox_overflows_total",
      help: "Frames read out of turn, because no more may wait.",
      registers,
    }),
    stepsWaiting: new Gauge({
      name: "tickwire_gateway_steps_waiting",
      help: "Openings, frames and farewells of clients that wait for a turn of the event loop.",
      registers,
    }),
    stepsOverflowed: new Counter({
      name: "tickwire_gateway_steps_overflowed_total",
      help: "Openings, frames and farewells that were not put off, because no more may wait.",
      registers,
    }),
  };
}

function drainMetrics(registry: Registry) {
  const registers = [registry];
  return {
    drainOverdue: new Gauge({
      name: "tickwire_gateway_drain_overdue_sessions",
      help: "Sessions that the rate of closes leaves until the deadline, as the drain began.",
      registers,
    }),
    drainedSessions: new Counter({
      name: "tickwire_gateway_drained_sessions_total",
      help: "Sessions of a drain: left by themselves, closed after their window, cut at the deadline.",
      labelNames: ["outcome"],
      registers,
    }),
  };
}

function deliveryMetrics(registry: Registry) {
  const registers = [registry];
  return {
    fullLists: new Counter({
      name: "tickwire_gateway_full_lists_total",
      help: "Times that a session took what waited for it before its flush, because it was much.",
      registers,
    }),
    framesSent: new Counter({
      name: "tickwire_gateway_frames_sent_total",
      help: "Frames given to the transport.",
      registers,
    }),
    bytesSent: new Counter({
      name: "tickwire_gateway_sent_bytes_total",
      help: "Bytes given to the transport, before compression.",
      registers,
    }),
    framesCompressed: new Counter({
      name: "tickwire_gateway_frames_compressed_total",
      help: "Frames given to the transport to be compressed.",
      registers,
    }),
    compressionsSkipped: new Counter({
      name: "tickwire_gateway_compressions_skipped_total",
      help: "Frames that were sent as they are because there was no time to compress them.",
      registers,
    }),
    flushSeconds: new Histogram({
      name: "tickwire_gateway_flush_seconds",
      help: "Duration of one flush of every session that is owed something.",
      buckets: [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
      registers,
    }),
    owedAtEnd: new Counter({
      name: "tickwire_gateway_owed_at_end_events_total",
      help: "Events that were queued for a session when it ended; a resume may bring them yet.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    undelivered: new Counter({
      name: "tickwire_gateway_undelivered_events_total",
      help: "Events that a client had not got when it came back, and cannot get any more.",
      labelNames: ["venue", "channel"],
      registers,
    }),
  };
}

function busMetrics(registry: Registry) {
  const registers = [registry];
  return {
    badBatches: new Counter({
      name: "tickwire_gateway_bad_batches_total",
      help: "Batches from the bus that could not be read, or that their publisher did not publish.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    busGaps: new Counter({
      name: "tickwire_gateway_bus_gaps_total",
      help: "Sequence gaps between what the bus delivered.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    busMissing: new Counter({
      name: "tickwire_gateway_bus_missing_events_total",
      help: "Events that the bus did not deliver, as subscribers were told.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    foreignBatches: new Counter({
      name: "tickwire_gateway_foreign_batches_total",
      help: "Batches of an epoch that is not followed, left aside: of a second publisher, or false.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    historyEvents: new Counter({
      name: "tickwire_gateway_history_events_total",
      help: "Events fetched from what publishers keep, because they or some before them had not come.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    stalls: new Counter({
      name: "tickwire_gateway_stalls_total",
      help: "Topics that had not come as far as their publisher announced, and were compared.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    epochsContinued: new Counter({
      name: "tickwire_gateway_epochs_continued_total",
      help: "Topics that went on without a loss when another ingestor took over.",
      labelNames: ["venue", "channel"],
      registers,
    }),
  };
}

function publisherMetrics(registry: Registry) {
  const registers = [registry];
  return {
    epochChanges: new Counter({
      name: "tickwire_gateway_epoch_changes_total",
      help: "Topics that went on with another publisher, or another run of it.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    catalogFetchesFailed: new Counter({
      name: "tickwire_gateway_catalog_fetches_failed_total",
      help: "Catalogs of ingestors that did not come, or contradicted what was announced.",
      registers,
    }),
    announcementsRefused: new Counter({
      name: "tickwire_gateway_announcements_refused_total",
      help: "Announcements whose venue or publisher is none, or which contradict what was said before.",
      labelNames: ["venue"],
      registers,
    }),
    ingestorsLost: new Counter({
      name: "tickwire_gateway_ingestors_lost_total",
      help: "Times that a venue's ingestor fell silent.",
      labelNames: ["venue"],
      registers,
    }),
  };
}

function topicMetrics(registry: Registry) {
  const registers = [registry];
  return {
    topics: new Gauge({
      name: "tickwire_gateway_topics",
      help: "Topics that the gateway follows on the bus.",
      registers,
    }),
    slowSkipped: new Counter({
      name: "tickwire_gateway_slow_skipped_events_total",
      help: "Events of states that a client read too slowly for, and for which a later one stands.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    slowMissing: new Counter({
      name: "tickwire_gateway_slow_missing_events_total",
      help: "Events that a client read too slowly for, and was told to be missing.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    instrumentsLeftOut: new Gauge({
      name: "tickwire_gateway_instruments_left_out",
      aggregator: "max",
      help: "Instruments of a venue that cannot be had because of instrumentsMax.",
      labelNames: ["venue"],
      registers,
    }),
    queriesWaiting: new Gauge({
      name: "tickwire_gateway_queries_waiting",
      help: "Snapshot queries that wait because queriesInFlightMax of their venue are under way.",
      registers,
    }),
    snapshotQueries: new Counter({
      name: "tickwire_gateway_snapshot_queries_total",
      help: "Snapshots asked of ingestors, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    resumes: new Counter({
      name: "tickwire_gateway_resumes_total",
      help: "Topics that a session asked to resume, by outcome and by who had what it missed.",
      labelNames: ["venue", "channel", "outcome", "layer"],
      registers,
    }),
    ringTrims: new Counter({
      name: "tickwire_gateway_ring_trimmed_batches_total",
      help: "Batches dropped from the rings of recent batches because of their limits.",
      labelNames: ["venue", "channel"],
      registers,
    }),
  };
}
