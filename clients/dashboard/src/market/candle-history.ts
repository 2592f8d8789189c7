import { refusalText } from "./access-words.ts";
import type { BarPart, CandleSeries } from "./candle-series.ts";

/** A page of the past: the latest, or what follows a token, or what there is from a time on. */
type PageRequest = {
  readonly fromTimeUs?: number;
  readonly pageToken?: string;
};
export type CandlePage = {
  readonly candles: readonly BarPart[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
};

/** Where a chart has its past from. */
export type CandleSource = {
  readonly fetchPage: (request: PageRequest) => Promise<CandlePage>;
  /**
   * Where pages are of the length that is shown and what comes live is of a shorter one: pages of
   * that, for the bar that is open now.
   */
  readonly fetchParts?: (request: PageRequest) => Promise<CandlePage>;
  readonly nowMs: () => number;
  readonly afterMs: (delayMs: number, callback: () => void) => void;
};

/** Pages that a hole is filled with; a longer hole stays one, and is seen. */
export const GAP_PAGES_MAX = 20;

/**
 * A gateway has the last candles of a venue some ten seconds after their end, so that one that is
 * missing between history and what is live is asked for again after this time.
 */
export const SETTLE_MS = 12_000;

/**
 * Brings the past of a chart into its series: the latest page, older ones one after the other, and
 * what was missed while the feed was interrupted, or lies between history and what came live. One
 * question is under way at a time.
 */
export class CandleHistory {
  readonly #series: CandleSeries;
  readonly #source: CandleSource;
  readonly #onChange: () => void;
  #olderToken: string | undefined;
  /** The earliest start that a hole may have; undefined while there is none to fill. */
  #gapFromMs: number | undefined;
  #isBusy = false;
  #isClosed = false;
  #hasLatest = false;
  /** Asking again is of no use. */
  #isRefused = false;
  #isSeamTimed = false;
  /** Where something is missing that was asked for when it could be had: nobody has it. */
  #givenUp: ReadonlySet<number> = new Set();
  /** Why the last question had no answer. */
  problem: string | undefined;

  /** `onChange` is called after each page, and after each failure. */
  constructor(series: CandleSeries, source: CandleSource, onChange: () => void) {
    this.#series = series;
    this.#source = source;
    this.#onChange = onChange;
  }

  /** There is more to the left. */
  get hasOlder(): boolean {
    return this.#olderToken !== undefined && !this.#series.isFull;
  }

  get isLoading(): boolean {
    return this.#isBusy;
  }

  /** The page that ends now. What came live in the meantime stays. */
  loadLatest(): Promise<void> {
    return this.#run(async () => {
      this.#takeOlder(await this.#source.fetchPage({}));
      this.#hasLatest = true;
      await this.#loadOpenBar();
    });
  }

  /** The page before the oldest; nothing while another is under way, or if there is none. */
  async loadOlder(): Promise<void> {
    const pageToken = this.#olderToken;
    if (this.#isBusy || pageToken === undefined || this.#series.isFull) return;
    await this.#run(async () => this.#takeOlder(await this.#source.fetchPage({ pageToken })));
  }

  /** Fills what was missed after the last bar. While something is under way, afterwards. */
  async fillGap(): Promise<void> {
    const last = this.#series.bars.at(-1)?.openTimeMs;
    if (last === undefined) return this.loadLatest();
    // Several gaps are filled from the earliest on.
    this.#gapFromMs = Math.min(this.#gapFromMs ?? last, last);
    if (!this.#isBusy) await this.#run(() => this.#fill());
  }

  /**
   * Looks whether something is missing among the latest bars, to ask for it once more, a while
   * later. Called when a candle has begun.
   */
  checkSeam(): void {
    if (this.#isSeamTimed || this.#isBusy || this.#isClosed || this.#isRefused) return;
    if (this.#hasLatest && this.#missing().length === 0) return;
    this.#isSeamTimed = true;
    const wanted = this.#missing();
    this.#source.afterMs(SETTLE_MS, () => {
      this.#isSeamTimed = false;
      if (!this.#isClosed) void this.#askAgain(wanted);
    });
  }

  #missing(): number[] {
    const unsettled = this.#series.unsettledStarts();
    // What has been filled, and what is long ago, need not be remembered.
    this.#givenUp = new Set(unsettled.filter((start) => this.#givenUp.has(start)));
    return unsettled.filter((start) => !this.#givenUp.has(start));
  }

  async #askAgain(wanted: readonly number[]): Promise<void> {
    if (this.#isBusy) return this.checkSeam();
    const [first] = wanted;
    if (!this.#hasLatest || first === undefined) return this.loadLatest();
    await this.#run(async () => {
      await this.#fillFrom(first - this.#series.intervalMs);
      this.#givenUp = new Set([...this.#givenUp, ...wanted]);
    });
  }

  /** Answers that come later are thrown away. */
  close(): void {
    this.#isClosed = true;
  }

  async #run(load: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await load();
      this.problem = undefined;
      this.#isRefused = false;
    } catch (error) {
      this.problem = refusalText(error as Error);
      this.#isRefused = (error as { retryable?: unknown }).retryable === false;
      // What followed the last page is not kept any more, so that asking again is of no use.
      if ((error as { code?: unknown }).code === "failed-precondition")
        this.#olderToken = undefined;
    }
    this.#isBusy = false;
    if (this.#isClosed) return;
    this.#onChange();
    if (this.#gapFromMs !== undefined) await this.#run(() => this.#fill());
    else this.checkSeam();
  }

  #takeOlder({ candles, nextPageToken }: CandlePage): void {
    if (this.#isClosed) return;
    this.#take(candles);
    this.#olderToken = nextPageToken;
  }

  async #fill(): Promise<void> {
    const fromMs = this.#gapFromMs;
    this.#gapFromMs = undefined;
    if (fromMs !== undefined) await this.#fillFrom(fromMs);
  }

  async #fillFrom(fromMs: number): Promise<void> {
    await this.#loadFrom(fromMs, this.#source.fetchPage, (candles) => this.#take(candles));
    await this.#loadOpenBar();
  }

  /** The parts of the bar that is open now, where pages do not have it. */
  async #loadOpenBar(): Promise<void> {
    const { fetchParts, nowMs } = this.#source;
    const { intervalMs } = this.#series;
    if (fetchParts === undefined) return;
    const startMs = Math.floor(nowMs() / intervalMs) * intervalMs;
    await this.#loadFrom(startMs, fetchParts, (candles) => this.#series.putHistory(candles));
  }

  async #loadFrom(
    fromMs: number,
    fetchPage: (request: PageRequest) => Promise<CandlePage>,
    take: (candles: readonly BarPart[]) => void,
  ): Promise<void> {
    const fromTimeUs = fromMs * 1_000;
    let pageToken: string | undefined;
    for (let page = 0; page < GAP_PAGES_MAX; page += 1) {
      const answer = await fetchPage({
        fromTimeUs,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      if (this.#isClosed) return;
      take(answer.candles);
      pageToken = answer.nextPageToken;
      if (pageToken === undefined) return;
    }
  }

  #take(candles: readonly BarPart[]): void {
    if (this.#source.fetchParts === undefined) this.#series.putHistory(candles);
    else this.#series.putWholes(candles);
  }
}
