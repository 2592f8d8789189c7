// https://mexcdevelop.github.io/apidocs/contract_v1_en/#websocket-api
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { JsonTape } from "#core/json-tape.ts";
import type { FeedDecoderContext, RestPurpose } from "../../../feed/feed-adapter.ts";
import { CandleCloser } from "../../../reading/candle-closer.ts";
import { doubtEach, fieldFinder } from "../../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { oldestFirst } from "../../../reading/oldest-first.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { SymbolTable } from "../../../reading/symbol-table.ts";
import { elementsOf, epochTimeUsAt, textAt } from "../../../reading/tape-fields.ts";
import { MexcFuturesAnswers } from "./answers.ts";
import {
  type FuturesSubject,
  readCandle,
  readChanges,
  readFunding,
  readSnapshot,
  readTicker,
  readTrade,
  tradeTimeUs,
} from "./readings.ts";
import { channelsOfTopic, isPublishedLength } from "./requests.ts";
import { MexcFuturesScanner, type ScannedContract } from "./scanner.ts";

const PUSH = "push.";

const channelIn = fieldFinder("channel");
const symbolIn = fieldFinder("symbol");

/** Reads one connection. Changes of books are numbered, trades are not. */
export class MexcFuturesReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new MexcFuturesAnswers();
  /** By their names, for the scanner. */
  readonly #contracts: SymbolTable<ScannedContract>;
  readonly #scanner: MexcFuturesScanner;
  readonly #scales = new InstrumentStates((instrument) => {
    const scales = new ScaleTracker();
    this.#contracts.add(instrument, { instrument, scales });
    return scales;
  });
  readonly #candles = new CandleCloser();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#contracts = new SymbolTable(context.catalog);
    this.#scanner = new MexcFuturesScanner(this.#contracts);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    const channel = textAt(tape, 0, "channel") ?? "";
    if (channel.startsWith(PUSH)) {
      return this.#pushed(channel.slice(PUSH.length), receivedTimeUs, emit);
    }
    if (channel === "pong") return heartbeat(emit);
    if (channel.startsWith("rs.")) return this.#answers.read(tape, channel, emit);
    reject(emit, "unknown-message");
  }

  /** A lost change shows in the numbers of the book's next, a lost trade in nothing. */
  damaged(text: string, emit: Emit): void {
    const name = channelIn(text);
    const isData = name === undefined || name.startsWith(PUSH);
    const [channel] = channelsOfTopic(name?.slice(PUSH.length) ?? "");
    const symbol = symbolIn(text);
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    if (instrument === undefined || channel === undefined) reject(emit, "bad-json");
    else rejectOf(emit, "bad-json", instrument, channel);
    if (!isData || (channel !== undefined && channel !== "trades")) return;
    if (instrument === undefined) doubtEach(this.#trades, "trades", emit);
    else if (channel === "trades" || this.#trades.has(instrument)) {
      rejectOf(emit, "missing-data", instrument, "trades");
    }
  }

  answer(tape: JsonTape, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    if (kind !== "book-snapshot") return "unknown-message";
    const scales = this.#scales.of(instrument);
    const subject = { instrument, venueTimeUs: undefined, receivedTimeUs, scales };
    return readSnapshot(tape, tape.get(0, "data"), subject, emit);
  }

  #pushed(topic: string, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const [channel] = channelsOfTopic(topic);
    // Other topics are never asked for.
    if (channel === undefined) return heartbeat(emit);
    const data = tape.get(0, "data");
    const symbol = textAt(tape, 0, "symbol") ?? textAt(tape, data, "symbol");
    const instrument = lookUpInstrument(this.#catalog, symbol, emit);
    if (instrument === undefined) return;
    const scales = this.#scales.of(instrument);
    const venueTimeUs = epochTimeUsAt(tape, tape.get(0, "ts"));
    const subject = { instrument, venueTimeUs, receivedTimeUs, scales };
    const fault = tape.isContainer(data) ? this.#read(topic, data, subject, emit) : "missing-field";
    if (fault === undefined) return;
    rejectOf(emit, fault, instrument, channel);
    // Which trades a damaged message held cannot be known.
    if (channel === "trades") rejectOf(emit, "missing-data", instrument, channel);
  }

  #read(topic: string, data: number, subject: FuturesSubject, emit: Emit): Fault {
    const tape = this.#tape;
    switch (topic) {
      case "depth":
        return readChanges(tape, data, subject, emit);
      case "deal":
        return this.#tradesOf(data, subject, emit);
      case "ticker":
        return readTicker(tape, data, subject, emit);
      case "funding.rate":
        return readFunding(tape, data, subject, emit);
      default:
        return this.#candle(data, subject, emit);
    }
  }

  /** One, or those of a moment. */
  #tradesOf(data: number, subject: FuturesSubject, emit: Emit): Fault {
    const tape = this.#tape;
    const { instrument } = subject;
    this.#trades.add(instrument);
    const nodes = tape.isArray(data) ? elementsOf(tape, data) : [data];
    const items = oldestFirst(nodes, "oldest", (item) => ({ time: tradeTimeUs(tape, item) }));
    for (const item of items) {
      const fault = readTrade(tape, item, subject, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, "trades");
    }
    return undefined;
  }

  #candle(data: number, subject: FuturesSubject, emit: Emit): Fault {
    if (!isPublishedLength(textAt(this.#tape, data, "interval"))) {
      heartbeat(emit);
      return undefined;
    }
    const candle = readCandle(this.#tape, data, subject);
    if (typeof candle === "string") return candle;
    this.#candles.take(candle, emit);
    return undefined;
  }
}
