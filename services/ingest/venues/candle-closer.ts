import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";

/**
 * For venues that never say that a candle is over: it is when the next one of the instrument
 * begins. One candle an instrument is kept.
 */
export class CandleCloser {
  readonly #last = new Map<Instrument, Candle>();

  /** Passes a candle on, after the one before it if that is over now. */
  take(candle: Candle, emit: (candle: Candle) => void): void {
    const { instrument, openTimeUs, intervalMs, receivedTimeUs } = candle;
    const last = this.#last.get(instrument);
    if (last?.intervalMs === intervalMs && last.openTimeUs < openTimeUs) {
      emit({ ...last, receivedTimeUs, closed: true });
    }
    this.#last.set(instrument, candle);
    emit(candle);
  }
}
