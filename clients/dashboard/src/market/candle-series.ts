/** What a chart draws of an interval. Times are the start, in milliseconds since 1970. */
export type Bar = {
  readonly openTimeMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
};

/** More than a screen of years; at the limit the oldest go. */
export const BARS_MAX = 20_000;

/**
 * The bars of a chart, oldest first, each time once. What comes live wins over history, because
 * it is later. Shorter intervals are merged into the one that is shown.
 */
export class CandleSeries {
  readonly intervalMs: number;
  /** By the start of the bar that they belong to, then by their own start. */
  readonly #parts = new Map<number, Map<number, Bar>>();
  readonly #bars = new Map<number, Bar>();
  #sorted: Bar[] | undefined;

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /** Takes a candle of this interval or of a part of it; the result is the bar that it changed. */
  put(candle: Bar): Bar {
    const start = Math.floor(candle.openTimeMs / this.intervalMs) * this.intervalMs;
    let parts = this.#parts.get(start);
    if (parts === undefined) {
      parts = new Map();
      this.#parts.set(start, parts);
      this.#sorted = undefined;
    }
    parts.set(candle.openTimeMs, candle);
    return this.#store(mergeParts(start, parts));
  }

  /** Takes history: what is there already is newer, and stays. */
  putHistory(candles: readonly Bar[]): void {
    for (const candle of candles) {
      const start = Math.floor(candle.openTimeMs / this.intervalMs) * this.intervalMs;
      if (this.#parts.get(start)?.has(candle.openTimeMs) !== true) this.put(candle);
    }
  }

  /** Oldest first. */
  get bars(): readonly Bar[] {
    this.#sorted ??= [...this.#bars.values()].sort((a, b) => a.openTimeMs - b.openTimeMs);
    return this.#sorted;
  }

  #store(bar: Bar): Bar {
    const isNew = !this.#bars.has(bar.openTimeMs);
    this.#bars.set(bar.openTimeMs, bar);
    if (isNew) this.#sorted = undefined;
    else this.#replace(bar);
    if (this.#bars.size > BARS_MAX) this.#dropOldest();
    return bar;
  }

  #replace(bar: Bar): void {
    const { bars } = this;
    const last = bars.length - 1;
    if (this.#sorted === undefined) return;
    if (bars[last]?.openTimeMs === bar.openTimeMs) this.#sorted[last] = bar;
    else this.#sorted = undefined;
  }

  #dropOldest(): void {
    const oldest = this.bars[0];
    if (oldest === undefined) return;
    this.#bars.delete(oldest.openTimeMs);
    this.#parts.delete(oldest.openTimeMs);
    this.#sorted = undefined;
  }
}

function mergeParts(openTimeMs: number, parts: ReadonlyMap<number, Bar>): Bar {
  const [first, ...others] = [...parts.values()].sort((a, b) => a.openTimeMs - b.openTimeMs);
  if (first === undefined) throw new Error("a bar has at least one part");
  let { high, low, close, volume } = first;
  for (const part of others) {
    high = Math.max(high, part.high);
    low = Math.min(low, part.low);
    close = part.close;
    volume += part.volume;
  }
  return { openTimeMs, open: first.open, high, low, close, volume };
}

/**
 * Starts of intervals between two bars for which there is none: shown as an empty place, so that
 * what is missing is seen. Of a hole longer than `emptyMax` the first so many.
 */
export function emptyStarts(bars: readonly Bar[], intervalMs: number, emptyMax = 500): number[] {
  const starts: number[] = [];
  for (let index = 1; index < bars.length; index += 1) {
    const before = bars[index - 1]!.openTimeMs;
    const after = bars[index]!.openTimeMs;
    let count = 0;
    for (let start = before + intervalMs; start < after && count < emptyMax; start += intervalMs) {
      starts.push(start);
      count += 1;
    }
  }
  return starts;
}
