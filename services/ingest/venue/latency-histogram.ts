import type { Metric, Registry } from "prom-client";
import type { Channel } from "#core/instrument.ts";

/** Upper bounds of the buckets. Clocks differ, so a latency may well be negative. */
export const LATENCY_SECONDS_BOUNDS = [
  -1, -0.1, -0.01, 0, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
] as const;

const BOUNDS_US = LATENCY_SECONDS_BOUNDS.map((seconds) => seconds * 1e6);

/** Counts latencies by size. Costs a walk over some bounds; a labelled metric costs a hash. */
export class LatencyHistogram {
  /** Per bucket, not cumulative; the last one is for everything above the last bound. */
  readonly counts = new Float64Array(BOUNDS_US.length + 1);
  sumUs = 0;

  observe(latencyUs: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_US.length && latencyUs > (BOUNDS_US[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sumUs += latencyUs;
  }
}

/** The latencies of one channel of a venue. */
export type ChannelLatency = {
  readonly venueToReceived: LatencyHistogram;
  readonly receivedToPublished: LatencyHistogram;
};

type Labels = { readonly venue: string; readonly channel: Channel };

/** The latencies of every venue and channel; shared by the publisher and the metrics. */
export class LatencyBoard {
  readonly #rows = new Map<string, { readonly labels: Labels; readonly latency: ChannelLatency }>();

  /** The same object every time for the same labels. */
  of(labels: Labels): ChannelLatency {
    const key = `${labels.venue}/${labels.channel}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      const latency = {
        venueToReceived: new LatencyHistogram(),
        receivedToPublished: new LatencyHistogram(),
      };
      row = { labels, latency };
      this.#rows.set(key, row);
    }
    return row.latency;
  }

  /** Lets a registry read one side of it, under this name. */
  register(options: {
    readonly registry: Registry;
    readonly name: string;
    readonly help: string;
    readonly side: keyof ChannelLatency;
  }): void {
    const { registry, name, help, side } = options;
    const metric = {
      name,
      get: () =>
        Promise.resolve({
          name,
          help,
          type: "histogram",
          aggregator: "sum",
          values: [...this.#rows.values()].flatMap(({ labels, latency }) =>
            valuesOf(name, labels, latency[side]),
          ),
        }),
      reset: () => {},
    };
    // A registry needs no more of a metric than this; its own histogram cannot be given counts.
    registry.registerMetric(metric as unknown as Metric);
  }
}

function valuesOf(name: string, labels: Labels, { counts, sumUs }: LatencyHistogram) {
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
