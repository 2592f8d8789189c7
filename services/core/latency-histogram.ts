import type { Channel } from "./instrument.ts";

/** Upper bounds of the buckets. Clocks differ, so a latency may well be negative. */
export const LATENCY_SECONDS_BOUNDS = [
  -1, -0.1, -0.01, 0, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
  0.5, 1, 2.5, 5, 10, 30,
] as const;

const BOUNDS_US = LATENCY_SECONDS_BOUNDS.map((seconds) => seconds * 1e6);

/** Counts latencies by size. This costs a walk over some bounds; a labelled metric costs a hash. */
export class LatencyHistogram {
  /** Per bucket, not cumulative; the last one is for everything above the last bound. */
  readonly counts = new Float64Array(BOUNDS_US.length + 1);
  sumUs = 0;

  /** How many were observed. */
  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  observe(latencyUs: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_US.length && latencyUs > (BOUNDS_US[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sumUs += latencyUs;
  }
}

/**
 * The latency below which this part of what was counted lies, in microseconds: a place within its
 * bucket, as if the bucket were filled evenly. Undefined if nothing was counted. What is below the
 * first bound or above the last one counts as that bound.
 */
export function latencyAt(counts: Float64Array, part: number): number | undefined {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return undefined;
  const wanted = part * total;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && below + count >= wanted) {
      const high = BOUNDS_US[bucket] ?? (BOUNDS_US.at(-1) as number);
      const low = BOUNDS_US[bucket - 1] ?? high;
      return low + ((wanted - below) / count) * (high - low);
    }
    below += count;
  }
  return BOUNDS_US.at(-1);
}

export type LatencyLabels = { readonly venue: string; readonly channel: Channel };

/** The latencies of one channel of a venue, by the part of the way that they are of. */
export type LatencyRow<Part extends string> = Readonly<Record<Part, LatencyHistogram>>;

/**
 * The latencies of every venue and channel, on the parts of the way that one process sees: it
 * counts, and its metrics read.
 */
export class LatencyBoard<Part extends string> {
  readonly #parts: readonly Part[];
  readonly #rows = new Map<
    string,
    { readonly labels: LatencyLabels; readonly latency: LatencyRow<Part> }
  >();

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** The same object every time for the same labels. */
  of(labels: LatencyLabels): LatencyRow<Part> {
    const key = `${labels.venue}/${labels.channel}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      const histograms = this.#parts.map((part) => [part, new LatencyHistogram()] as const);
      row = { labels, latency: Object.fromEntries(histograms) as LatencyRow<Part> };
      this.#rows.set(key, row);
    }
    return row.latency;
  }

  /** Every channel that was measured so far. */
  rows(): Iterable<{ readonly labels: LatencyLabels; readonly latency: LatencyRow<Part> }> {
    return this.#rows.values();
  }
}
