import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RestPurpose } from "../../../feed/feed-adapter.ts";
import { CandleCloser } from "../../../reading/candle-closer.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { SymbolTable } from "../../../reading/symbol-table.ts";
import { KucoinAnswers } from "../answers.ts";
import { askedByFutures, NOT_PUBLISHED_BY_KUCOIN_FUTURES, parseFuturesTopic } from "./fields.ts";
import { type KucoinSubject, readSnapshot } from "../readings.ts";
import {
  readCandle,
  readChange,
  readFunding,
  readMarkPrice,
  readQuote,
  readTicker,
  readTrade,
} from "./readings.ts";
import { readInterestAnswer, readTradesAnswer } from "./rest.ts";
import { KucoinFuturesScanner, type ScannedContract } from "./scanner.ts";

const topicIn = fieldFinder("topic");

/** What the subjects of a topic of several channels are published as. */
const CHANNELS_OF_SUBJECTS: ReadonlyMap<unknown, Channel> = new Map<unknown, Channel>([
  ["mark.index.price", "mark-price"],
  ["funding.rate", "funding"],
]);

/** Reads one connection of KuCoin's futures feed. */
export class KucoinFuturesReader implements FrameReader<TextRecord, JsonText> {
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new KucoinAnswers(askedByFutures);
  /** By their names, for the scanner. */
  readonly #contracts: SymbolTable<ScannedContract>;
  readonly #states = new InstrumentStates<ScannedContract>((instrument) => {
    const state = { instrument, scales: new ScaleTracker() };
    this.#contracts.add(instrument, state);
    return state;
  });
  readonly #scanner: KucoinFuturesScanner;
  readonly #candles = new CandleCloser();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#contracts = new SymbolTable(context.catalog);
    this.#scanner = new KucoinFuturesScanner(this.#contracts, (instrument) =>
      this.#states.of(instrument),
    );
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  /** Some data comes without a type. */
  message(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const { type, topic } = message;
    if (type === "message" || (type === undefined && topic !== undefined)) {
      return this.#data(message, receivedTimeUs, emit);
    }
    switch (asText(type) ?? "") {
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
    const topic = parseFuturesTopic(topicIn(text));
    const isOfTrades = topic?.channels.includes("trades") === true;
    const instrument = isOfTrades ? this.#catalog.byVenueSymbol(topic.venueSymbol) : undefined;
    rejectDamaged(emit, instrument, "trades");
    if (topic === undefined) doubtEach(this.#trades, "trades", emit);
    else if (instrument !== undefined) rejectOf(emit, "missing-data", instrument, "trades");
  }

  answer(body: JsonText, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    const data = asJsonObject(body)?.["data"];
    if (kind === "poll") {
      return readInterestAnswer(data, { catalog: this.#catalog, receivedTimeUs }, emit);
    }
    const subject = this.#subject(instrument, receivedTimeUs);
    const book = asJsonObject(data) ?? {};
    return kind === "trades"
      ? readTradesAnswer(data, subject, emit)
      : readSnapshot(book, subject, emit, book["ts"]);
  }

  #data(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const name = asText(message["topic"]) ?? "";
    const topic = parseFuturesTopic(name);
    if (topic === undefined) {
      if (NOT_PUBLISHED_BY_KUCOIN_FUTURES.test(name)) return heartbeat(emit);
      return reject(emit, "unknown-message");
    }
    const { channels } = topic;
    const isShared = channels.length > 1;
    const channel = isShared ? CHANNELS_OF_SUBJECTS.get(message["subject"]) : channels[0];
    if (channel === undefined) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, topic.venueSymbol, emit);
    if (instrument === undefined) return;
    if (channel === "trades") this.#trades.add(instrument);
    const data = asJsonObject(message["data"]);
    const subject = this.#subject(instrument, receivedTimeUs);
    const fault = data === undefined ? "missing-field" : this.#read(channel, data, subject, emit);
    if (fault !== undefined) rejectOf(emit, fault, instrument, channel);
  }

  #read(channel: Channel, data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
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
        return readTicker(data, subject, emit);
      case "mark-price":
        return readMarkPrice(data, subject, emit);
      case "funding":
        return readFunding(data, subject, emit);
      case "open-interest":
      case "liquidations":
      case "status":
      case "listings":
        return "unknown-message";
    }
  }

  #answered(message: TextRecord, emit: Emit): void {
    for (const { venueSymbol, channels } of this.#answers.read(message, emit)) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument !== undefined && channels.includes("trades")) this.#trades.add(instrument);
    }
  }

  #subject(instrument: Instrument, receivedTimeUs: number): KucoinSubject {
    return { instrument, scales: this.#states.of(instrument).scales, receivedTimeUs };
  }
}
