// https://docs.kraken.com/api/docs/futures-api/websocket/book
// https://docs.kraken.com/api/docs/futures-api/websocket/trade
// https://docs.kraken.com/api/docs/futures-api/websocket/ticker
import type { Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import { asJsonObject, parseJsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RestPurpose } from "../../../feed/feed-adapter.ts";
import { fieldFinder, rejectDamaged } from "../../../reading/damage.ts";
import {
  type Emit,
  type EventSubject,
  heartbeat,
  reject,
  rejectOf,
  type TakeTick,
} from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { SymbolTable } from "../../../reading/symbol-table.ts";
import { elementsOf, epochTimeUsAt, sequenceAt } from "../../../reading/tape-fields.ts";
import { parseIsoTimeUs } from "../../../reading/venue-time.ts";
import { KrakenFuturesAnswers } from "./answers.ts";
import { streamSymbolOf } from "./instruments.ts";
import { readChange, readSnapshot, readTicker, readTrade } from "./readings.ts";
import { channelsOfFeed } from "./requests.ts";
import { KrakenFuturesScanner } from "./scanner.ts";

const feedIn = fieldFinder("feed");
const productIn = fieldFinder("product_id");

/**
 * Trades in a row without a hole in their numbers before a hole is taken for a lost trade. Public
 * examples of `trade_snapshot` have none, but the venue nowhere promises it.
 */
export const TRADES_IN_ROW_MIN = 16;

type InstrumentState = {
  readonly instrument: Instrument;
  /** Of the book. */
  readonly scales: ScaleTracker;
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
  /** By their names, for the scanner. */
  readonly #contracts: SymbolTable<InstrumentState>;
  readonly #scanner: KrakenFuturesScanner;
  readonly #states = new InstrumentStates<InstrumentState>((instrument) => {
    const state = {
      instrument,
      scales: new ScaleTracker(),
      ticks: new ScaleTracker(),
      lastTradeSequence: undefined,
      lastListedSequence: undefined,
      tradesInRow: 0,
    };
    this.#contracts.add(instrument, state);
    return state;
  });

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#contracts = new SymbolTable(context.catalog);
    this.#scanner = new KrakenFuturesScanner(this.#contracts);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
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
    const instrument =
      product === undefined ? undefined : this.#catalog.byVenueSymbol(streamSymbolOf(product));
    const [channel] = channelsOfFeed((feedIn(text) ?? "").replace(/_snapshot$/, ""));
    rejectDamaged(emit, instrument, channel);
  }

  /** Recent trades, newest first. */
  answer(
    tape: JsonTape,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    if (kind !== "trades") return "unknown-message";
    const history = tape.get(0, "history");
    if (!tape.isArray(history)) return "missing-field";
    const scales = this.#states.of(instrument).ticks;
    const form = { size: "size", historical: true, scales } as const;
    for (const item of elementsOf(tape, history).toReversed()) {
      const venueTimeUs = parseIsoTimeUs(tape.text(tape.get(item, "time")));
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const reason = readTrade(tape, item, subject, form, emit);
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
    const product = productAt(tape, 0);
    const instrument = lookUpInstrument(this.#catalog, product, emit);
    if (instrument === undefined) return;
    const venueTimeUs = epochTimeUsAt(tape, time);
    const reason = this.#read(channel, { instrument, venueTimeUs, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  #read(channel: "book" | "trades" | "ticker", subject: EventSubject, emit: Emit): Fault {
    const state = this.#states.of(subject.instrument);
    switch (channel) {
      case "book":
        return this.#tape.equals(this.#tape.get(0, "feed"), "book")
          ? readChange(this.#tape, subject, state.scales, emit)
          : readSnapshot(this.#tape, subject, state.scales, emit);
      case "trades":
        return this.#liveTrade(subject, state, emit);
      case "ticker":
        return readTicker(this.#tape, subject, state.ticks, emit);
    }
  }

  #liveTrade(subject: EventSubject, state: InstrumentState, emit: Emit): Fault {
    const { instrument } = subject;
    const sequence = sequenceAt(this.#tape, this.#tape.get(0, "seq"));
    const last = state.lastTradeSequence;
    if (sequence !== undefined && sequence !== last) {
      if (last !== undefined && sequence > last + 1 && state.tradesInRow >= TRADES_IN_ROW_MIN) {
        rejectOf(emit, "missing-data", instrument, "trades");
      }
      if (last !== undefined) state.tradesInRow = sequence === last + 1 ? state.tradesInRow + 1 : 0;
      state.lastTradeSequence = sequence;
    }
    const form = { size: "qty", historical: false, scales: state.ticks } as const;
    return readTrade(this.#tape, 0, subject, form, emit);
  }

  /** The newest come first. What comes live may begin anywhere behind them. */
  #trades(receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const list = tape.get(0, "trades");
    if (!tape.isArray(list)) return reject(emit, "missing-field");
    for (const node of elementsOf(tape, list).toReversed()) {
      const named = tape.get(node, "product_id") === MISSING ? 0 : node;
      const product = productAt(tape, named);
      const instrument = lookUpInstrument(this.#catalog, product, emit);
      if (instrument === undefined) continue;
      const state = this.#states.of(instrument);
      this.#countInRow(state, sequenceAt(tape, tape.get(node, "seq")));
      const venueTimeUs = epochTimeUsAt(tape, tape.get(node, "time"));
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const form = { size: "qty", historical: true, scales: state.ticks } as const;
      const reason = readTrade(tape, node, subject, form, emit);
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
}

/** What a message is about, in whichever case the venue writes it. */
function productAt(tape: JsonTape, node: number): string | undefined {
  const product = tape.text(tape.get(node, "product_id"));
  return product === undefined ? undefined : streamSymbolOf(product);
}
