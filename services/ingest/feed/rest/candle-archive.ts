import { CandlePastError } from "#core/candle-past.ts";
import type { CandlePast, CandleSlice, CandleWish } from "#core/candle-past.ts";
import { assert } from "#core/assert.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type { CandleHistory } from "../feed-adapter.ts";
import type { VenueContext } from "../venue-context.ts";
import { CandleBlocks } from "./candle-blocks.ts";
import type { ArchiveCounters, CandleBlock } from "./candle-blocks.ts";
import type { VenueRest } from "./venue-rest.ts";

type CandleArchiveOptions = VenueContext & {
  readonly history: CandleHistory;
  readonly rest: VenueRest;
  readonly counters: ArchiveCounters;
  /** By the venue's clock, as far as it is known. */
  readonly venueNowUs: () => number;
};

/** A venue may still change a candle that has just ended, and may be late with it. */
const GRACE_MS = 10_000;
/** Candles of one request; reading more would take longer than a millisecond or two. */
const BLOCK_ROWS_MAX = 1_000;
/** Requests for one page, before what there is goes out and the rest is asked for anew. */
export const BLOCKS_PER_PAGE_MAX = 8;
/** 2009-01-03: no venue has a candle from before. */
const FIRST_MS = 1_230_940_800_000;
const DAY_MS = 86_400_000;

/**
 * Candles of the past by a venue's REST, within its budget and behind everything that keeps the
 * streams right. They are asked for in blocks whose ends are always the same, so that a block is
 * asked for once however many users look at it; blocks of candles that are all closed are kept.
 */
export class CandleArchive implements CandlePast {
  readonly intervalsMs: readonly number[];
  readonly #options: CandleArchiveOptions;
  readonly #blocks: CandleBlocks;

  constructor(options: CandleArchiveOptions) {
    this.#options = options;
    this.intervalsMs = options.history.intervalsMs;
    this.#blocks = new CandleBlocks(options);
  }

