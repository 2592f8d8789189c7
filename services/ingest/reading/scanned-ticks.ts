import { countedId } from "#core/counted-id.ts";
import { hasSignedPrices } from "#core/instrument.ts";
import type { Instrument } from "#core/instrument.ts";
import { QuoteAt, TickAt, TradeAt, TradeTick } from "#core/market-tick.ts";
import type { FeedTick, QuoteTick } from "#core/market-tick.ts";
import { type Emit, emitTick, type TakeTick } from "./emit.ts";
import type { ScaleTracker } from "./scale-tracker.ts";

/** What a tick is about, and the scales of its numbers. */
type TickSubject = { readonly instrument: Instrument; readonly scales: ScaleTracker };

/**
 * Sets all of a tick but what its kind has of its own. False for a time that is none: what that
 * says is for the decoder to tell.
 */
export function beginTick(
  tick: FeedTick,
  { instrument, scales }: TickSubject,
  receivedTimeUs: number,
  venueTimeUs: number | undefined,
): boolean {
  tick.instrument = instrument;
  tick.priceScale = scales.priceScale;
  tick.sizeScale = scales.sizeScale;
  tick.numbers[TickAt.Received] = receivedTimeUs;
  tick.numbers[TickAt.Venue] = venueTimeUs ?? Number.NaN;
  return venueTimeUs === undefined || !Number.isNaN(venueTimeUs);
}

/**
 * False if one of the numbers of a quote is zero or its instrument has signed prices: what that
 * says is decided by `quoteEvent`.
 */
export function isWholeQuote({ numbers, instrument }: QuoteTick): boolean {
  if (numbers[QuoteAt.Bid] === 0 || numbers[QuoteAt.BidSize] === 0) return false;
  if (numbers[QuoteAt.Ask] === 0 || numbers[QuoteAt.AskSize] === 0) return false;
  return !hasSignedPrices(instrument);
}

/** False where `tradeEvent` has to decide. */
export function isWholeTrade({ numbers }: TradeTick): boolean {
  return numbers[TradeAt.Price] !== 0 && numbers[TradeAt.Size] !== 0;
}

/** Sets what a trade is told apart by. */
export function setTradeId(tick: TradeTick, text: string): void {
  const id = countedId(text);
  tick.numbers[TradeAt.Id] = id < 0 ? Number.NaN : id;
  tick.idText = id < 0 ? text : "";
}

/** Trades of a message for which room is kept; a longer one is decoded. */
const TRADES_MAX = 64;

/** The trades of a message that is being scanned: none is told before all are read. */
export class ScannedTrades {
  readonly #ticks: TradeTick[] = [];
  #count = 0;

  /** A message begins. */
  begin(): void {
    this.#count = 0;
  }

  /** The next trade, which `add` takes; undefined where there is no room for it. */
  next(): TradeTick | undefined {
    if (this.#count === TRADES_MAX) return undefined;
    return (this.#ticks[this.#count] ??= new TradeTick());
  }

  /** Takes what `next` gave, of which all but the times and the scales is set. */
  add(subject: TickSubject, receivedTimeUs: number, venueTimeUs: number | undefined): boolean {
    const tick = this.#ticks[this.#count]!;
    tick.instrument = subject.instrument;
    if (!isWholeTrade(tick)) return false;
    if (!beginTick(tick, subject, receivedTimeUs, venueTimeUs)) return false;
    this.#count += 1;
    return true;
  }

  /** Hands all of them on. */
  emit(emit: Emit, takeTick: TakeTick | undefined): void {
    for (let index = 0; index < this.#count; index += 1) {
      emitTick(this.#ticks[index]!, emit, takeTick);
    }
  }
}
