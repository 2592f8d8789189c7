// https://docs.deribit.com/articles/market-data-collection-best-practices
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { hasSignedPrices, type Instrument } from "#core/instrument.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import {
  type Emit,
  type EventSubject,
  heartbeat,
  reject,
  rejectOf,
  type TakeTick,
} from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { type BookChannelState, InstrumentStates } from "../../reading/instrument-states.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { emitStates, emitVenueState } from "../../reading/state-events.ts";
import { epochTimeUsAt, textAt } from "../../reading/tape-fields.ts";
import { DeribitAnswers } from "./answers.ts";
import { DERIBIT_EVENTS } from "./instruments.ts";
import { candleAt, readBook, readQuote, readTicker, readTrade, tickerTextsAt } from "./readings.ts";
import { deribitRequest, partsOf } from "./requests.ts";
import { tradesOf } from "./rest.ts";
import { DeribitScanner } from "./scanner.ts";

/** Apart from the ids of requests, which count from 1. */
const TEST_REPLY = deribitRequest(0, "public/test", {});

/** Public channels of which nothing is published; recordings of others have them. */
const NOT_PUBLISHED =
  /^(platform_state|deribit_(price|volatility)_\w+|estimated_expiration_price|markprice|perpetual|instrument|announcements|block_trade_confirmations|block_rfq|rfq)$/;

/** A book of levels at their own prices, a fixed number of them, whole each time. */
const GROUPED_BOOK = /^book\.[^.]+\.[^.]+\.\d+\.[^.]+$/;

const channelIn = fieldFinder("channel");

/** What is read of the notifications that name their instrument themselves, by their kind. */
const ENTRIES: ReadonlyMap<string, EntryChannel> = new Map<string, EntryChannel>([
  ["book", "book"],
  ["trades", "trades"],
  ["quote", "quotes"],
  ["ticker", "ticker"],
  ["incremental_ticker", "ticker"],
]);
type EntryChannel = "book" | "trades" | "quotes" | "ticker";

/** What an entry is: of a channel by this name, or of an answer. */
type Told = {
  readonly channel: EntryChannel;
  readonly name: string;
  readonly historical: boolean;
};

const LISTED_TRADES: Told = { channel: "trades", name: "", historical: true };

/** What the venue says of itself, and of what follows one index. */
const MAINTENANCE: StateWords = { true: "maintenance", false: "trading" };
const LOCKED = { true: "cancel-only", false: "trading" } as const satisfies StateWords;

