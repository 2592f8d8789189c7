import { decimalScale } from "@tickwire/proto/model";
import type { TradeRow } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import { CandleSeries } from "./candle-series.ts";
import type { ToldCandle } from "./candle-series.ts";
import { CandleTally } from "./candle-tally.ts";
import type { TallyTrade } from "./candle-tally.ts";

type CandleBuilderParts = {
  readonly instrument: Instrument;
  readonly intervalsMs: readonly number[];
  readonly graceMs: number;
  readonly emit: (candle: Candle) => void;
};

/** Counts that all builders keep up to date; shared with the metrics. */
export type BuilderCounters = {
  trades: number;
  /** Trades that were left out because their candle was over for good. */
  tradesTooLate: number;
  candlesClosed: number;
  /** Closed candles that were told once more, with what came late. */
  candlesCorrected: number;
  /** Closed with some of their trades missing. */
  candlesIncomplete: number;
};

/** All zero. */
export function createBuilderCounters(): BuilderCounters {
  return {
    trades: 0,
    tradesTooLate: 0,
    candlesClosed: 0,
    candlesCorrected: 0,
    candlesIncomplete: 0,
  };
}

const MINUTE_US = 60_000_000;
/** The venue's clock, and the way of a trade to us, may make so much of a difference. */
const SETTLE_US = 1_000_000;

/**
 * Candles of one instrument, made of its trades by the venue's time. A candle is under way until
 * its end and a grace for late trades are over by the venue's clock, which is taken from what came
 * last; later ones correct it. Candles about a time of which trades are missing are marked. It does
 * no I/O and reads no clock.
 */
export class CandleBuilder {
  readonly instrument: Instrument;
  readonly #parts: CandleBuilderParts;
  readonly #counters: BuilderCounters;
  readonly #series: readonly CandleSeries[];
  readonly #closed = new Map<number, number>();
  #scales = { price: 0, size: 0 };
  /** How much later than it happened the last trade came. */
  #lagUs = 0;
  #lastTradeUs: number | undefined;

  constructor(parts: CandleBuilderParts, counters: BuilderCounters) {
    this.instrument = parts.instrument;
    this.#parts = parts;
    this.#counters = counters;
    this.#series = parts.intervalsMs.map((intervalMs) => new CandleSeries(intervalMs));
  }

  /** When the last trade happened, by the venue; undefined before the first. */
  get lastTradeUs(): number | undefined {
    return this.#lastTradeUs;
  }

  /** What the venue's clock says, as far as its trades show it. */
  venueNowUs(nowUs: number): number {
    return nowUs - this.#lagUs;
  }

  /**
   * Since when trades are wanted for the candles that are under way at this time of ours, or were
   * until a moment ago: of those of at most so long.
   */
  openSinceUs(nowUs: number, intervalMsMax: number): number {
    const beforeUs = nowUs - this.#parts.graceMs * 1_000 - SETTLE_US;
    const starts = this.#series
      .filter(({ intervalMs }) => intervalMs <= intervalMsMax)
      .map((series) => series.openTimeOf(beforeUs));
    return Math.min(nowUs, ...starts);
  }

  /** A trade of before: of the candles that are under way at this time of ours, and no others. */
  takePast(trade: TradeRow, nowUs: number): void {
    this.#take(trade, nowUs - this.#parts.graceMs * 1_000 - SETTLE_US);
  }

  take(trade: TradeRow): void {
    this.#take(trade, undefined);
  }

