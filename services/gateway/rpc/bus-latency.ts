import type { LatencyPercentiles } from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";
import { LatencyWindow } from "#core/latency-window.ts";
import type { GatewayMetrics } from "../metrics.ts";

/**
 * How long a venue's batches took from their publication to here in the last seconds; undefined if
 * none came. To be asked about venues that the catalog has: each is remembered.
 */
export type BusLatency = (venue: string) => LatencyPercentiles | undefined;

/** Reads what the topics count. */
export function busLatency(
  { latencies }: Pick<GatewayMetrics, "latencies">,
  clock: Clock,
): BusLatency {
  const windows = new Map<string, LatencyWindow>();
  return (venue) => {
    const window = windows.get(venue) ?? new LatencyWindow();
    windows.set(venue, window);
    const rows = [...latencies.rows()].filter(({ labels }) => labels.venue === venue);
    return window.read(
      rows.map(({ latency }) => latency.publishToReceive),
      clock.monotonicUs(),
    );
  };
}
