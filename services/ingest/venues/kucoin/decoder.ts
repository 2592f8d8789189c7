import type { Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { KucoinAnswers } from "./answers.ts";
import { askedBy, type KucoinChannel, parseTopic } from "./fields.ts";
import {
  type KucoinSubject,
  readCandle,
  readChange,
  readQuote,
  readSnapshot,
  readTicker,
  readTrade,
} from "./readings.ts";
import { readTradesAnswer } from "./rest.ts";
import { type KucoinPair, KucoinScanner } from "./scanner.ts";

const topicIn = fieldFinder("topic");

/** Reads one connection of KuCoin's spot feed. */
export class KucoinReader implements FrameReader<TextRecord, JsonText> {
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new KucoinAnswers(askedBy);
  readonly #symbols: SymbolTable<KucoinPair>;
  readonly #scanner: KucoinScanner;
  readonly #pairs = new InstrumentStates<KucoinPair>((instrument) => {
    const pair = { instrument, scales: new ScaleTracker() };
    this.#symbols.add(instrument, pair);
    return pair;
  });
  readonly #candles = new CandleCloser();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new KucoinScanner(this.#symbols, (instrument) => this.#pairs.of(instrument));
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    switch (asText(message["type"]) ?? "") {
      case "message":
        return this.#data(message, receivedTimeUs, emit);
      case "welcome":
        return emit({ kind: "ready" });
      case "pong":
        return heartbeat(emit);
      case "ack":
      case "error":
        return this.#answered(message, emit);
      default:
        reject(emit, "unknown-message");
    }
  }

  /**
   * A lost change shows in the numbers of the book's next, a lost trade in nothing: it is traced by
   * what is left of the topic, or all trades of the connection are in doubt.
   */
  damaged(text: string, emit: Emit): void {
    const topic = parseTopic(topicIn(text));
    const [venueSymbol] = topic?.channel === "trades" ? topic.venueSymbols : [];
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    rejectDamaged(emit, instrument, "trades");
    if (topic === undefined) doubtEach(this.#trades, "trades", emit);
    else if (instrument !== undefined) rejectOf(emit, "missing-data", instrument, "trades");
  }

  answer(body: JsonText, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    if (kind === "poll") return "unknown-message";
    const data = asJsonObject(body)?.["data"];
    const subject = this.#subject(instrument, receivedTimeUs);
    return kind === "trades"
      ? readTradesAnswer(data, subject, emit)
      : readSnapshot(asJsonObject(data) ?? {}, subject, emit);
  }

  #data(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const topic = parseTopic(message["topic"]);
    if (topic?.venueSymbols.length !== 1) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, topic.venueSymbols[0], emit);
    if (instrument === undefined) return;
    const { channel } = topic;
    if (channel === "trades") this.#trades.add(instrument);
    const data = asJsonObject(message["data"]);
    const fault = this.#read(channel, data, this.#subject(instrument, receivedTimeUs), emit);
    if (fault !== undefined) rejectOf(emit, fault, instrument, channel);
  }

  #read(
    channel: KucoinChannel,
    data: TextRecord | undefined,
    subject: KucoinSubject,
    emit: Emit,
  ): Fault {
    if (data === undefined) return "missing-field";
    switch (channel) {
      case "book":
        return readChange(data, subject, emit);
      case "trades":
        return readTrade(data, subject, emit);
      case "quotes":
        return readQuote(data, subject, emit);
      case "candles": {
        const candle = readCandle(data, subject);
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
      case "ticker":
        return readTicker(asJsonObject(data["data"]) ?? {}, subject, emit);
    }
  }

  #answered(message: TextRecord, emit: Emit): void {
    for (const { venueSymbol, channels } of this.#answers.read(message, emit)) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument !== undefined && channels.includes("trades")) this.#trades.add(instrument);
    }
  }

  #subject(instrument: Instrument, receivedTimeUs: number): KucoinSubject {
    return { instrument, scales: this.#pairs.of(instrument).scales, receivedTimeUs };
  }
}