  #take(trade: TradeRow, underWayUs: number | undefined): void {
    const { priceMantissa, priceScale, sizeMantissa, sizeScale } = trade;
    this.#grow(priceScale, sizeScale);
    const timeUs = trade.venueTimeUs ?? trade.receivedTimeUs;
    this.#lagUs = Math.max(0, trade.receivedTimeUs - timeUs);
    if (this.#lastTradeUs === undefined || timeUs > this.#lastTradeUs) this.#lastTradeUs = timeUs;
    const whole: TallyTrade = {
      timeUs,
      price: BigInt(priceMantissa) * 10n ** BigInt(this.#scales.price - priceScale),
      size: BigInt(sizeMantissa) * 10n ** BigInt(this.#scales.size - sizeScale),
    };
    this.#counters.trades += 1;
    let isLate = false;
    for (const series of this.#series) {
      if (underWayUs !== undefined && timeUs < series.openTimeOf(underWayUs)) continue;
      if (!series.take(whole)) isLate = true;
    }
    if (isLate) this.#counters.tradesTooLate += 1;
  }

  /** Some of the trades of this time, by the venue's clock, are not known. */
  lose(fromUs: number, toUs: number): void {
    for (const series of this.#series) series.lose({ fromUs, toUs });
  }

  /**
   * All trades from a whole minute on are known. Returns since when the venue's own minutes are
   * wanted, up to there; undefined if no candle is to be mended.
   */
  beginMending(minuteUs: number): number | undefined {
    let fromUs: number | undefined;
    for (const series of this.#series) {
      series.beginMending(minuteUs);
      if (series.intervalMs * 1_000 <= MINUTE_US) continue;
      const openTimeUs = minuteUs - (minuteUs % (series.intervalMs * 1_000));
      if (openTimeUs < minuteUs && (fromUs === undefined || openTimeUs < fromUs)) {
        fromUs = openTimeUs;
      }
    }
    return fromUs;
  }

  /** The venue's own closed minutes of all the time that was wanted, in their order. */
  mend(minuteUs: number, minutes: readonly Candle[]): void {
    for (const { open, high, low, close, volume } of minutes) {
      const price = Math.max(...[open, high, low, close].map(decimalScale));
      this.#grow(price, decimalScale(volume));
    }
    for (const series of this.#series) {
      const openTimeUs = series.openTimeToMend(minuteUs);
      if (openTimeUs === undefined) continue;
      const before = new CandleTally();
      for (const minute of minutes) {
        if (minute.openTimeUs < openTimeUs || minute.openTimeUs >= minuteUs) continue;
        before.addCandle(minute, this.#scales);
      }
      series.mend(minuteUs, before);
    }
  }

  /**
   * Closes what is over by this time of ours and tells it, and what else has changed where that is
   * wanted.
   */
  tell(nowUs: number, withOpen = true): void {
    const graceUs = this.#parts.graceMs * 1_000;
    const time = { venueNowUs: this.venueNowUs(nowUs), graceUs, withOpen };
    for (const series of this.#series) {
      series.tell(time, this.#scales, (candle) => this.#emit(candle, nowUs));
    }
  }

  #emit(told: ToldCandle, nowUs: number): void {
    const { instrument, emit } = this.#parts;
    if (told.closed) this.#count(told);
    const times = { venueTimeUs: undefined, receivedTimeUs: nowUs };
    emit({ kind: "candle", instrument, ...times, ...told, built: true });
  }

  #count({ intervalMs, openTimeUs, incomplete }: ToldCandle): void {
    const lastUs = this.#closed.get(intervalMs) ?? -Infinity;
    if (openTimeUs <= lastUs) {
      this.#counters.candlesCorrected += 1;
      return;
    }
    this.#closed.set(intervalMs, openTimeUs);
    this.#counters.candlesClosed += 1;
    if (incomplete) this.#counters.candlesIncomplete += 1;
  }

  #grow(price: number, size: number): void {
    const before = this.#scales;
    if (price <= before.price && size <= before.size) return;
    this.#scales = { price: Math.max(before.price, price), size: Math.max(before.size, size) };
    const priceFactor = 10n ** BigInt(this.#scales.price - before.price);
    const sizeFactor = 10n ** BigInt(this.#scales.size - before.size);
    for (const series of this.#series) series.rescale(priceFactor, sizeFactor);
  }
}
