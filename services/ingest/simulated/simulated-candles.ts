import { formatDecimal, fromBigInt } from "@tickwire/proto/model";
import { addMinute, type MinuteCandle } from "./market-statistics.ts";
import type { SimulatedInstrument } from "./simulated-instruments.ts";
import { PAST_FIRST_MINUTE } from "./simulated-past.ts";

/** Lengths of candles that the simulated venue has of the past. */
export const SIMULATED_INTERVALS_MS: readonly number[] = [
  60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000,
];
/** Candles that one answer of the simulated venue holds at most. */
export const SIMULATED_CANDLES_MAX = 500;
/** Computing so many takes about a millisecond. */
const MINUTES_PER_STEP = 500;

const MINUTE_MS = 60_000;

/** What an address asks for. */
type CandlesAsked = {
  readonly symbol: string;
  readonly intervalMs: number;
  readonly fromMs: number;
  /** The first moment after it. */
  readonly toMs: number;
};

/** One candle in an answer: start in milliseconds, prices and sums as text, trades. */
type CandleRow = readonly [number, string, string, string, string, string, string, number];

/** What an address asks for; undefined if it asks for no candles. */
export function candlesAsked(url: string): CandlesAsked | undefined {
  const { pathname, searchParams } = new URL(url);
  if (!pathname.endsWith("/candles")) return undefined;
  const number = (name: string): number => Number(searchParams.get(name) ?? NaN);
  const intervalMs = number("interval");
  const [fromMs, toMs] = [number("from"), number("to")];
  const isRange = Number.isSafeInteger(fromMs) && Number.isSafeInteger(toMs) && fromMs < toMs;
  if (!isRange || !SIMULATED_INTERVALS_MS.includes(intervalMs)) return undefined;
  return { symbol: searchParams.get("symbol") ?? "", intervalMs, fromMs, toMs };
}

/**
 * The candles of a range, made of minutes as others make longer candles of shorter ones. The work
 * is done in steps of MINUTES_PER_STEP minutes.
 */
export class SimulatedCandles {
  readonly #asked: CandlesAsked;
  readonly #instrument: SimulatedInstrument;
  readonly #minuteOf: (minute: number) => MinuteCandle | undefined;
  readonly #rows: CandleRow[] = [];
  readonly #endMinute: number;
  #minute: number;
  #sum: MinuteCandle | undefined;

  constructor(
    asked: CandlesAsked,
    instrument: SimulatedInstrument,
    parts: {
      readonly nowMs: number;
      readonly minuteOf: (minute: number) => MinuteCandle | undefined;
    },
  ) {
    const { intervalMs, fromMs, toMs } = asked;
    this.#asked = asked;
    this.#instrument = instrument;
    this.#minuteOf = parts.minuteOf;
    const first = Math.max(Math.ceil(fromMs / intervalMs) * intervalMs, 0);
    const last = Math.min(toMs - 1, parts.nowMs, first + SIMULATED_CANDLES_MAX * intervalMs - 1);
    // A candle that begins in the range is told whole.
    const end = Math.min((Math.floor(last / intervalMs) + 1) * intervalMs, parts.nowMs + 1);
    this.#minute = Math.max(first / MINUTE_MS, PAST_FIRST_MINUTE);
    this.#endMinute = Math.ceil(end / MINUTE_MS);
  }

  /** Does one step; true when all is done. */
  step(): boolean {
    const until = Math.min(this.#endMinute, this.#minute + MINUTES_PER_STEP);
    for (; this.#minute < until; this.#minute += 1) this.#add(this.#minute);
    if (this.#minute < this.#endMinute) return false;
    this.#finish();
    return true;
  }

  /** The answer, when all is done. */
  get body(): string {
    return JSON.stringify({ candles: this.#rows });
  }

  #add(minute: number): void {
    const { intervalMs } = this.#asked;
    if ((minute * MINUTE_MS) % intervalMs === 0) this.#finish();
    const next = this.#minuteOf(minute);
    if (next === undefined) return;
    if (this.#sum === undefined) {
      const beginMs = Math.floor((minute * MINUTE_MS) / intervalMs) * intervalMs;
      this.#sum = { ...next, openTimeUs: beginMs * 1_000 };
      return;
    }
    addMinute(this.#sum, next);
  }

  #finish(): void {
    const sum = this.#sum;
    if (sum === undefined) return;
    this.#sum = undefined;
    const { priceScale, sizeScale } = this.#instrument;
    const price = (ticks: number): string => formatDecimal(ticks, priceScale);
    this.#rows.push([
      sum.openTimeUs / 1_000,
      price(sum.openTicks),
      price(sum.highTicks),
      price(sum.lowTicks),
      price(sum.closeTicks),
      formatDecimal(fromBigInt(sum.volumeLots), sizeScale),
      formatDecimal(fromBigInt(sum.turnover), priceScale + sizeScale),
      sum.tradeCount,
    ]);
  }
}
