import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";

/**
 * For venues that never say that a candle is over: it is when the next one of the instrument
 * begins. One candle of an instrument and interval is kept.
 */
export class CandleCloser {
  readonly #last = new Map<Instrument, Map<number, Candle>>();

  /** Passes a candle on, after the one before it if that is over now. */
  take(candle: Candle, emit: (candle: Candle) => void): void {
    const { instrument, openTimeUs, intervalMs, receivedTimeUs } = candle;
    let byInterval = this.#last.get(instrument);
    if (byInterval === undefined) this.#last.set(instrument, (byInterval = new Map()));
    const last = byInterval.get(intervalMs);
    if (last?.closed === false && last.openTimeUs < openTimeUs) {
      emit({ ...last, receivedTimeUs, closed: true });
    }
    byInterval.set(intervalMs, candle);
    emit(candle);
  }
}
