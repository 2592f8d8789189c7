import { CandlePastError } from "#core/candle-past.ts";
import type { CandlePast, CandleSlice, CandleWish } from "#core/candle-past.ts";
import type { Clock } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type { SourceCandles, SourceQueries } from "../reading/source-queries.ts";

type SourcePastParts = {
  /** The venue that the candles are of. */
  readonly source: string;
  readonly queries: Pick<SourceQueries, "candles">;
  readonly clock: Pick<Clock, "nowUs">;
};

/** The publisher of the source knows a closed candle 10 s after its end; it takes some time. */
const GRACE_US = 12_000_000;
const PAGE_SIZE_MAX = 1_000;
/** Empty pages in a row that are gone through for one answer. */
const PAGES_MAX = 4;

/** The past of a derived venue: that of the venue that it is made of, asked for over the bus. */
export class SourcePast implements CandlePast {
  readonly #parts: SourcePastParts;
  #intervalsMs: readonly number[] = [];

  constructor(parts: SourcePastParts) {
    this.#parts = parts;
  }

  /** Lengths that an instrument of the source has of the past, among those that are made. */
  get intervalsMs(): readonly number[] {
    return this.#intervalsMs;
  }

  /** These lengths there are as well. */
  add(intervalsMs: readonly number[]): void {
    const all = new Set([...this.#intervalsMs, ...intervalsMs]);
    this.#intervalsMs = [...all].toSorted((one, other) => one - other);
  }

  knownUntilUs(intervalMs: number): number {
    const intervalUs = intervalMs * 1_000;
    return Math.floor((this.#parts.clock.nowUs() - GRACE_US) / intervalUs) * intervalUs;
  }

  endedUntilUs(intervalMs: number): number {
    const intervalUs = intervalMs * 1_000;
    return Math.floor(this.#parts.clock.nowUs() / intervalUs) * intervalUs;
  }

  async before(instrument: Instrument, wish: CandleWish): Promise<CandleSlice> {
    const { toTimeUs } = wish;
    const { rows, page } = await this.#pages(instrument, { ...wish, fromTimeUs: 0 });
    const isOldest = page.nextPageToken === "";
    const reachedUs = Math.min(page.keptFromTimeUs, rows[0]?.openTimeUs ?? Infinity, toTimeUs);
    const fromTimeUs = isOldest ? (rows[0]?.openTimeUs ?? toTimeUs) : reachedUs;
    return { candles: rows, fromTimeUs, toTimeUs, isOldest };
  }

  async after(instrument: Instrument, wish: CandleWish): Promise<CandleSlice> {
    const { fromTimeUs, toTimeUs, intervalMs } = wish;
    if (fromTimeUs >= toTimeUs) {
      return { candles: [], fromTimeUs, toTimeUs: fromTimeUs, isOldest: false };
    }
    const { rows, page } = await this.#pages(instrument, wish);
    const lastUs = rows.at(-1)?.openTimeUs;
    const isThrough = page.nextPageToken === "";
    const reachedUs = lastUs === undefined ? fromTimeUs : lastUs + intervalMs * 1_000;
    return {
      candles: rows,
      fromTimeUs,
      toTimeUs: isThrough ? toTimeUs : Math.min(toTimeUs, reachedUs),
      isOldest: page.keptFromTimeUs > fromTimeUs,
    };
  }

  async recent(instrument: Instrument, intervalMs: number): Promise<readonly Candle[]> {
    const fromTimeUs = this.knownUntilUs(intervalMs);
    const toTimeUs = this.endedUntilUs(intervalMs);
    if (toTimeUs <= fromTimeUs) return [];
    const { source, queries } = this.#parts;
    const { symbol } = instrument;
    const asked = { intervalMs, fromTimeUs, toTimeUs, pageSize: PAGE_SIZE_MAX, pageToken: "" };
    const page = await queries.candles({ venue: source, symbol }, asked);
    if (page === undefined) throw unavailable(source, symbol);
    return page.candles.map((candle) => this.#own(instrument, candle));
  }

  async #pages(
    instrument: Instrument,
    { intervalMs, fromTimeUs, toTimeUs, countMax }: CandleWish,
  ): Promise<{ readonly rows: readonly Candle[]; readonly page: SourceCandles }> {
    const { source, queries } = this.#parts;
    const { symbol } = instrument;
    const pageSize = Math.min(countMax, PAGE_SIZE_MAX);
    let pageToken = "";
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const asked = { intervalMs, fromTimeUs, toTimeUs, pageSize, pageToken };
      const page = await queries.candles({ venue: source, symbol }, asked);
      if (page === undefined) break;
      const closed = page.candles.filter((candle) => candle.closed);
      const rows = closed.map((candle) => this.#own(instrument, candle));
      if (rows.length > 0 || page.nextPageToken === "") return { rows, page };
      pageToken = page.nextPageToken;
    }
    throw unavailable(source, symbol);
  }

  #own(instrument: Instrument, candle: SourceCandles["candles"][number]): Candle {
    const receivedTimeUs = this.#parts.clock.nowUs();
    const head = { kind: "candle", venueTimeUs: undefined, receivedTimeUs } as const;
    return { ...head, instrument, ...candle, built: false };
  }
}

function unavailable(source: string, symbol: string): CandlePastError {
  const message = `${source} gives no candles of ${symbol} now; ask again`;
  return new CandlePastError("unavailable", message);
}
