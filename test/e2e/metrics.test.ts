// What an operator writes alerts and dashboards with: names with one prefix, and losses by venue
// and channel.
import type { MetricObjectWithValues, MetricValue, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { registerIngestMetrics } from "#ingest/metrics.ts";
import { createVenueCounters } from "#ingest/venue/venue-counters.ts";
import { createPublisherCounters } from "#publish/publisher.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { createMetrics } from "#runtime/metrics.ts";

/** What a process has that runs everything, as `dev` does. */
function everyMetric(): Registry {
  const registry = createMetrics({ version: "1" });
  createGatewayMetrics(registry);
  const counters = createVenueCounters();
  const publisher = createPublisherCounters();
  publisher.failures.push({ venue: "kraken", channel: "quotes", events: 4 });
  counters.gaps = 5;
  counters.tradeGaps = 2;
  counters.rejectedOf.set("trades", { "bad-decimal": 3 });
  counters.rejectedOf.set("", { "bad-json": 1 });
  const venue = { venue: "kraken", counters, connections: 1, connectionsOpen: 1 };
  const rest = {
    instruments: 1,
    snapshotsPending: 0,
    subscriptions: [],
    clockOffsetSeconds: 0,
    eachSubscription: () => [],
  };
  registerIngestMetrics({
    registry,
    venues: () => [{ ...venue, ...rest }],
    publisher,
    latencies: createPublishLatencies(),
  });
  return registry;
}

const registry = everyMetric();

async function metrics(): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
  return (await registry.getMetricsAsJSON()) as MetricObjectWithValues<MetricValue<string>>[];
}

/** Events, books or trades that somebody did not get, or got late. */
const LOSSES = [
  "tickwire_gateway_bad_batches_total",
  "tickwire_gateway_bus_gaps_total",
  "tickwire_gateway_epoch_changes_total",
  "tickwire_gateway_bus_missing_events_total",
  "tickwire_gateway_foreign_batches_total",
  "tickwire_gateway_owed_at_end_events_total",
  "tickwire_gateway_resumes_total",
  "tickwire_gateway_ring_trimmed_batches_total",
  "tickwire_gateway_undelivered_events_total",
  "tickwire_gateway_bus_missing_events_total",
  "tickwire_gateway_foreign_batches_total",
  "tickwire_gateway_stalls_total",
  "tickwire_ingest_checksums_failed_total",
  "tickwire_ingest_publish_failures_total",
  "tickwire_ingest_rejected_total",
  "tickwire_ingest_resyncs_total",
  "tickwire_ingest_sequence_gaps_total",
  "tickwire_ingest_trade_fills_failed_total",
];

describe("metrics", () => {
  test("have the prefix tickwire_, but for those of the process and of Node", async () => {
    const names = (await metrics()).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => !/^(tickwire|process|nodejs)_/.test(name))).toEqual([]);
  });

  test.each(LOSSES)("%s has venue and channel", (name) => {
    const metric = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    expect(metric.labelNames).toEqual(expect.arrayContaining(["venue", "channel"]));
  });

  test("never have an instrument, a session or an address for a label", async () => {
    const labels = new Set<string>();
    for (const { name } of await metrics()) {
      if (!name.startsWith("tickwire_")) continue;
      const metric = registry.getSingleMetric(name) as unknown as { labelNames?: string[] };
      for (const label of metric.labelNames ?? []) labels.add(label);
    }
    const known = ["venue", "channel", "reason", "limit", "code", "by", "error", "method"];
    known.push("carrier", "outcome", "version", "node", "state", "kind", "what", "to", "question");
    known.push("layer", "request");
    expect([...labels].filter((label) => !known.includes(label))).toEqual([]);
  });

  test("of the ingestor tell gaps of trades from gaps of books, and what was rejected", async () => {
    const text = await registry.metrics();
    expect(text).toContain('tickwire_ingest_sequence_gaps_total{venue="kraken",channel="book"} 3');
    expect(text).toContain(
      'tickwire_ingest_sequence_gaps_total{venue="kraken",channel="trades"} 2',
    );
    const failures = "tickwire_ingest_publish_failures_total";
    expect(text).toContain(`${failures}{venue="kraken",channel="quotes"} 4`);
    const rejected = 'tickwire_ingest_rejected_total{venue="kraken",channel=';
    expect(text).toContain(`${rejected}"trades",reason="bad-decimal"} 3`);
    expect(text).toContain(`${rejected}"",reason="bad-json"} 1`);
  });
});
