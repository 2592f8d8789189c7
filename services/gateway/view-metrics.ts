import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";

/** Metrics of what clients get less of: by their views, or because they read too slowly. */
export function createViewMetrics(registry: Registry) {
  return { ...slownessMetrics(registry), ...viewMetrics(registry) };
}

function slownessMetrics(registry: Registry) {
  const registers = [registry];
  return {
    lagNotices: new Counter({
      name: "tickwire_gateway_lag_notices_total",
      help: "Sessions told that they read too slowly.",
      registers,
    }),
    bandwidthChanges: new Counter({
      name: "tickwire_gateway_bandwidth_changes_total",
      help: "Topics sent at another interval because of the bandwidth of their session, by which way.",
      labelNames: ["to"],
      registers,
    }),
    bandwidthExceeded: new Counter({
      name: "tickwire_gateway_bandwidth_exceeded_total",
      help: "Looks at a session that got more than its bandwidth with every topic sent as seldom as can be.",
      registers,
    }),
    slowConsumers: new Counter({
      name: "tickwire_gateway_slow_consumers_total",
      help: "Sessions closed because they read too slowly, by the limit that they exceeded.",
      labelNames: ["limit"],
      registers,
    }),
    lagSeconds: new Histogram({
      name: "tickwire_gateway_lag_seconds",
      help: "Age of what a client has just acknowledged, from when it was owed to it.",
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60],
      registers,
    }),
    lagSecondsMax: new Gauge({
      name: "tickwire_gateway_lag_seconds_max",
      aggregator: "max",
      help: "Age of the oldest thing that some session has not acknowledged yet.",
      registers,
    }),
  };
}

function viewMetrics(registry: Registry) {
  const registers = [registry];
  return {
    delayedBytes: new Gauge({
      name: "tickwire_gateway_delayed_bytes",
      help: "Bytes of topics that wait for clients who may have them only later.",
      registers,
    }),
    delayOverflows: new Counter({
      name: "tickwire_gateway_delay_overflows_total",
      help: "Times that a part of a delayed topic was given up, because no more may wait.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    views: new Gauge({
      name: "tickwire_gateway_views",
      help: "Cut or conflated views of topics that sessions use, each counted once.",
      registers,
    }),
    viewsAtLimit: new Counter({
      name: "tickwire_gateway_views_at_limit_total",
      help: "Views wanted beyond viewsMax: whoever wanted one shares another, or was refused.",
      labelNames: ["outcome"],
      registers,
    }),
    viewBatches: new Counter({
      name: "tickwire_gateway_view_batches_total",
      help: "Batches that views made, however many sessions get them.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    viewSkipped: new Counter({
      name: "tickwire_gateway_view_skipped_events_total",
      help: "Events that views left out of their batches, because later ones stand for them.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    viewStateForgotten: new Counter({
      name: "tickwire_gateway_view_state_forgotten_total",
      help: "Parts of a topic's state that its views forgot, because it has too many.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    conflated: new Counter({
      name: "tickwire_gateway_conflated_events_total",
      help: "Events that a session did not get because later ones stand for them, each session counted.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    viewChecksums: new Counter({
      name: "tickwire_gateway_book_checksums_total",
      help: "Checksums of books that were computed, however many sessions get them.",
      registers,
    }),
  };
}
