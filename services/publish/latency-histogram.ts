import type { Channel } from "#core/instrument.ts";

/** Upper bounds of the buckets. Clocks differ, so a latency may well be negative. */
export const LATENCY_SECONDS_BOUNDS = [
  -1, -0.1, -0.01, 0, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
] as const;

const BOUNDS_US = LATENCY_SECONDS_BOUNDS.map((seconds) => seconds * 1e6);

/** Counts latencies by size. This costs a walk over some bounds; a labelled metric costs a hash. */
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

export type LatencyLabels = { readonly venue: string; readonly channel: Channel };

/** The latencies of every venue and channel: the publisher counts, the metrics read. */
export class LatencyBoard {
  readonly #rows = new Map<
    string,
    { readonly labels: LatencyLabels; readonly latency: ChannelLatency }
  >();

  /** The same object every time for the same labels. */
  of(labels: LatencyLabels): ChannelLatency {
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

  /** Every channel that was measured so far. */
  rows(): Iterable<{ readonly labels: LatencyLabels; readonly latency: ChannelLatency }> {
    return this.#rows.values();
  }
}
