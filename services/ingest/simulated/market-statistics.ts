/** One minute of trades, in ticks and lots. Sums are bigints: they outgrow doubles within hours. */
export type MinuteCandle = {
  readonly openTimeUs: number;
  readonly openTicks: number;
  highTicks: number;
  lowTicks: number;
  closeTicks: number;
  volumeLots: bigint;
  /** Sum of ticks times lots. */
  turnover: bigint;
  tradeCount: number;
};

/** Puts the next minute to a longer candle, whose start stays. */
export function addMinute(sum: MinuteCandle, next: MinuteCandle): void {
  sum.highTicks = Math.max(sum.highTicks, next.highTicks);
  sum.lowTicks = Math.min(sum.lowTicks, next.lowTicks);
  sum.closeTicks = next.closeTicks;
  sum.volumeLots += next.volumeLots;
  sum.turnover += next.turnover;
  sum.tradeCount += next.tradeCount;
}

/** What the last 24 hours of trades amount to. */
type DayStatistics = {
  readonly openTicks: number;
  readonly highTicks: number;
  readonly lowTicks: number;
  readonly lastTicks: number;
  readonly lastLots: number;
  readonly volumeLots: bigint;
  readonly turnover: bigint;
};

const MINUTE_US = 60_000_000;
/** Minutes that are kept; older ones leave the statistics. */
export const MINUTES_MAX = 1440;

/** Totals of candles that no trade changes any more. */
type Totals = {
  readonly openTicks: number;
  readonly highTicks: number;
  readonly lowTicks: number;
  readonly volumeLots: bigint;
  readonly turnover: bigint;
};

/** One instrument's candles and 24 h statistics, made from its trades and from its past. */
export class MarketStatistics {
  /** Those that are over, oldest first; what the past gave may be longer than a minute. */
  readonly #over: MinuteCandle[] = [];
  #current: MinuteCandle | undefined;
  #firstTimeUs: number | undefined;
  /** Of `#over`; undefined once they have changed. */
  #totals: Totals | undefined;
  #lastTicks = 0;
  #lastLots = 0;

  /** The minute under way; undefined if it has no trade yet. */
  get current(): MinuteCandle | undefined {
    return this.#current;
  }

  /** Start of the minute of the first trade; undefined before it. */
  get firstTimeUs(): number | undefined {
    return this.#firstTimeUs;
  }

  /** The minute that starts then; undefined if it had no trade, or is not kept any more. */
  minuteAt(openTimeUs: number): MinuteCandle | undefined {
    if (this.#current?.openTimeUs === openTimeUs) return this.#current;
    let [low, high] = [0, this.#over.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#over[middle]?.openTimeUs ?? 0) < openTimeUs) low = middle + 1;
      else high = middle;
    }
    const found = this.#over[low];
    return found?.openTimeUs === openTimeUs ? found : undefined;
  }

  /** Takes what was before the first trade: candles of any length, oldest first. */
  begin(past: readonly MinuteCandle[]): void {
    this.#over.unshift(...past);
    this.#totals = undefined;
    const last = past.at(-1);
    if (this.#lastTicks === 0 && last !== undefined) {
      this.#lastTicks = last.closeTicks;
      this.#lastLots = 1;
    }
  }

  /** Closes the minute under way if it is over at `timeUs`, and returns it once. */
  closeMinute(timeUs: number): MinuteCandle | undefined {
    const candle = this.#current;
    if (candle === undefined || timeUs < candle.openTimeUs + MINUTE_US) return undefined;
    this.#current = undefined;
    this.#over.push(candle);
    this.#totals = undefined;
    return candle;
  }

  /** Call `closeMinute` with the same time first. */
  onTrade(timeUs: number, priceTicks: number, sizeLots: number): void {
    this.#lastTicks = priceTicks;
    this.#lastLots = sizeLots;
    this.#firstTimeUs ??= timeUs - (timeUs % MINUTE_US);
    const candle = (this.#current ??= {
      openTimeUs: timeUs - (timeUs % MINUTE_US),
      openTicks: priceTicks,
      highTicks: priceTicks,
      lowTicks: priceTicks,
      closeTicks: priceTicks,
      volumeLots: 0n,
      turnover: 0n,
      tradeCount: 0,
    });
    candle.highTicks = Math.max(candle.highTicks, priceTicks);
    candle.lowTicks = Math.min(candle.lowTicks, priceTicks);
    candle.closeTicks = priceTicks;
    candle.volumeLots += BigInt(sizeLots);
    candle.turnover += BigInt(priceTicks * sizeLots);
    candle.tradeCount += 1;
  }

  /** Undefined before the first trade, unless there was a past. */
  day(timeUs: number): DayStatistics | undefined {
    const oldestUs = timeUs - MINUTES_MAX * MINUTE_US;
    while (this.#over.length > 0 && (this.#over[0]?.openTimeUs ?? 0) < oldestUs) {
      this.#over.shift();
      this.#totals = undefined;
    }
    this.#totals ??= totalsOf(this.#over);
    const totals = this.#totals;
    const [lastTicks, lastLots] = [this.#lastTicks, this.#lastLots];
    const now = this.#current;
    if (now === undefined) {
      return totals === undefined ? undefined : { ...totals, lastTicks, lastLots };
    }
    if (totals === undefined) return { ...now, lastTicks, lastLots };
    return {
      openTicks: totals.openTicks,
      highTicks: Math.max(totals.highTicks, now.highTicks),
      lowTicks: Math.min(totals.lowTicks, now.lowTicks),
      lastTicks,
      lastLots,
      volumeLots: totals.volumeLots + now.volumeLots,
      turnover: totals.turnover + now.turnover,
    };
  }
}

function totalsOf(candles: readonly MinuteCandle[]): Totals | undefined {
  const first = candles[0];
  if (first === undefined) return undefined;
  let { highTicks, lowTicks } = first;
  let volumeLots = 0n;
  let turnover = 0n;
  for (const candle of candles) {
    highTicks = Math.max(highTicks, candle.highTicks);
    lowTicks = Math.min(lowTicks, candle.lowTicks);
    volumeLots += candle.volumeLots;
    turnover += candle.turnover;
  }
  return { openTicks: first.openTicks, highTicks, lowTicks, volumeLots, turnover };
}
