import { latencyAt } from "./latency-histogram.ts";
import type { LatencyHistogram } from "./latency-histogram.ts";

/** The least time that a window covers, if it was read before; it covers up to twice as much. */
const WINDOW_US_MIN = 10_000_000;

/** What most of the latencies of the last seconds lay below, in whole microseconds. */
type LatencyPercentiles = {
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
};

type Mark = { readonly counts: Float64Array; readonly atUs: number };

/**
 * The latest latencies of histograms that count since the start: what was counted since a mark that
 * lies 10 to 20 s back. Marks are made when the window is read; read less often, it covers the time
 * since it was read before.
 */
export class LatencyWindow {
  #older: Mark | undefined;
  #newer: Mark | undefined;

  /** The percentiles of all histograms together; undefined if nothing was counted in the window. */
  read(histograms: Iterable<LatencyHistogram>, nowUs: number): LatencyPercentiles | undefined {
    let counts: Float64Array | undefined;
    for (const histogram of histograms) {
      if (counts === undefined) counts = histogram.counts.slice();
      else for (const [bucket, count] of histogram.counts.entries()) add(counts, bucket, count);
    }
    if (counts === undefined) return undefined;
    if (this.#newer === undefined || nowUs - this.#newer.atUs >= WINDOW_US_MIN) {
      this.#older = this.#newer;
      this.#newer = { counts, atUs: nowUs };
    }
    return percentilesOf(difference(counts, this.#older?.counts));
  }
}

function percentilesOf(counts: Float64Array): LatencyPercentiles | undefined {
  const [p50, p99] = [latencyAt(counts, 0.5), latencyAt(counts, 0.99)];
  if (p50 === undefined || p99 === undefined) return undefined;
  const count = counts.reduce((sum, each) => sum + each, 0);
  return { count, p50Us: Math.round(p50), p99Us: Math.round(p99) };
}

function difference(counts: Float64Array, before: Float64Array | undefined): Float64Array {
  return before === undefined
    ? counts
    : counts.map((count, bucket) => count - (before[bucket] ?? 0));
}

function add(counts: Float64Array, bucket: number, count: number): void {
  counts[bucket] = (counts[bucket] ?? 0) + count;
}
