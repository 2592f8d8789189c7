import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

/** What reading the past costs, and whether it is to be had. */
export function createLogMetrics(registry: Registry) {
  const registers = [registry];
  return {
    logUp: new Gauge({
      name: "tickwire_gateway_log_up",
      aggregator: "min",
      help: "Whether the stream log answered when it was last asked: 1 or 0.",
      registers,
    }),
    logReads: new Counter({
      name: "tickwire_gateway_log_reads_total",
      help: "Questions to the stream log, by question and outcome.",
      labelNames: ["question", "outcome"],
      registers,
    }),
    logBytes: new Counter({
      name: "tickwire_gateway_log_read_bytes_total",
      help: "Bytes of batches that were read from the stream log.",
      registers,
    }),
    logEvents: new Counter({
      name: "tickwire_gateway_log_events_total",
      help: "Events that the stream log had and neither the gateway nor the publisher.",
      labelNames: ["venue", "channel"],
      registers,
    }),
    resumeBytes: new Gauge({
      name: "tickwire_gateway_resume_bytes",
      help: "Memory that is set aside for what clients who come back have missed.",
      registers,
    }),
    replays: new Gauge({
      name: "tickwire_gateway_replays",
      help: "Replays that are under way.",
      registers,
    }),
  };
}
