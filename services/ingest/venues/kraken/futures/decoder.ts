// https://docs.kraken.com/api/docs/futures-api/websocket/book
// https://docs.kraken.com/api/docs/futures-api/websocket/trade
// https://docs.kraken.com/api/docs/futures-api/websocket/ticker
import type { Mantissa } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import { asJsonObject, parseJsonText } from "#core/json-text.ts";
import type { LevelColumns } from "#core/market-event.ts";
import type { FeedDecoderContext, RejectReason, RestPurpose } from "../../../feed/feed-adapter.ts";
import { type BookForm, bookEvent } from "../../../reading/book-event.ts";
import { fieldFinder, rejectDamaged } from "../../../reading/damage.ts";
import {
  type Emit,
  type EventSubject,
  heartbeat,
  reject,
  rejectOf,
} from "../../../reading/emit.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { quoteEvent } from "../../../reading/quote-event.ts";
import { type BookColumns, isNotMantissa, ScaleTracker } from "../../../reading/scale-tracker.ts";
import {
  decimalFieldOf,
  elementsOf,
  millisecondsTimeUsAt,
  optionalDecimalOf,
  sequenceAt,
} from "../../../reading/tape-fields.ts";
import { BAD_DECIMAL, decimalText, millisecondsTimeUs } from "../../../reading/text-fields.ts";
import { readTickerValues } from "../../../reading/ticker-values.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../../reading/venue-time.ts";
import { KrakenFuturesAnswers } from "./answers.ts";
import { channelsOfFeed } from "./requests.ts";

const SIDES = { buyer: "buy", seller: "sell" };

const feedIn = fieldFinder("feed");
const productIn = fieldFinder("product_id");

/** Perpetuals are charged by the hour. */
const FUNDING_INTERVAL_MS = 3_600_000;

/**
 * Trades in a row without a hole in their numbers before a hole is taken for a lost trade. Public
 * examples of `trade_snapshot` have none, but the venue nowhere promises it.
 */
export const TRADES_IN_ROW_MIN = 16;

type InstrumentState = {
  readonly book: ScaleTracker;
  readonly ticks: ScaleTracker;
  /** Of the last live trade. */
  lastTradeSequence: number | undefined;
  /** Of the trade before, while a list of them is read. */
  lastListedSequence: number | undefined;
  /** Trades up to the last whose numbers follow each other. */
  tradesInRow: number;
};

