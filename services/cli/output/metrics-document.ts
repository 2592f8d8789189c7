import type { Registry } from "prom-client";
import { registerBusDrops } from "#gateway/bus-drops.ts";
import { formatMarkdownTable } from "#config/markdown-table.ts";
import { registerDeriveMetrics } from "#derive/metrics.ts";
import { createGatewayMetrics, registerLimitUse } from "#gateway/metrics.ts";
import { createWorkerMetrics, registerWorkerUse } from "#gateway/workers/worker-metrics.ts";
import { registerIngestMetrics } from "#ingest/metrics.ts";
import { registerPublicationMetrics } from "#ingest/publication-metrics.ts";
import { registerFaultMetrics } from "#ingest/fault-metrics.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { createPublisherCounters } from "#publish/publisher.ts";
import { registerRecordingMetrics, registerReplayMetrics } from "../recording/recording-metrics.ts";
import { registerMemoryLogMetrics, registerStreamMetrics } from "../process/stream-log-metrics.ts";
import { createMetrics, registerStateRefusals } from "#runtime/metrics.ts";

const INTRODUCTION = `# Metrics

Every process serves its metrics at \`/metrics\` of its admin address, in Prometheus' text format. The
tables below are read off the registries. What each is good for is in [operations.md](operations.md), the
alerts on them in [infra/prometheus/alerts.yaml](../infra/prometheus/alerts.yaml), and a dashboard of
them in [infra/grafana/tickwire.json](../infra/grafana/tickwire.json).

Names end in their unit; what has none counts things. Counters end in \`_total\`. A histogram
\`x\` has \`x_bucket\` (with the label \`le\`), \`x_sum\` and \`x_count\`. Labels are few and short: a venue, a
channel, a reason; never an instrument, a session or an address.
`;

const GROUPS = [
  ["Gateway", "tickwire_gateway_"],
  ["Ingestor", "tickwire_ingest_"],
  ["Deriver", "tickwire_derive_"],
  ["Recorder", "tickwire_recording_"],
  ["Replay", "tickwire_replay_"],
  ["Any process", "tickwire_"],
] as const;

const CLOSING = `
Besides these, every process has those of Node and of its operating system as \`prom-client\` names them:
\`process_*\` (CPU, memory, file descriptors) and \`nodejs_*\` (event loop, heap, garbage collection).
`;

const HEADER = ["name", "type", "unit", "labels", "what"];

/** What a metric says of itself; prom-client's own type leaves out the labels. */
type DescribedMetric = {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames?: readonly string[];
};

/** The text of docs/metrics.md. */
export function metricsDocument(): string {
  const registry = everyMetric();
  const left = new Map(describedMetrics(registry).map((metric) => [metric.name, metric]));
  const tables = GROUPS.map(([title, prefix]) => {
    const metrics = [...left.values()].filter(({ name }) => name.startsWith(prefix));
    for (const { name } of metrics) left.delete(name);
    metrics.sort((a, b) => (a.name < b.name ? -1 : 1));
    return `\n## ${title}\n\n${formatMarkdownTable([HEADER, ...metrics.map(cellsOf)])}`;
  });
  return INTRODUCTION + tables.join("") + CLOSING;
}

/** What a process has that runs everything, as `dev` does. */
export function everyMetric(): Registry {
  const registry = createMetrics({ version: "1" });
  createGatewayMetrics(registry);
  registerLimitUse(registry, () => []);
  createWorkerMetrics(registry);
  registerWorkerUse(registry, { places: [], host: { subscriptions: 0 } });
  registerPublicationMetrics(registry, []);
  registerFaultMetrics(registry, () => []);
  registerStateRefusals(registry);
  registerBusDrops(registry, { droppedMessages: 0 });
  registerIngestMetrics({
    registry,
    venues: () => [],
    publisher: createPublisherCounters(),
    latencies: createPublishLatencies(),
  });
  registerDeriveMetrics(registry, {
    counters: createPublisherCounters(),
    reader: { topics: 0 },
    candles: undefined,
    consolidated: { instruments: 0, sources: { followed: 0, setAside: 0 } },
  });
  registerMemoryLogMetrics(registry, { entries: 0, bytes: 0, evicted: 0 });
  registerStreamMetrics(registry, () => []);
  registerRecordingMetrics(registry, readNothing);
  registerReplayMetrics(registry, readNothing);
  return registry;
}

/** The document is about names, and reads no values. */
function readNothing(): never {
  throw new Error("no value is read for a document");
}

/** Every metric that a registry has. */
export function describedMetrics(registry: Registry): readonly DescribedMetric[] {
  return registry.getMetricsAsArray() as unknown as readonly DescribedMetric[];
}

function cellsOf({ name, help, type, labelNames = [] }: DescribedMetric): string[] {
  const labels = labelNames.map((label) => `\`${label}\``).join(", ");
  return [`\`${name}\``, type, unitOf(name), labels, help.replaceAll("|", "\\|")];
}

/** By Prometheus' habit the unit stands at the end of the name, before `_total` or `_max`. */
function unitOf(name: string): string {
  const [, unit = ""] = /_(seconds|bytes)(_total|_max)?$/.exec(name) ?? [];
  return unit;
}
