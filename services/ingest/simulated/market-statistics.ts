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

/** One instrument's candles and 24 h statistics, made from its trades and nothing else. */
export class MarketStatistics {
  readonly #minutes: MinuteCandle[] = [];
  #firstTimeUs: number | undefined;
  #current: MinuteCandle | undefined;
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
    let [low, high] = [0, this.#minutes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#minutes[middle]?.openTimeUs ?? 0) < openTimeUs) low = middle + 1;
      else high = middle;
    }
    const found = this.#minutes[low];
    return found?.openTimeUs === openTimeUs ? found : undefined;
  }

  /** Closes the minute under way if it is over at `timeUs`, and returns it once. */
  closeMinute(timeUs: number): MinuteCandle | undefined {
    const candle = this.#current;
    if (candle === undefined || timeUs < candle.openTimeUs + MINUTE_US) return undefined;
    this.#current = undefined;
    this.#minutes.push(candle);
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

  /** Undefined before the first trade. */
  day(timeUs: number): DayStatistics | undefined {
    const oldestUs = timeUs - MINUTES_MAX * MINUTE_US;
    while (this.#minutes.length > 0 && (this.#minutes[0]?.openTimeUs ?? 0) < oldestUs) {
      this.#minutes.shift();
    }
    const all = this.#current === undefined ? this.#minutes : [...this.#minutes, this.#current];
    const first = all[0];
    if (first === undefined) return undefined;
    let { highTicks, lowTicks } = first;
    let volumeLots = 0n;
    let turnover = 0n;
    for (const minute of all) {
      highTicks = Math.max(highTicks, minute.highTicks);
      lowTicks = Math.min(lowTicks, minute.lowTicks);
      volumeLots += minute.volumeLots;
      turnover += minute.turnover;
    }
    const { openTicks } = first;
    const [lastTicks, lastLots] = [this.#lastTicks, this.#lastLots];
    return { openTicks, highTicks, lowTicks, lastTicks, lastLots, volumeLots, turnover };
  }
}
