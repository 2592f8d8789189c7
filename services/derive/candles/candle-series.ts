import { placeOfStart } from "#core/start-order.ts";
import { CandleTally } from "./candle-tally.ts";
import type { CandleTexts, TallyScales, TallyTrade } from "./candle-tally.ts";

/** One candle as it is told. */
export type ToldCandle = CandleTexts & {
  readonly intervalMs: number;
  readonly openTimeUs: number;
  readonly closed: boolean;
  readonly incomplete: boolean;
};

/** When candles are told. */
type TellTime = {
  readonly venueNowUs: number;
  readonly graceUs: number;
  /** Whether those that are under way are told too. */
  readonly withOpen: boolean;
};

/** A stretch of time of which not all trades are known; its end is no part of it. */
type LostRange = { readonly fromUs: number; readonly toUs: number };

type Entry = {
  readonly openTimeUs: number;
  tally: CandleTally;
  /** Trades from the moment on at which a mending begins; undefined while there is none. */
  since: CandleTally | undefined;
  incomplete: boolean;
  isClosed: boolean;
  /** What was told last is not what holds. */
  isChanged: boolean;
};

/** A closed candle is corrected by trades that come so late at least. */
const CORRECTED_FOR_US = 60_000_000;
/** Lost ranges that are remembered for candles that have not begun; more are put together. */
const LOST_RANGES_MAX = 8;

/** The candles of one length of one instrument: those that may still change. */
export class CandleSeries {
  readonly intervalMs: number;
  readonly #intervalUs: number;
  /** In the order of their starts. */
  #entries: Entry[] = [];
  #lost: LostRange[] = [];
  /** What begins before is over for good. */
  #endedUs = -Infinity;
  /** Where a mending begins. */
  #mendFromUs = Infinity;

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
    this.#intervalUs = intervalMs * 1_000;
  }

  /** Candles that are kept. */
  get length(): number {
    return this.#entries.length;
  }

  /** When the candle begins in which a time lies. */
  openTimeOf(timeUs: number): number {
    return timeUs - (timeUs % this.#intervalUs);
  }

  /** False if the trade is too late for its candle. */
  take(trade: TallyTrade): boolean {
    const openTimeUs = this.openTimeOf(trade.timeUs);
    if (openTimeUs < this.#endedUs) return false;
    const entry = this.#entryOf(openTimeUs);
    entry.tally.add(trade);
    if (trade.timeUs >= this.#mendFromUs) entry.since?.add(trade);
    entry.isChanged = true;
    return true;
  }

  /** Some of the trades of this time are not known. */
  lose(range: LostRange): void {
    this.#lost.push(range);
    if (this.#lost.length > LOST_RANGES_MAX) {
      const [first, second, ...rest] = this.#lost as [LostRange, LostRange, ...LostRange[]];
      const fromUs = Math.min(first.fromUs, second.fromUs);
      this.#lost = [{ fromUs, toUs: Math.max(first.toUs, second.toUs) }, ...rest];
    }
    for (const entry of this.#entries) {
      if (entry.incomplete || !this.#overlaps(entry.openTimeUs, range)) continue;
      entry.incomplete = true;
      entry.isChanged = true;
    }
  }

  /**
   * From this moment on every trade is known: what is before it in candles that are under way is to
   * come from the venue's own candles.
   */
  beginMending(fromUs: number): void {
    this.#mendFromUs = fromUs;
    for (const entry of this.#entries) entry.since = new CandleTally();
  }

  /**
   * Where the incomplete candle begins that lies about a moment; undefined if there is none to be
   * mended.
   */
  openTimeToMend(atUs: number): number | undefined {
    const openTimeUs = atUs - (atUs % this.#intervalUs);
    const entry = this.#entries.find((each) => each.openTimeUs === openTimeUs);
    if (entry === undefined || !entry.incomplete || openTimeUs === atUs) return undefined;
    return openTimeUs;
  }

  /** The candle about a moment is this, and what came since. */
  mend(atUs: number, before: CandleTally): void {
    const openTimeUs = atUs - (atUs % this.#intervalUs);
    const entry = this.#entries.find((each) => each.openTimeUs === openTimeUs);
    if (entry?.since === undefined) return;
    before.merge(entry.since);
    entry.tally = before;
    entry.incomplete = false;
    entry.isChanged = true;
    entry.since = undefined;
  }

  /**
   * Closes what is over at this time of the venue, calls back for each candle that is another one
   * than was told (of those under way only where that is wanted), and forgets those that nothing
   * changes any more.
   */
  tell(
    { venueNowUs, graceUs, withOpen }: TellTime,
    scales: TallyScales,
    told: (candle: ToldCandle) => void,
  ): void {
    for (const entry of this.#entries) {
      if (!entry.isClosed && venueNowUs >= entry.openTimeUs + this.#intervalUs + graceUs) {
        entry.isClosed = true;
        entry.isChanged = true;
      }
      if (!entry.isChanged || !(entry.isClosed || withOpen)) continue;
      entry.isChanged = false;
      told({
        intervalMs: this.intervalMs,
        openTimeUs: entry.openTimeUs,
        closed: entry.isClosed,
        incomplete: entry.incomplete,
        ...entry.tally.texts(scales),
      });
    }
    this.#forget(venueNowUs - graceUs - CORRECTED_FOR_US);
  }

  rescale(priceFactor: bigint, sizeFactor: bigint): void {
    for (const { tally, since } of this.#entries) {
      tally.rescale(priceFactor, sizeFactor);
      since?.rescale(priceFactor, sizeFactor);
    }
  }

  #forget(beforeUs: number): void {
    let gone = 0;
    for (const { openTimeUs, isClosed } of this.#entries) {
      if (!isClosed || openTimeUs + this.#intervalUs > beforeUs) break;
      this.#endedUs = openTimeUs + this.#intervalUs;
      gone += 1;
    }
    if (gone > 0) this.#entries.splice(0, gone);
    this.#endedUs = Math.max(this.#endedUs, beforeUs - (beforeUs % this.#intervalUs));
    this.#lost = this.#lost.filter(({ toUs }) => toUs > this.#endedUs);
  }

  #entryOf(openTimeUs: number): Entry {
    const index = placeOfStart(this.#entries, openTimeUs);
    const known = this.#entries[index];
    if (known?.openTimeUs === openTimeUs) return known;
    const entry: Entry = {
      openTimeUs,
      tally: new CandleTally(),
      since: this.#mendFromUs === Infinity ? undefined : new CandleTally(),
      incomplete: this.#lost.some((range) => this.#overlaps(openTimeUs, range)),
      isClosed: false,
      isChanged: true,
    };
    this.#entries.splice(index, 0, entry);
    return entry;
  }

  #overlaps(openTimeUs: number, { fromUs, toUs }: LostRange): boolean {
    return openTimeUs < toUs && openTimeUs + this.#intervalUs > fromUs;
  }
}
