/** How late things were, in milliseconds. */
export type LagPercentiles = {
  /** Half were no later. */
  readonly p50Ms: number;
  /** Of a hundred, one was later. */
  readonly p99Ms: number;
  /** None was later. */
  readonly maxMs: number;
  /** How many were looked at. */
  readonly samples: number;
};

/** Parts that each doubling is cut into: a percentile is exact to an eighth of itself. */
const PARTS_BITS = 3;
const PARTS = 1 << PARTS_BITS;
/** Later than this many microseconds (35 minutes) counts as this late. */
const LAG_US_MAX = 2 ** 31 - 1;

/** Counts lags in a bounded space, whatever their number. */
export class LagHistogram {
  readonly #counts = new Uint32Array(32 * PARTS);
  #samples = 0;
  #maxUs = Number.NEGATIVE_INFINITY;

  /** A lag below 0 (two clocks that disagree) counts as none, but for the maximum. */
  observe(lagUs: number): void {
    const us = Math.min(LAG_US_MAX, Math.max(0, Math.round(lagUs)));
    this.#counts[indexOf(us)]! += 1;
    this.#samples += 1;
    if (lagUs > this.#maxUs) this.#maxUs = lagUs;
  }

  /** What was observed since the last time; undefined if that is nothing. */
  take(): LagPercentiles | undefined {
    if (this.#samples === 0) return undefined;
    const maxMs = this.#maxUs / 1_000;
    const percentiles = {
      p50Ms: Math.min(maxMs, this.#valueAt(0.5) / 1_000),
      p99Ms: Math.min(maxMs, this.#valueAt(0.99) / 1_000),
      maxMs,
      samples: this.#samples,
    };
    this.#counts.fill(0);
    this.#samples = 0;
    this.#maxUs = Number.NEGATIVE_INFINITY;
    return percentiles;
  }

  #valueAt(share: number): number {
    let left = Math.ceil(this.#samples * share);
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return upperBoundOf(index);
    }
    return LAG_US_MAX;
  }
}

function indexOf(us: number): number {
  if (us < PARTS) return us;
  const shift = 31 - Math.clz32(us) - PARTS_BITS;
  return (shift + 1) * PARTS + (us >>> shift) - PARTS;
}

/** The largest of the values that are counted there. */
function upperBoundOf(index: number): number {
  if (index < PARTS) return index;
  const shift = Math.floor(index / PARTS) - 1;
  return ((index % PARTS) + PARTS + 1) * 2 ** shift - 1;
}
