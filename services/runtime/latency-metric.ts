import type { Metric, Registry } from "prom-client";
import { LATENCY_SECONDS_BOUNDS } from "#core/latency-histogram.ts";
import type { LatencyBoard, LatencyHistogram, LatencyLabels } from "#core/latency-histogram.ts";

/** Lets a registry read one part of the board as a histogram by venue and channel. */
export function registerLatencyMetric<Part extends string>(options: {
  readonly registry: Registry;
  readonly board: LatencyBoard<Part>;
  readonly part: Part;
  readonly name: string;
  readonly help: string;
}): void {
  const { registry, board, part, name, help } = options;
  const metric = {
    name,
    help,
    type: "histogram",
    labelNames: ["venue", "channel"],
    get: () =>
      Promise.resolve({
        name,
        help,
        type: "histogram",
        aggregator: "sum",
        values: [...board.rows()].flatMap(({ labels, latency }) =>
          valuesOf(name, labels, latency[part]),
        ),
      }),
    reset: () => {},
  };
  // A registry needs no more of a metric than this; its own histogram cannot be given counts.
  registry.registerMetric(metric as unknown as Metric);
}

function valuesOf(name: string, labels: LatencyLabels, { counts, sumUs }: LatencyHistogram) {
  const bounds: readonly (number | string)[] = [...LATENCY_SECONDS_BOUNDS, "+Inf"];
  let total = 0;
  const buckets = bounds.map((le, index) => {
    total += counts[index] as number;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumUs / 1e6 },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
