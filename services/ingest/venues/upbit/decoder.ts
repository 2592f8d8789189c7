import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { JsonKind, type JsonTape, MISSING } from "#core/json-tape.ts";
import type {
  FeedDecoderContext,
  FeedSubscribeOptions,
  FeedSubscription,
  RefusalRules,
  RestPurpose,
} from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameForm, FrameReader } from "../../reading/frame-decoder.ts";
import { tapeObjects } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { oldestFirst } from "../../reading/oldest-first.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { emitRefused } from "../../reading/subscription-answers.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { elementsOf, textAt } from "../../reading/tape-fields.ts";
import { readBook, readCandle, readTicker, readTrade, tradeTimeUs } from "./readings.ts";
import { TicketSubscriptions, type TicketWords } from "./requests.ts";
import { type ScannedTicket, TicketScanner } from "./scanner.ts";

/** The channel that a type of message is told of as; books hold quotes as well. */
type TicketChannel = Extract<Channel, "trades" | "book" | "ticker" | "candles">;

const CHANNELS: ReadonlyMap<string, TicketChannel> = new Map<string, TicketChannel>([
  ["trade", "trades"],
  ["orderbook", "book"],
  ["ticker", "ticker"],
  ["candle.1m", "candles"],
]);

/** Candles of other lengths, which only the recordings of others hold. */
const OTHER_CANDLE = /^candle\.\d+[sm]$/;

/** What `status` says while all is well; anything else is an error. */
const ALIVE: ReadonlySet<string> = new Set(["UP", "0000"]);

/**
 * What errors mean. They say what is wrong with the list, which is the same again when it is sent
 * again, and never which of it.
 */
export const TICKET_REFUSALS: RefusalRules = {
  tooFast: { words: /too many/i },
  final: {
    codes: ["WRONG_FORMAT", "NO_TICKET", "NO_TYPE", "NO_CODES", "INVALID_PARAM", "5100"],
  },
};

const typeIn = fieldFinder("type");
const codeIn = fieldFinder("code");

/** Objects on the tape, and lists of them, which these venues send in some of their formats. */
export function ticketFrames(tape: JsonTape): FrameForm<JsonTape, JsonTape> {
  const objects = tapeObjects(tape);
  return {
    ...objects,
    message: (text) => {
      const message = objects.message(text);
      if (message !== "unknown-message") return message;
      return tape.isObject(tape.first(0)) && tape.isArray(0) ? tape : "unknown-message";
    },
  };
}

/**
 * Reads one connection to a venue that is asked by lists with a ticket. There are no answers but
 * data and errors: each subscription is answered by what there is at the moment, marked as a
 * snapshot. Nothing is numbered without holes.
 */
