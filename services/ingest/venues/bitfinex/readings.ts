// What the messages of Bitfinex hold, by the places of their arrays.
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { type Emit, type EventSubject, heartbeat, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { elementsOf, epochTimeUsAt } from "../../reading/tape-fields.ts";
import { decimalText } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { isBadTime } from "../../reading/venue-time.ts";
import { readLevels } from "./book.ts";

const FUNDING_INTERVAL_MS = 8 * 3_600_000;

/** Places in the status of a derivative, and in a liquidation. */
const DERIV = { time: 0, index: 3, nextFunding: 7, funding: 11, mark: 14, openInterest: 17 };
const LIQUIDATION = { id: 1, time: 2, amount: 5, basePrice: 6, price: 11 };

const NO_LEVELS = { bids: { prices: [], sizes: [] }, asks: { prices: [], sizes: [] } };

/** Reads the data of one connection, out of the nodes of the frame that is on the tape. */
export class BitfinexReadings {
  readonly #tape: JsonTape;
  readonly #scales = new InstrumentStates(() => new ScaleTracker());
  readonly #candles = new CandleCloser();

  constructor(tape: JsonTape) {
    this.#tape = tape;
  }

  /** The scales of an instrument's numbers. */
  scalesOf(instrument: Instrument): ScaleTracker {
    return this.#scales.of(instrument);
  }

  /** A level, a list of levels that is the whole book, or the checksum of what was told before. */
  book(payload: number, subject: EventSubject, emit: Emit): Fault {
    const tape = this.#tape;
    const scales = this.#scales.of(subject.instrument);
    if (tape.equals(payload, "cs")) {
      const checksum = tape.number(tape.at(0, 2));
      if (!Number.isSafeInteger(checksum)) return "missing-field";
      emit(bookEvent(subject, scales, NO_LEVELS, { snapshot: false, checksum }));
      return undefined;
    }
    if (!tape.isArray(payload)) return "missing-field";
    const first = tape.first(payload);
    const snapshot = first === MISSING || tape.isArray(first);
    const columns = readLevels(tape, scales, { payload, snapshot });
    if (typeof columns === "string") return columns;
    emit(bookEvent(subject, scales, columns, { snapshot }));
    return undefined;
  }

  /** An execution, the same one again as an update, or a list of those before. */
  trades(payload: number, subject: EventSubject, emit: Emit): Fault {
    const tape = this.#tape;
    if (tape.isArray(payload)) return this.history(payload, subject, emit);
    if (tape.equals(payload, "te")) return this.#trade(tape.at(0, 2), subject, false, emit);
    if (!tape.equals(payload, "tu")) return "missing-field";
    heartbeat(emit);
    return undefined;
  }

  /** A list of trades, the newest first. A damaged one costs itself only. */
  history(list: number, subject: EventSubject, emit: Emit): undefined {
    for (const trade of elementsOf(this.#tape, list).toReversed()) {
      const fault = this.#trade(trade, subject, true, emit);
      if (fault !== undefined) rejectOf(emit, fault, subject.instrument, "trades");
    }
    return undefined;
  }

  /** `[id, time, amount, price]`; the sign of the amount is the taker's side. */
  #trade(trade: number, subject: EventSubject, historical: boolean, emit: Emit): Fault {
    const tradeId = this.#text(trade, 0);
    const venueTimeUs = this.#timeUs(trade, 1);
    const amount = this.#text(trade, 2) ?? "";
    if (tradeId === undefined) return "missing-field";
    const isSale = amount.startsWith("-");
    const size = isSale ? amount.slice(1) : amount;
    const scales = this.#scales.of(subject.instrument);
    const price = this.#text(trade, 3);
    const aggressorSide = isSale ? "seller" : "buyer";
    const form = { price, size, aggressorSide, tradeId, historical } as const;
    const event = tradeEvent({ ...subject, venueTimeUs }, scales, form);
    if (typeof event === "string") return event;
    emit(event);
    return undefined;
  }

  /**
   * `[bid, bid size, ask, ask size, change, relative change, last, volume, high, low]`. The sizes
   * beside bid and ask are those of 25 levels together, so there is no quote in it.
   */
  ticker(payload: number, subject: EventSubject, emit: Emit): Fault {
    const tape = this.#tape;
    if (!tape.isArray(payload) || tape.length(payload) < 10) return "missing-field";
    const values = tickerEvent(subject, {
      bidPrice: this.#text(payload, 0),
      askPrice: this.#text(payload, 2),
      lastPrice: this.#text(payload, 6),
      volume: this.#text(payload, 7),
      highPrice: this.#text(payload, 8),
      lowPrice: this.#text(payload, 9),
    });
    if (typeof values === "string") return values;
    emit(values);
    return undefined;
  }

  /** A candle, or a list of them with the newest first. */
  candles(payload: number, subject: EventSubject, intervalMs: number, emit: Emit): Fault {
    const tape = this.#tape;
    if (!tape.isArray(payload)) return "missing-field";
    const first = tape.first(payload);
    if (first === MISSING) return undefined;
    for (const node of tape.isArray(first) ? elementsOf(tape, payload).toReversed() : [payload]) {
      const candle = this.#candle(node, subject, intervalMs);
      if (typeof candle === "string") return candle;
      this.#candles.take(candle, emit);
    }
    return undefined;
  }

  /** `[time, open, close, high, low, volume]` */
  #candle(candle: number, subject: EventSubject, intervalMs: number): Candle | RejectReason {
    const openTimeUs = this.#timeUs(candle, 0);
    if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
    const values = readCandleValues({
      open: this.#text(candle, 1),
      close: this.#text(candle, 2),
      high: this.#text(candle, 3),
      low: this.#text(candle, 4),
      volume: this.#text(candle, 5),
    });
    if (typeof values === "string") return values;
    const rest = { quoteVolume: undefined, tradeCount: undefined, closed: false };
    return { kind: "candle", ...subject, intervalMs, openTimeUs, ...values, ...rest };
  }

  /** The status of a derivative. */
  derivative(payload: number, { instrument, receivedTimeUs }: EventSubject, emit: Emit): Fault {
    if (!this.#tape.isArray(payload)) return "missing-field";
    const venueTimeUs = this.#timeUs(payload, DERIV.time);
    const nextFundingTimeUs = this.#timeUs(payload, DERIV.nextFunding);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    const markPrice = this.#decimal(payload, DERIV.mark);
    const indexPrice = this.#decimal(payload, DERIV.index);
    const rate = this.#decimal(payload, DERIV.funding);
    const openInterest = this.#decimal(payload, DERIV.openInterest);
    if (markPrice === undefined) return "missing-field";
    emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
    if (rate !== undefined) {
      const intervalMs = FUNDING_INTERVAL_MS;
      emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs });
    }
    if (openInterest !== undefined) {
      emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
    }
    return undefined;
  }

  /**
   * `["pos", id, time, null, symbol, amount, base price, null, is match, is sold, null, price]`. A
   * position that is taken over. A long one, with a positive amount, is sold.
   */
  liquidation(row: number, subject: EventSubject, emit: Emit): Fault {
    const venueTimeUs = this.#timeUs(row, LIQUIDATION.time);
    const amount = this.#decimal(row, LIQUIDATION.amount);
    const price =
      this.#decimal(row, LIQUIDATION.price) ?? this.#decimal(row, LIQUIDATION.basePrice);
    if (amount === undefined || price === undefined) return "bad-decimal";
    const isShort = amount.startsWith("-");
    const size = isShort ? amount.slice(1) : amount;
    const aggressorSide = isShort ? "buyer" : "seller";
    const liquidationId = this.#text(row, LIQUIDATION.id);
    const common = { ...subject, venueTimeUs };
    emit({ kind: "liquidation", ...common, price, size, aggressorSide, liquidationId });
    return undefined;
  }

  #text(array: number, place: number): string | undefined {
    return this.#tape.text(this.#tape.at(array, place));
  }

  /** Undefined where there is none. */
  #decimal(array: number, place: number): string | undefined {
    return decimalText(this.#text(array, place));
  }

  #timeUs(array: number, place: number): number | undefined {
    return epochTimeUsAt(this.#tape, this.#tape.at(array, place));
  }
}
