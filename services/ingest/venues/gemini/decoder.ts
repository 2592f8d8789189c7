// https://developer.gemini.com/websocket/streams
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext } from "../../feed/feed-adapter.ts";
import { doubtEach, fieldFinder } from "../../reading/damage.ts";
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
import type { TextRecord } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { GeminiAnswers } from "./answers.ts";
import { readBook, readQuote, readTrade } from "./readings.ts";
import { readRiskAnswer } from "./rest.ts";
import { GeminiScanner, type ScannedPair } from "./scanner.ts";

type StreamedChannel = "book" | "trades" | "quotes";

/** Kinds of messages that are neither documented nor asked for. */
const NOT_PUBLISHED: ReadonlySet<string> = new Set(["markPrice", "fundingAmount"]);

const ANSWER_FIELDS = ["status", "error", "result"] as const;

const symbolIn = fieldFinder("s");

/**
 * Reads one connection. Numbers keep their text: times count nanoseconds and do not fit a double. A
 * whole book looks like a change: it is the first message of a book after its subscription.
 */
export class GeminiReader implements FrameReader<TextRecord, JsonText> {
  readonly answer = readRiskAnswer;
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new GeminiAnswers();
  /** By their names, for the scanner. */
  readonly #symbols: SymbolTable<ScannedPair>;
  readonly #scanner: GeminiScanner;
  readonly #pairs = new InstrumentStates<ScannedPair>((instrument) => {
    const pair = { instrument, scales: new ScaleTracker(), begun: false };
    this.#symbols.add(instrument, pair);
    return pair;
  });
  /** Whose trades were asked for. */
  readonly #traded = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new GeminiScanner(this.#symbols);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    const { method, asked } = this.#answers.sent(frame) ?? { method: "", asked: [] };
    for (const { venueSymbol, channels } of asked) {
      const [channel] = channels;
      if (channel !== "book" && channel !== "trades") continue;
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument === undefined) continue;
      if (method === "SUBSCRIBE" && channel === "book") this.#pairs.of(instrument);
      else if (method === "SUBSCRIBE") this.#traded.add(instrument);
      else if (channel === "trades") this.#traded.delete(instrument);
    }
  }

  message(outer: TextRecord, receivedTimeUs: number, emit: Emit): void {
    // Streams come bare; a wrapping as Binance has it is taken off.
    const message = asJsonObject(outer["data"]) ?? outer;
    const channel = channelOf(message);
    if (channel === undefined) return this.#other(message, emit);
    const symbol = asText(message["s"])?.toLowerCase();
    const instrument = lookUpInstrument(this.#catalog, symbol, emit);
    if (instrument === undefined) return;
    const venueTimeUs = epochTimeUs(message["E"]);
    const reason = this.#read(channel, message, { instrument, venueTimeUs, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  /**
   * A damaged first message would make the second look like the whole book, so whatever may have
   * been one counts as begun, and is lost.
   */
  damaged(text: string, emit: Emit): void {
    const symbol = symbolIn(text)?.toLowerCase();
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    const isBook = text.includes('"depthUpdate"');
    if (instrument !== undefined && isBook) {
      this.#pairs.of(instrument).begun = true;
      return rejectOf(emit, "bad-json", instrument, "book");
    }
    if (instrument !== undefined && /"t"\s*:/.test(text)) {
      return rejectOf(emit, "bad-json", instrument, "trades");
    }
    reject(emit, "bad-json");
    // Answers begin with their id, quotes with their number.
    if (/^\s*\{\s*"(?:id|u)"/.test(text) || (instrument !== undefined && !isBook)) return;
    for (const pair of this.#pairs.all()) {
      if (pair.begun) continue;
      pair.begun = true;
      rejectOf(emit, "missing-data", pair.instrument, "book");
    }
    // Changes of books are numbered; nothing else shows that a trade is missing.
    if (!isBook) doubtEach(this.#traded, "trades", emit);
  }

  #read(channel: StreamedChannel, message: TextRecord, subject: EventSubject, emit: Emit): Fault {
    const pair = this.#pairs.of(subject.instrument);
    const { scales, begun } = pair;
    if (channel === "book") pair.begun = true;
    switch (channel) {
      case "book":
        return readBook(message, subject, { snapshot: !begun, scales }, emit);
      case "trades":
        return readTrade(message, subject, scales, emit);
      case "quotes":
        return readQuote(message, subject, scales, emit);
    }
  }

  /** Reads a message without market data. */
  #other(message: TextRecord, emit: Emit): void {
    if (NOT_PUBLISHED.has(asText(message["e"]) ?? "")) return heartbeat(emit);
    if (ANSWER_FIELDS.every((field) => message[field] === undefined)) {
      return reject(emit, "unknown-message");
    }
    const { method, asked } = this.#answers.read(message, emit);
    if (method !== "UNSUBSCRIBE") return;
    for (const { venueSymbol, channels } of asked) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      // Nothing of the old subscription comes after this.
      if (instrument !== undefined && channels.includes("book")) {
        this.#pairs.of(instrument).begun = false;
      }
    }
  }
}

/** What a message with data is about. Those of trades and quotes may not say so. */
function channelOf(message: TextRecord): StreamedChannel | undefined {
  const kind = asText(message["e"]) ?? "";
  if (kind === "depthUpdate") return "book";
  if (message["t"] !== undefined && (kind === "" || kind === "trade")) return "trades";
  if (message["u"] !== undefined && (kind === "" || kind === "bookTicker")) return "quotes";
  return undefined;
}