  knownUntilUs(intervalMs: number): number {
    const nowMs = Math.floor(this.#options.venueNowUs() / 1_000) - GRACE_MS;
    return Math.floor(nowMs / intervalMs) * intervalMs * 1_000;
  }

  endedUntilUs(intervalMs: number): number {
    const intervalUs = intervalMs * 1_000;
    return Math.floor(this.#options.venueNowUs() / intervalUs) * intervalUs;
  }

  async before(instrument: Instrument, wish: CandleWish): Promise<CandleSlice> {
    const { intervalMs, countMax } = wish;
    const knownMs = this.knownUntilUs(intervalMs) / 1_000;
    const toMs = Math.min(wish.toTimeUs / 1_000, knownMs);
    if (this.#options.history.isLatestOnly === true) {
      return this.#latest(instrument, { ...wish, toTimeUs: toMs * 1_000 });
    }
    const blockMs = this.#blockMs(intervalMs);
    let fromMs = toMs;
    let candles: readonly Candle[] = [];
    for (let blocks = 0; blocks < BLOCKS_PER_PAGE_MAX; blocks += 1) {
      if (candles.length >= countMax || fromMs <= FIRST_MS) break;
      const startMs = Math.floor((fromMs - 1) / blockMs) * blockMs;
      const block = await this.#block(instrument, intervalMs, startMs);
      candles = [...within(block, startMs, toMs), ...candles];
      fromMs = startMs;
    }
    const slice = { candles, fromTimeUs: fromMs * 1_000, toTimeUs: toMs * 1_000 };
    if (candles.length > 0 || fromMs <= FIRST_MS) return { ...slice, isOldest: fromMs <= FIRST_MS };
    const lastMs = await this.#lastBefore(instrument, { intervalMs, beforeMs: fromMs });
    if (lastMs === undefined) return { ...slice, isOldest: true };
    return { ...slice, fromTimeUs: Math.min(lastMs, fromMs) * 1_000, isOldest: false };
  }

  async after(instrument: Instrument, wish: CandleWish): Promise<CandleSlice> {
    const { intervalMs, countMax } = wish;
    const knownMs = this.knownUntilUs(intervalMs) / 1_000;
    const toMs = Math.min(wish.toTimeUs / 1_000, knownMs);
    const fromMs = Math.max(wish.fromTimeUs / 1_000, FIRST_MS);
    if (this.#options.history.isLatestOnly === true) return this.#latest(instrument, wish);
    const blockMs = this.#blockMs(intervalMs);
    let untilMs = fromMs;
    let candles: readonly Candle[] = [];
    for (let blocks = 0; blocks < BLOCKS_PER_PAGE_MAX; blocks += 1) {
      if (candles.length >= countMax || untilMs >= toMs) break;
      const startMs = Math.floor(untilMs / blockMs) * blockMs;
      const block = await this.#block(instrument, intervalMs, startMs);
      candles = [...candles, ...within(block, fromMs, toMs)];
      untilMs = startMs + blockMs;
    }
    const toTimeUs = Math.max(wish.fromTimeUs, Math.min(untilMs, toMs) * 1_000);
    return { candles, fromTimeUs: wish.fromTimeUs, toTimeUs, isOldest: false };
  }

  /** Asked for once for each end of a candle, and told as not closed: the venue may change them. */
  async recent(instrument: Instrument, intervalMs: number): Promise<readonly Candle[]> {
    const knownMs = this.knownUntilUs(intervalMs) / 1_000;
    const toMs = this.endedUntilUs(intervalMs) / 1_000;
    if (toMs <= knownMs) return [];
    const { isLatestOnly, rowsMax } = this.#options.history;
    const fromMs = isLatestOnly === true ? toMs - rowsMax * intervalMs : knownMs;
    const range = { intervalMs, fromMs, toMs };
    const block = await this.#blocks.get(instrument, range, { untilMs: toMs, place: "recent" });
    return within(block, knownMs, toMs).map((candle) => ({ ...candle, closed: false }));
  }

  /** Forgets everything. Idempotent. */
  close(): void {
    this.#blocks.close();
  }

  /** Of a venue that has its latest candles and none before them. */
  async #latest(instrument: Instrument, wish: CandleWish): Promise<CandleSlice> {
    const { intervalMs, fromTimeUs } = wish;
    const untilMs = this.knownUntilUs(intervalMs) / 1_000;
    const fromMs = untilMs - this.#options.history.rowsMax * intervalMs;
    const range = { intervalMs, fromMs, toMs: untilMs + intervalMs };
    const block = await this.#blocks.get(instrument, range, { untilMs, place: "latest" });
    const toMs = Math.min(wish.toTimeUs / 1_000, untilMs);
    const candles = within(block, fromTimeUs / 1_000, toMs);
    const oldestUs = block.candles[0]?.openTimeUs ?? untilMs * 1_000;
    const beginsAtUs = Math.max(fromTimeUs, Math.min(oldestUs, toMs * 1_000));
    const isOldest = fromTimeUs <= oldestUs;
    return {
      candles,
      fromTimeUs: beginsAtUs,
      toTimeUs: Math.max(beginsAtUs, toMs * 1_000),
      isOldest,
    };
  }

  async #block(instrument: Instrument, intervalMs: number, startMs: number): Promise<CandleBlock> {
    const untilMs = Math.min(
      startMs + this.#blockMs(intervalMs),
      this.knownUntilUs(intervalMs) / 1_000,
    );
    assert(untilMs > startMs, "a block of candles is not asked for before its first is over");
    const range = { intervalMs, fromMs: startMs, toMs: untilMs };
    return this.#blocks.get(instrument, range, { untilMs, place: startMs });
  }

  /**
   * The end of the last day that had a candle, before a time; undefined if there is none. So that
   * who looks for what is before a long silence need not go through all of it.
   */
  async #lastBefore(
    instrument: Instrument,
    { intervalMs, beforeMs }: { readonly intervalMs: number; readonly beforeMs: number },
  ): Promise<number | undefined> {
    const longMs = this.intervalsMs.findLast((each) => each > intervalMs && each <= DAY_MS);
    if (longMs === undefined) return undefined;
    const blockMs = this.#blockMs(longMs);
    let startMs = Math.floor((beforeMs - 1) / blockMs) * blockMs;
    for (let blocks = 0; blocks < 2 && startMs + blockMs > FIRST_MS; blocks += 1) {
      const block = await this.#block(instrument, longMs, startMs);
      const last = within(block, 0, beforeMs).at(-1);
      if (last !== undefined) return last.openTimeUs / 1_000 + longMs;
      startMs -= blockMs;
    }
    return undefined;
  }

  #blockMs(intervalMs: number): number {
    const { rowsMax, spanMsMax = Infinity } = this.#options.history;
    const rows = Math.min(rowsMax, BLOCK_ROWS_MAX, Math.floor(spanMsMax / intervalMs));
    if (rows < 1) {
      throw new CandlePastError("unavailable", `the venue has no range of ${intervalMs} ms`);
    }
    return rows * intervalMs;
  }
}

/** The candles of a block that begin in a range. */
function within({ candles }: CandleBlock, fromMs: number, toMs: number): readonly Candle[] {
  return candles.filter(({ openTimeUs }) => {
    return openTimeUs >= fromMs * 1_000 && openTimeUs < toMs * 1_000;
  });
}