/** Reads one connection of Deribit. */
export class DeribitReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new DeribitAnswers();
  readonly #symbols: SymbolTable<BookChannelState>;
  readonly #scanner: DeribitScanner;
  readonly #states = new InstrumentStates((instrument) => {
    const scales = new ScaleTracker({ signedPrices: hasSignedPrices(instrument) });
    const state: BookChannelState = { instrument, scales, bookChannel: undefined };
    this.#symbols.add(instrument, state);
    return state;
  });
  readonly #candles = new CandleCloser();

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new DeribitScanner(this.#symbols);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    const method = textAt(tape, 0, "method");
    const params = tape.get(0, "params");
    if (method === "subscription") return this.#notification(params, receivedTimeUs, emit);
    if (method === "heartbeat") {
      heartbeat(emit);
      const isTest = tape.equals(tape.get(params, "type"), "test_request");
      if (isTest) emit({ kind: "reply", frame: TEST_REPLY });
    } else if (method === undefined && tape.get(0, "id") !== MISSING) {
      this.#answers.read(tape, emit);
    } else {
      reject(emit, "unknown-message");
    }
  }

  /**
   * Numbers show that a change is missing, but not that a snapshot is: what the frame was about is
   * told as far as its beginning says it.
   */
  damaged(text: string, emit: Emit): void {
    const { venueSymbol, channels } = partsOf(channelIn(text) ?? "");
    rejectDamaged(emit, this.#catalog.byVenueSymbol(venueSymbol), channels[0]);
  }

  /** What is asked for is the trades alone, and not whom they liquidated. */
  answer(
    tape: JsonTape,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    if (kind !== "trades") return "unknown-message";
    const trades = tradesOf(tape);
    if (trades === undefined) return "missing-field";
    for (const trade of trades) {
      this.#entry(trade, LISTED_TRADES, instrument, receivedTimeUs, emit);
    }
    return undefined;
  }

  #notification(params: number, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const name = textAt(tape, params, "channel") ?? "";
    const data = tape.get(params, "data");
    const [kind = ""] = name.split(".", 1);
    const channel = ENTRIES.get(kind);
    if (channel === "trades") {
      if (!tape.isArray(data)) return reject(emit, "missing-field");
      for (let trade = tape.first(data); trade !== MISSING; trade = tape.next(trade)) {
        this.#named(trade, { channel, name, historical: false }, receivedTimeUs, emit);
      }
    } else if (channel !== undefined) {
      this.#named(data, { channel, name, historical: false }, receivedTimeUs, emit);
    } else if (kind === "instrument") {
      const word = textAt(tape, data, "state");
      const venueSymbol = textAt(tape, data, "instrument_name");
      const said = stateOfWord(DERIBIT_EVENTS, word);
      emitStates([{ venueSymbol, said }], this.#catalog, emit);
    } else if (kind === "platform_state") {
      this.#platform(data, emit);
    } else if (kind === "chart") {
      this.#chart(name, data, receivedTimeUs, emit);
    } else if (NOT_PUBLISHED.test(kind)) {
      heartbeat(emit);
    } else {
      reject(emit, "unknown-message");
    }
  }

  /** `maintenance` is of the venue; `locked` of all that follows an index such as `btc_usd`. */
  #platform(data: number, emit: Emit): void {
    const tape = this.#tape;
    const flagAt = (key: string): string => {
      const flag = tape.value(tape.get(data, key));
      return typeof flag === "boolean" ? String(flag) : typeof flag === "string" ? flag : "";
    };
    if (tape.get(data, "maintenance") !== MISSING) {
      return emitVenueState(MAINTENANCE, flagAt("maintenance"), emit);
    }
    const index = textAt(tape, data, "price_index");
    const said = stateOfWord(LOCKED, flagAt("locked"));
    const isLock = said.state !== "trading";
    const concerned = this.#catalog.all().filter(({ base, quote, state }) => {
      if (`${base}_${quote}`.toLowerCase() !== index) return false;
      return isLock || state === LOCKED.true;
    });
    const all = concerned.map(({ venueSymbol }) => ({ venueSymbol, said }));
    emitStates(all, this.#catalog, emit);
  }

  #named(node: number, told: Told, receivedTimeUs: number, emit: Emit): void {
    const venueSymbol = textAt(this.#tape, node, "instrument_name");
    const instrument = lookUpInstrument(this.#catalog, venueSymbol, emit);
    if (instrument !== undefined) this.#entry(node, told, instrument, receivedTimeUs, emit);
  }

  #entry(
    node: number,
    told: Told,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const venueTimeUs = epochTimeUsAt(this.#tape, this.#tape.get(node, "timestamp"));
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    const fault = this.#read(node, told, subject, emit);
    if (fault !== undefined) rejectOf(emit, fault, instrument, told.channel);
  }

  #read(node: number, told: Told, subject: EventSubject, emit: Emit): Fault {
    const { channel, name, historical } = told;
    const tape = this.#tape;
    const state = this.#states.of(subject.instrument);
    const { scales } = state;
    switch (channel) {
      case "trades":
        return readTrade(tape, node, subject, { scales, historical }, emit);
      case "quotes":
        return readQuote(tape, node, subject, scales, emit);
      case "ticker":
        return readTicker(tickerTextsAt(tape, node), subject, emit);
      case "book": {
        const isGrouped = GROUPED_BOOK.test(name);
        if (isBookOf(state, name, isGrouped)) {
          return readBook(tape, node, subject, { scales, isGrouped }, emit);
        }
        heartbeat(emit);
        return undefined;
      }
    }
  }

  /** The name of the channel alone says what a candle is of: `chart.trades.BTC-PERPETUAL.1`. */
  #chart(name: string, data: number, receivedTimeUs: number, emit: Emit): void {
    const [, venueSymbol = "", resolution = ""] = /^chart\.trades\.(.+)\.([^.]+)$/.exec(name) ?? [];
    const instrument = lookUpInstrument(this.#catalog, venueSymbol, emit);
    if (instrument === undefined) return;
    const intervalMs = (resolution === "1D" ? 1440 : Number(resolution)) * 60_000;
    const subject = { instrument, venueTimeUs: undefined, receivedTimeUs, intervalMs };
    const candle = candleAt(this.#tape, data, subject);
    if (typeof candle === "string") rejectOf(emit, candle, instrument, "candles");
    else this.#candles.take(candle, emit);
  }
}

/**
 * True for the first channel that told of a book: two have numbers that do not follow each other.
 * Prices that are rounded are another book.
 */
function isBookOf(state: BookChannelState, name: string, isGrouped: boolean): boolean {
  if (isGrouped && name.split(".")[2] !== "none") return false;
  state.bookChannel ??= name;
  return state.bookChannel === name;
}