/** Reads one connection. Numbers keep the text that the venue wrote. */
export class KrakenFuturesReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new KrakenFuturesAnswers();
  readonly #states = new InstrumentStates<InstrumentState>(() => ({
    book: new ScaleTracker(),
    ticks: new ScaleTracker(),
    lastTradeSequence: undefined,
    lastListedSequence: undefined,
    tradesInRow: 0,
  }));

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    this.#answers.sent(asJsonObject(parseJsonText(frame)));
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    if (tape.get(0, "event") !== MISSING) {
      return this.#answers.read(asJsonObject(tape.value(0)) ?? {}, emit);
    }
    switch (tape.text(tape.get(0, "feed")) ?? "") {
      case "book":
      case "book_snapshot":
        return this.#data("book", tape.get(0, "timestamp"), receivedTimeUs, emit);
      case "trade":
        return this.#data("trades", tape.get(0, "time"), receivedTimeUs, emit);
      case "ticker":
        return this.#data("ticker", tape.get(0, "time"), receivedTimeUs, emit);
      case "trade_snapshot":
        return this.#trades(receivedTimeUs, emit);
      // The smaller one has nothing that the other has not, and is never asked for.
      case "heartbeat":
      case "ticker_lite":
        return heartbeat(emit);
      default:
        return reject(emit, "unknown-message");
    }
  }

  /**
   * The next number shows what a damaged change cost, but nothing may follow a damaged snapshot:
   * what can be read of the frame says at once whose it was.
   */
  damaged(text: string, emit: Emit): void {
    const product = productIn(text);
    const instrument = product === undefined ? undefined : this.#catalog.byVenueSymbol(product);
    const [channel] = channelsOfFeed((feedIn(text) ?? "").replace(/_snapshot$/, ""));
    rejectDamaged(emit, instrument, channel);
  }

  /** Recent trades, newest first. */
  answer(
    tape: JsonTape,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (kind !== "trades") return "unknown-message";
    const history = tape.get(0, "history");
    if (!tape.isArray(history)) return "missing-field";
    for (const item of elementsOf(tape, history).toReversed()) {
      const venueTimeUs = parseIsoTimeUs(tape.text(tape.get(item, "time")));
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const reason = this.#trade(item, subject, { size: "size", historical: true }, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
    }
    return undefined;
  }

  /** A message about one contract. */
  #data(
    channel: "book" | "trades" | "ticker",
    time: number,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const tape = this.#tape;
    const product = tape.text(tape.get(0, "product_id"));
    const instrument = lookUpInstrument(this.#catalog, product, emit);
    if (instrument === undefined) return;
    const venueTimeUs = millisecondsTimeUsAt(tape, time);
    const reason = isBadTime(venueTimeUs)
      ? "bad-time"
      : this.#read(channel, { instrument, venueTimeUs, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  #read(
    channel: "book" | "trades" | "ticker",
    subject: EventSubject,
    emit: Emit,
  ): RejectReason | undefined {
    switch (channel) {
      case "book":
        return this.#tape.equals(this.#tape.get(0, "feed"), "book")
          ? this.#change(subject, emit)
          : this.#snapshot(subject, emit);
      case "trades":
        return this.#liveTrade(subject, emit);
      case "ticker":
        return this.#ticker(subject, emit);
    }
  }

  /** One level. The venue has been seen to write a negative size for one that is gone. */
  #change(subject: EventSubject, emit: Emit): RejectReason | undefined {
    const tape = this.#tape;
    const sequence = sequenceAt(this.#tape, this.#tape.get(0, "seq"));
    const sideText = tape.get(0, "side");
    const isBid = tape.equals(sideText, "buy");
    if (sequence === undefined) return "missing-field";
    if (!isBid && !tape.equals(sideText, "sell")) return "missing-field";
    const scales = this.#states.of(subject.instrument).book;
    const price = scales.priceAt(tape, tape.get(0, "price"));
    const size = scales.sizeAt(tape, tape.get(0, "qty"));
    if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
    if (price <= 0) return "non-positive-price";
    const side = { prices: [price], sizes: [size > 0 ? size : 0] };
    const columns = { bids: isBid ? side : EMPTY_SIDE, asks: isBid ? EMPTY_SIDE : side };
    emit(bookEvent(subject, scales, columns, formOf(sequence, false)));
    return undefined;
  }

  #snapshot(subject: EventSubject, emit: Emit): RejectReason | undefined {
    const sequence = sequenceAt(this.#tape, this.#tape.get(0, "seq"));
    if (sequence === undefined) return "missing-field";
    const scales = this.#states.of(subject.instrument).book;
    const { priceScale, sizeScale } = scales;
    let sides = this.#sides(scales);
    // A level finer than those before it raised the scale in the middle of the message.
    const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
    if (grew && typeof sides !== "string") sides = this.#sides(scales);
    if (typeof sides === "string") return sides;
    emit(bookEvent(subject, scales, sides, formOf(sequence, true)));
    return undefined;
  }

  #sides(scales: ScaleTracker): BookColumns | RejectReason {
    const bids = this.#levels(this.#tape.get(0, "bids"), scales);
    if (typeof bids === "string") return bids;
    const asks = this.#levels(this.#tape.get(0, "asks"), scales);
    return typeof asks === "string" ? asks : { bids, asks };
  }

  /** Snapshots may list prices without any size; they are no levels. */
  #levels(side: number, scales: ScaleTracker): LevelColumns | RejectReason {
    const tape = this.#tape;
    if (!tape.isArray(side)) return "missing-field";
    const prices: Mantissa[] = [];
    const sizes: Mantissa[] = [];
    for (let level = tape.first(side); level !== MISSING; level = tape.next(level)) {
      if (!tape.isObject(level)) return "missing-field";
      const price = scales.priceAt(tape, tape.get(level, "price"));
      const size = scales.sizeAt(tape, tape.get(level, "qty"));
      if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
      if (price <= 0) return "non-positive-price";
      if (size <= 0) continue;
      prices.push(price);
      sizes.push(size);
    }
    return { prices, sizes };
  }

  #liveTrade(subject: EventSubject, emit: Emit): RejectReason | undefined {
    const { instrument } = subject;
    const state = this.#states.of(instrument);
    const sequence = sequenceAt(this.#tape, this.#tape.get(0, "seq"));
    const last = state.lastTradeSequence;
    if (sequence !== undefined && sequence !== last) {
      if (last !== undefined && sequence > last + 1 && state.tradesInRow >= TRADES_IN_ROW_MIN) {
        emit({ kind: "rejected", reason: "missing-data", instrument, channel: "trades" });
      }
      if (last !== undefined) state.tradesInRow = sequence === last + 1 ? state.tradesInRow + 1 : 0;
      state.lastTradeSequence = sequence;
    }
    return this.#trade(0, subject, { size: "qty", historical: false }, emit);
  }

  /** The newest come first. What comes live may begin anywhere behind them. */
  #trades(receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const list = tape.get(0, "trades");
    if (!tape.isArray(list)) return reject(emit, "missing-field");
    for (const node of elementsOf(tape, list).toReversed()) {
      const named = tape.get(node, "product_id") === MISSING ? 0 : node;
      const product = tape.text(tape.get(named, "product_id"));
      const instrument = lookUpInstrument(this.#catalog, product, emit);
      if (instrument === undefined) continue;
      this.#countInRow(this.#states.of(instrument), sequenceAt(tape, tape.get(node, "seq")));
      const venueTimeUs = millisecondsTimeUsAt(tape, tape.get(node, "time"));
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const reason = this.#trade(node, subject, { size: "qty", historical: true }, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
    }
    for (const state of this.#states.all()) state.lastListedSequence = undefined;
  }

  #countInRow(state: InstrumentState, sequence: number | undefined): void {
    const last = state.lastListedSequence;
    state.lastListedSequence = sequence;
    state.lastTradeSequence = undefined;
    if (sequence === undefined || last === undefined) return;
    state.tradesInRow = sequence === last + 1 ? state.tradesInRow + 1 : 0;
  }

  /** One execution; that of a liquidation is told of as both. The side is the taker's. */
  #trade(
    node: number,
    subject: EventSubject,
    form: { readonly size: "qty" | "size"; readonly historical: boolean },
    emit: Emit,
  ): RejectReason | undefined {
    const tape = this.#tape;
    if (isBadTime(subject.venueTimeUs)) return "bad-time";
    const aggressorSide = takerSide(tape.text(tape.get(node, "side")), SIDES);
    if (aggressorSide === undefined) return "missing-field";
    const priceText = tape.text(tape.get(node, "price"));
    const sizeText = tape.text(tape.get(node, form.size));
    const uid = tape.text(tape.get(node, "uid"));
    const { historical } = form;
    const event = tradeEvent(subject, this.#states.of(subject.instrument).ticks, {
      price: priceText,
      size: sizeText,
      aggressorSide,
      tradeId: uid ?? "",
      historical,
    });
    if (typeof event === "string") return event;
    emit(event);
    // An old liquidation is not told of again.
    if (historical || !tape.equals(tape.get(node, "type"), "liquidation")) return undefined;
    const price = decimalText(priceText);
    const size = decimalText(sizeText);
    if (price === undefined || size === undefined) return undefined;
    emit({ kind: "liquidation", ...subject, aggressorSide, price, size, liquidationId: uid });
    return undefined;
  }

  #ticker(subject: EventSubject, emit: Emit): RejectReason | undefined {
    const tape = this.#tape;
    const bid = decimalFieldOf(tape, 0, "bid");
    const ask = decimalFieldOf(tape, 0, "ask");
    const ticker = readTickerValues({
      lastPrice: decimalFieldOf(tape, 0, "last"),
      openPrice: decimalFieldOf(tape, 0, "open"),
      highPrice: decimalFieldOf(tape, 0, "high"),
      lowPrice: decimalFieldOf(tape, 0, "low"),
      volume: decimalFieldOf(tape, 0, "volume"),
      quoteVolume: decimalFieldOf(tape, 0, "volumeQuote"),
      bidPrice: bid,
      askPrice: ask,
    });
    if (typeof ticker === "string") return ticker;
    const sizes = {
      bid: decimalFieldOf(tape, 0, "bid_size"),
      ask: decimalFieldOf(tape, 0, "ask_size"),
    };
    if (sizes.bid !== undefined || sizes.ask !== undefined) {
      const quote = quoteEvent(
        subject,
        this.#states.of(subject.instrument).ticks,
        { price: bid, size: sizes.bid },
        { price: ask, size: sizes.ask },
      );
      if (typeof quote === "string") return quote;
      emit(quote);
    }
    emit({ kind: "ticker", ...subject, ...ticker });
    return this.#contractValues(subject, emit);
  }

  /** What a ticker says of the contract itself. */
  #contractValues(subject: EventSubject, emit: Emit): RejectReason | undefined {
    const tape = this.#tape;
    const markPrice = optionalDecimalOf(tape, 0, "markPrice");
    const openInterest = optionalDecimalOf(tape, 0, "openInterest");
    // `funding_rate` is an amount for each contract; what others call so is the relative one.
    const rate = optionalDecimalOf(tape, 0, "relative_funding_rate");
    if (markPrice === BAD_DECIMAL || openInterest === BAD_DECIMAL || rate === BAD_DECIMAL) {
      return BAD_DECIMAL;
    }
    const indexPrice = decimalText(decimalFieldOf(tape, 0, "index"));
    if (markPrice !== undefined) emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
    if (openInterest !== undefined) {
      emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
    }
    if (rate === undefined || subject.instrument.kind !== "perpetual") return undefined;
    const next = decimalFieldOf(tape, 0, "next_funding_rate_time");
    const nextFundingTimeUs = next === "0" ? undefined : millisecondsTimeUs(next);
    if (isBadTime(nextFundingTimeUs)) return "bad-time";
    emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs: FUNDING_INTERVAL_MS });
    return undefined;
  }
}

const EMPTY_SIDE: LevelColumns = { prices: [], sizes: [] };

/** Every message of a book has one number. */
function formOf(sequence: number, snapshot: boolean): BookForm {
  return { snapshot, firstUpdateId: sequence, lastUpdateId: sequence };
}