export class TicketReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  readonly #subscriptions: TicketSubscriptions;
  readonly #plainBookLevel: number;
  readonly #symbols: SymbolTable<ScannedTicket>;
  readonly #scanner: TicketScanner;
  readonly #states = new InstrumentStates<ScannedTicket>((instrument) => {
    const state = { instrument, scales: new ScaleTracker(), hasTrades: false };
    this.#symbols.add(instrument, state);
    return state;
  });
  readonly #candles = new CandleCloser();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(tape: JsonTape, context: FeedDecoderContext, words: TicketWords) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#subscriptions = new TicketSubscriptions(words);
    this.#plainBookLevel = words.plainBookLevel;
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new TicketScanner(
      this.#symbols,
      (instrument, channel) => this.#subscriptions.isWanted(instrument, channel),
      words.plainBookLevel,
    );
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#subscriptions.sent(frame);
  }

  subscribeFrames(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[] {
    return this.#subscriptions.add(subscriptions, options);
  }

  /** A request for everything else would end a subscription; nobody wants to. */
  unsubscribeFrames(): readonly string[] {
    return [];
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    if (!tape.isArray(0)) return this.#item(0, receivedTimeUs, emit);
    for (let item = tape.first(0); item !== MISSING; item = tape.next(item)) {
      this.#item(item, receivedTimeUs, emit);
    }
  }

  /** The next message of a book is the whole of it; of a trade it matters that it was lost. */
  damaged(text: string, emit: Emit): void {
    const channel = CHANNELS.get(typeIn(text) ?? "");
    const code = codeIn(text);
    const instrument = code === undefined ? undefined : this.#instrumentOf(code);
    const isBook = channel === "book";
    rejectDamaged(emit, instrument, isBook ? undefined : channel);
    if (channel !== undefined && channel !== "trades") return;
    if (channel === undefined || instrument === undefined) {
      return doubtEach(this.#trades, "trades", emit);
    }
    rejectOf(emit, "missing-data", instrument, "trades");
  }

  /** The latest trades. Their numbers do not tell their order, says the venue. */
  answer(tape: JsonTape, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    if (kind !== "trades") return "unknown-message";
    if (!tape.isArray(0)) return "missing-field";
    const items = oldestFirst(elementsOf(tape, 0), "newest", (item) => ({
      time: tradeTimeUs(tape, item),
    }));
    const how = { scales: this.#states.of(instrument).scales, historical: false };
    for (const item of items) {
      const fault = readTrade(tape, item, { instrument, receivedTimeUs }, how, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, "trades");
    }
    return undefined;
  }

  #item(item: number, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const type = textAt(tape, item, "type");
    const channel = CHANNELS.get(type ?? "");
    if (type === undefined || channel === undefined) return this.#other(item, type, emit);
    const code = textAt(tape, item, "code");
    const known = code === undefined ? undefined : this.#instrumentOf(code);
    const instrument = known ?? lookUpInstrument(this.#catalog, code, emit);
    if (instrument === undefined) return;
    const subject = { instrument, receivedTimeUs };
    const fault = this.#read(channel, item, subject, emit);
    if (fault === undefined) return;
    // The next message is a whole book again: nothing has to begin anew.
    if (channel === "book") emit({ kind: "rejected", reason: fault, instrument });
    else rejectOf(emit, fault, instrument, channel);
  }

  #read(
    channel: TicketChannel,
    item: number,
    subject: { readonly instrument: Instrument; readonly receivedTimeUs: number },
    emit: Emit,
  ): Fault {
    const tape = this.#tape;
    const { instrument } = subject;
    switch (channel) {
      case "trades": {
        this.#trades.add(instrument);
        const state = this.#states.of(instrument);
        state.hasTrades = true;
        const historical = tape.equals(tape.get(item, "stream_type"), "SNAPSHOT");
        const how = { scales: state.scales, historical };
        return readTrade(tape, item, subject, how, emit);
      }
      case "book":
        return this.#book(item, subject, emit);
      case "ticker":
        return readTicker(tape, item, subject, emit);
      case "candles": {
        const candle = readCandle(tape, item, subject);
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
    }
  }

  #book(
    item: number,
    subject: { readonly instrument: Instrument; readonly receivedTimeUs: number },
    emit: Emit,
  ): Fault {
    const { instrument } = subject;
    const level = this.#tape.number(this.#tape.get(item, "level"));
    // Levels put together to steps of some size, which are never asked for.
    if (!Number.isNaN(level) && level !== this.#plainBookLevel) {
      heartbeat(emit);
      return undefined;
    }
    const wanted = {
      book: this.#subscriptions.isWanted(instrument, "book"),
      quotes: this.#subscriptions.isWanted(instrument, "quotes"),
    };
    const { scales } = this.#states.of(instrument);
    return readBook(this.#tape, item, subject, scales, wanted, emit);
  }

  /** Errors, answers to questions, and what keeps the connection alive. */
  #other(item: number, type: string | undefined, emit: Emit): void {
    const tape = this.#tape;
    const error = tape.get(item, "error");
    if (tape.isObject(error)) {
      const code = textAt(tape, error, "name");
      const reason = textAt(tape, error, "message") ?? code ?? "refused";
      return emitRefused([], { reason, code }, emit);
    }
    const ping = tape.get(item, "ping");
    if (tape.kind(ping) === JsonKind.Number) {
      emit({ kind: "reply", frame: `{"pong":${tape.text(ping)}}` });
      return heartbeat(emit);
    }
    const status = textAt(tape, item, "status");
    if (status !== undefined && !ALIVE.has(status)) {
      const reason = textAt(tape, item, "resmsg") ?? `code ${status}`;
      return emitRefused([], { reason, code: status }, emit);
    }
    const isAnswer = status !== undefined || tape.get(item, "method") !== MISSING;
    const isOther = type !== undefined && OTHER_CANDLE.test(type);
    if (isAnswer || isOther) heartbeat(emit);
    else reject(emit, "unknown-message");
  }

  /** A code may be followed by the number of levels that was asked for. */
  #instrumentOf(code: string): Instrument | undefined {
    const end = code.indexOf(".");
    return this.#catalog.byVenueSymbol(end < 0 ? code : code.slice(0, end));
  }
}
