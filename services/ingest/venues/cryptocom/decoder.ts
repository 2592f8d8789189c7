// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#websocket-subscriptions
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { JsonKind, type JsonTape, MISSING } from "#core/json-tape.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { oldestFirst } from "../../reading/oldest-first.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { elementsOf, epochTimeUsAt } from "../../reading/tape-fields.ts";
import { CryptocomAnswers } from "./answers.ts";
import {
  readBook,
  readCandle,
  readFunding,
  readMarkPrice,
  readTicker,
  readTrade,
  readValue,
} from "./readings.ts";
import { channelsOfName, type CryptocomChannel, indexNameOf } from "./requests.ts";
import { CryptocomScanner, LEVELS_MAX, type ScannedCryptocom } from "./scanner.ts";

const channelIn = fieldFinder("channel");
const nameIn = fieldFinder("instrument_name");

/** Indexes whose last price is kept; there is one for each asset that contracts are made on. */
const INDEXES_MAX = 10_000;

/** Reads one connection. Books are numbered one by one; trades are not. */
export class CryptocomReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new CryptocomAnswers();
  readonly #symbols: SymbolTable<ScannedCryptocom>;
  readonly #scanner: CryptocomScanner;
  readonly #states = new InstrumentStates<ScannedCryptocom>((instrument) => {
    const state = { instrument, scales: new ScaleTracker(), hasTrades: false };
    this.#symbols.add(instrument, state);
    return state;
  });
  readonly #candles = new CandleCloser();
  readonly #indexPrices = new Map<string, string>();
  /** Instruments whose first message of trades, which are old ones, has been. */
  readonly #begun = new Set<Instrument>();

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new CryptocomScanner(this.#symbols);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    const method = tape.get(0, "method");
    if (tape.equals(method, "public/heartbeat")) return this.#beat(emit);
    const result = tape.get(0, "result");
    if (tape.isObject(result)) return this.#data(result, receivedTimeUs, emit);
    if (method === MISSING) return reject(emit, "unknown-message");
    const confirmed = this.#answers.read(tape, emit);
    if (confirmed?.channels.includes("trades") !== true) return;
    const instrument = this.#catalog.byVenueSymbol(confirmed.venueSymbol);
    if (instrument === undefined) return;
    this.#begun.delete(instrument);
    this.#states.of(instrument).hasTrades = false;
  }

  /** A lost change of a book shows in the next one's numbers, a lost trade in nothing. */
  damaged(text: string, emit: Emit): void {
    const [channel] = channelsOfName(channelIn(text));
    const name = nameIn(text);
    const instrument = name === undefined ? undefined : this.#catalog.byVenueSymbol(name);
    rejectDamaged(emit, instrument, channel);
    if (channel === undefined) doubtEach(this.#begun, "trades", emit);
    else if (channel === "trades" && instrument !== undefined) {
      rejectOf(emit, "missing-data", instrument, "trades");
    }
  }

  /** The latest trades, the newest first. */
  answer(tape: JsonTape, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    if (kind !== "trades") return "unknown-message";
    const data = tape.get(tape.get(0, "result"), "data");
    if (!tape.isArray(data)) return "missing-field";
    this.#trades(data, instrument, { historical: false, receivedTimeUs }, emit);
    return undefined;
  }

  /** To be answered with its own number within five seconds. */
  #beat(emit: Emit): void {
    const id = this.#tape.get(0, "id");
    if (this.#tape.kind(id) !== JsonKind.Number) return reject(emit, "missing-field");
    const frame = `{"id":${this.#tape.text(id)},"method":"public/respond-heartbeat"}`;
    emit({ kind: "reply", frame });
    heartbeat(emit);
  }

  #data(result: number, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const name = tape.text(tape.get(result, "channel"));
    const data = tape.get(result, "data");
    const symbol = tape.text(tape.get(result, "instrument_name"));
    if (name === "index") return this.#index(symbol, data, emit);
    if (name === "settlement" || name === "estimatedfunding") return heartbeat(emit);
    const [channel] = channelsOfName(name);
    if (name === undefined || channel === undefined) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, symbol, emit);
    if (instrument === undefined) return;
    if (!tape.isArray(data)) return rejectOf(emit, "missing-field", instrument, channel);
    if (channel === "trades") {
      const historical = !this.#begun.has(instrument);
      this.#begun.add(instrument);
      this.#states.of(instrument).hasTrades = true;
      return this.#trades(data, instrument, { historical, receivedTimeUs }, emit);
    }
    const subject = { instrument, receivedTimeUs };
    for (let item = tape.first(data); item !== MISSING; item = tape.next(item)) {
      const fault = this.#read(name, channel, { result, item }, subject, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, channel);
    }
  }

  #read(
    name: string,
    channel: Exclude<CryptocomChannel, "trades">,
    { result, item }: { readonly result: number; readonly item: number },
    subject: { readonly instrument: Instrument; readonly receivedTimeUs: number },
    emit: Emit,
  ): Fault {
    const tape = this.#tape;
    const { instrument } = subject;
    const { scales } = this.#states.of(instrument);
    switch (channel) {
      case "book": {
        const depth = Number(tape.text(tape.get(result, "depth")));
        if (!(depth >= 1 && depth <= LEVELS_MAX)) return "missing-field";
        return readBook(tape, item, subject, { snapshot: name === "book", depth, scales }, emit);
      }
      case "ticker":
        return readTicker(tape, item, subject, scales, emit);
      case "candles": {
        // Candles of other lengths are those of somebody else's recording.
        if (!tape.equals(tape.get(result, "interval"), "1m")) {
          heartbeat(emit);
          return undefined;
        }
        const candle = readCandle(tape, item, subject);
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
      case "mark-price": {
        const indexPrice = this.#indexPrices.get(indexNameOf(instrument));
        return readMarkPrice(tape, item, subject, indexPrice, emit);
      }
      case "funding":
        return readFunding(tape, item, subject, emit);
    }
  }

  /** Kept for the mark prices that follow. */
  #index(name: string | undefined, data: number, emit: Emit): void {
    const tape = this.#tape;
    const read = readValue(tape, tape.first(data));
    if (name === undefined) return reject(emit, "missing-field");
    if (typeof read === "string") return reject(emit, read);
    const isKept = this.#indexPrices.has(name) || this.#indexPrices.size < INDEXES_MAX;
    if (isKept) this.#indexPrices.set(name, read.value);
    heartbeat(emit);
  }

  #trades(
    list: number,
    instrument: Instrument,
    {
      historical,
      receivedTimeUs,
    }: { readonly historical: boolean; readonly receivedTimeUs: number },
    emit: Emit,
  ): void {
    const tape = this.#tape;
    const items = oldestFirst(elementsOf(tape, list), "newest", (item) => ({
      time: epochTimeUsAt(tape, tape.get(item, "t")),
    }));
    const how = { scales: this.#states.of(instrument).scales, historical };
    for (const item of items) {
      const fault = readTrade(tape, item, { instrument, receivedTimeUs }, how, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, "trades");
    }
  }
}
