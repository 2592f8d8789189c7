import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";

/** After the end of a candle by the venue's time, in which the venue may still change it. */
export const CANDLE_GRACE_US = 10_000_000;

/** The last candle of an instrument and interval. */
type Entry = {
  candle: Candle;
  /** It was said to be closed because its time was over. */
  isClosedByTime: boolean;
};

/**
 * Closes the candles of venues that never say that one is over: the next one of a quiet pair may
 * begin hours later. The end is reckoned in the venue's time, as the candle itself showed it. What
 * the venue changes after it is told as a closed candle once more.
 */
export class CandleClosing {
  readonly #entries = new Map<Instrument, Map<number, Entry>>();
  #open = 0;

  /** Candles that are not closed. */
  get openCount(): number {
    return this.#open;
  }

  /** What is to be told of a candle that came; undefined if it says what was told already. */
  take(candle: Candle): Candle | undefined {
    const { instrument, intervalMs, openTimeUs } = candle;
    let entries = this.#entries.get(instrument);
    if (entries === undefined) this.#entries.set(instrument, (entries = new Map()));
    const last = entries.get(intervalMs);
    if (last === undefined) {
      entries.set(intervalMs, { candle, isClosedByTime: false });
      if (!candle.closed) this.#open += 1;
      return candle;
    }
    // Older ones come in lists of what was before.
    if (openTimeUs < last.candle.openTimeUs) return candle;
    const isSame = openTimeUs === last.candle.openTimeUs;
    const told = isSame && last.isClosedByTime ? { ...candle, closed: true } : candle;
    const isRepeated = isSame && last.isClosedByTime && hasSameValues(told, last.candle);
    this.#open += Number(!told.closed) - Number(!last.candle.closed);
    last.candle = told;
    if (!isSame) last.isClosedByTime = false;
    return isRepeated ? undefined : told;
  }

  /** Closes what is over at this time of ours. */
  close(nowUs: number, emit: (candle: Candle) => void): void {
    if (this.#open === 0) return;
    for (const entries of this.#entries.values()) {
      for (const entry of entries.values()) {
        const { candle } = entry;
        if (candle.closed || nowUs < endOf(candle)) continue;
        entry.candle = { ...candle, receivedTimeUs: nowUs, closed: true };
        entry.isClosedByTime = true;
        this.#open -= 1;
        emit(entry.candle);
      }
    }
  }

  /** What comes of an instrument from now on may lack something: its candles are left open. */
  forget(instrument: Instrument): void {
    for (const { candle } of this.#entries.get(instrument)?.values() ?? []) {
      if (!candle.closed) this.#open -= 1;
    }
    this.#entries.delete(instrument);
  }
}

/** When a candle is over by our clock, which may differ from the venue's by any amount. */
function endOf(candle: Candle): number {
  const { openTimeUs, intervalMs, venueTimeUs, receivedTimeUs } = candle;
  const aheadUs = venueTimeUs === undefined ? 0 : receivedTimeUs - venueTimeUs;
  return openTimeUs + intervalMs * 1000 + CANDLE_GRACE_US + aheadUs;
}

function hasSameValues(one: Candle, other: Candle): boolean {
  return (
    one.open === other.open &&
    one.high === other.high &&
    one.low === other.low &&
    one.close === other.close &&
    one.volume === other.volume &&
    one.quoteVolume === other.quoteVolume &&
    one.tradeCount === other.tradeCount
  );
}
