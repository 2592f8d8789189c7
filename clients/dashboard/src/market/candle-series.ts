/** What a chart draws of an interval. Times are the start, in milliseconds since 1970. */
export type Bar = {
  readonly openTimeMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
};

/** A candle as it comes: a bar, or a part of one. */
export type BarPart = Bar & {
  /** Nothing more comes into it. */
  readonly isClosed: boolean;
};

/** More than a screen of years; at the limit the oldest go, and no older ones are taken. */
export const BARS_MAX = 20_000;
/** Of the bars before these, history has said all that it will say. */
const RECENT_BARS = 60;
/** Of all bars together, where they are merged from shorter candles. */
export const PARTS_MAX = 200_000;

/**
 * The bars of a chart, oldest first, each time once. Of two candles of one start, the one that came
 * later is shown, unless it is history that knows less. Shorter candles are merged into the length
 * that is shown.
 */
export class CandleSeries {
  readonly intervalMs: number;
  readonly #partMs: number;
  /** By the start of the bar that they belong to, then by their own start. */
  readonly #parts = new Map<number, Map<number, BarPart>>();
  /** Bars that history has as one candle: nothing more comes into them. */
  readonly #wholes = new Map<number, Bar>();
  readonly #bars = new Map<number, Bar>();
  #partCount = 0;
  #sorted: Bar[] | undefined;

  /** `partMs` is the length of the candles that come live, if it is a shorter one. */
  constructor({ intervalMs, partMs }: { readonly intervalMs: number; readonly partMs?: number }) {
    this.intervalMs = intervalMs;
    this.#partMs = partMs ?? intervalMs;
  }

  /** There is no room for older bars. */
  get isFull(): boolean {
    return this.#bars.size >= BARS_MAX || this.#partCount >= PARTS_MAX;
  }

  /** Takes a candle of this interval or of a part of it; the result is the bar that it changed. */
  put(candle: BarPart): Bar {
    const start = this.#startOf(candle);
    this.#keepPart(start, candle);
    const bar = this.#store(start);
    if (this.#bars.size > BARS_MAX) this.#dropOldest();
    return bar;
  }

  /**
   * Takes history. What is there already is newer and stays, but for a candle that was still open:
   * a closed one of history is the whole of it.
   */
  putHistory(candles: readonly BarPart[]): void {
    const changed = new Set<number>();
    for (const candle of candles) {
      const start = this.#startOf(candle);
      const known = this.#parts.get(start)?.get(candle.openTimeMs);
      if (known !== undefined && (known.isClosed || !candle.isClosed)) continue;
      this.#keepPart(start, candle);
      changed.add(start);
    }
    for (const start of changed) this.#store(start);
    while (this.#bars.size > BARS_MAX) this.#dropOldest();
  }

  /** Takes history in candles of the length that is shown. Open ones are left to `put`. */
  putWholes(candles: readonly BarPart[]): void {
    for (const candle of candles) {
      if (!candle.isClosed) continue;
      const start = this.#startOf(candle);
      this.#wholes.set(start, candle);
      this.#store(start);
    }
    while (this.#bars.size > BARS_MAX) this.#dropOldest();
  }

  /**
   * Where, among the latest bars, something is missing that history may have, oldest first: a hole
   * by its first place, and a bar with too few parts, or with one that was left open.
   */
  unsettledStarts(): number[] {
    const all = this.#sortedBars();
    const recent = all.slice(-RECENT_BARS);
    const starts = emptyStarts(recent, this.intervalMs, 1);
    for (const { openTimeMs } of recent) {
      const isCutOff = openTimeMs === all[0]?.openTimeMs;
      if (!isCutOff && !this.#isSettled(openTimeMs)) starts.push(openTimeMs);
    }
    return starts.sort((a, b) => a - b);
  }

  /** Has every part from the start of the bar on, each closed but for the very last one. */
  #isSettled(start: number): boolean {
    const parts = this.#parts.get(start);
    if (this.#wholes.has(start) || parts === undefined) return true;
    const latest = Math.max(...parts.keys());
    const isLast = start === this.#sortedBars().at(-1)?.openTimeMs;
    const endMs = isLast ? latest + this.#partMs : start + this.intervalMs;
    if (parts.size * this.#partMs < endMs - start) return false;
    return [...parts.values()].every(({ isClosed, openTimeMs }) => {
      return isClosed || (isLast && openTimeMs === latest);
    });
  }

  /** Oldest first. */
  get bars(): readonly Bar[] {
    return this.#sortedBars();
  }

  #sortedBars(): Bar[] {
    this.#sorted ??= [...this.#bars.values()].sort((a, b) => a.openTimeMs - b.openTimeMs);
    return this.#sorted;
  }

  #startOf({ openTimeMs }: Bar): number {
    return Math.floor(openTimeMs / this.intervalMs) * this.intervalMs;
  }

  #keepPart(start: number, candle: BarPart): void {
    let parts = this.#parts.get(start);
    if (parts === undefined) {
      parts = new Map();
      this.#parts.set(start, parts);
    }
    if (!parts.has(candle.openTimeMs)) this.#partCount += 1;
    parts.set(candle.openTimeMs, candle);
  }

  /** Merges the parts of a bar anew. */
  #store(start: number): Bar {
    const bar = this.#wholes.get(start) ?? mergeParts(start, this.#parts.get(start) ?? new Map());
    this.#bars.set(start, bar);
    const sorted = this.#sorted;
    const lastStart = sorted?.at(-1)?.openTimeMs ?? Number.POSITIVE_INFINITY;
    if (sorted === undefined || lastStart > start) this.#sorted = undefined;
    else if (lastStart === start) sorted[sorted.length - 1] = bar;
    else sorted.push(bar);
    return bar;
  }

  #dropOldest(): void {
    const oldest = this.#sortedBars().shift();
    if (oldest === undefined) return;
    this.#partCount -= this.#parts.get(oldest.openTimeMs)?.size ?? 0;
    this.#bars.delete(oldest.openTimeMs);
    this.#parts.delete(oldest.openTimeMs);
    this.#wholes.delete(oldest.openTimeMs);
  }
}

function mergeParts(openTimeMs: number, parts: ReadonlyMap<number, BarPart>): Bar {
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
