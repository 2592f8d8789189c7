// https://docs.dydx.xyz/indexer-client/websockets
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { doubtEach, fieldFinder } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { oldestFirst } from "../../reading/oldest-first.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { emitSubscribed } from "../../reading/subscription-answers.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { elementsOf, sequenceAt, textAt } from "../../reading/tape-fields.ts";
import { isRecord, parseJson } from "../../reading/text-fields.ts";
import { readRefusal } from "./answers.ts";
import { DydxSequence } from "./book.ts";
import {
  candleTimeUs,
  readBook,
  readCandle,
  readMarket,
  readTrade,
  tradeTimeUs,
} from "./readings.ts";
import { channelsOfName, isPublishedLength, marketOfId } from "./requests.ts";
import { DydxScanner, type ScannedMarket } from "./scanner.ts";

/** Where a message stands and how it came. */
type Frame = {
  readonly number: number;
  readonly receivedTimeUs: number;
  /** The answer to a subscription, with all that there is at the moment. */
  readonly isBeginning: boolean;
};

/** How a message came. */
type Arrival = { readonly isAnswer: boolean; readonly receivedTimeUs: number };

/** How the trades of a list are to be read. */
type TradeList = {
  readonly historical: boolean;
  readonly beginsWith: "newest" | "oldest";
  readonly receivedTimeUs: number;
};

const channelIn = fieldFinder("channel");
const idIn = fieldFinder("id");
const NUMBER_IN = /"message_id"\s*:\s*(\d{1,15})\s*,/;

/**
 * Reads one connection. The venue numbers everything on it, so a hole may have cost any book and
 * any trade that is subscribed there, and is told of as that. A change of a book is linked to the
 * message about that book before it.
 */
export class DydxReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  /** By their names, for the scanner. */
  readonly #markets: SymbolTable<ScannedMarket>;
  readonly #scanner: DydxScanner;
  readonly #states = new InstrumentStates<ScannedMarket>((instrument) => {
    const state = { instrument, scales: new ScaleTracker(), bookMessage: undefined };
    this.#markets.add(instrument, state);
    return state;
  });
  readonly #candles = new CandleCloser();
  readonly #books = new Set<Instrument>();
  readonly #trades = new Set<Instrument>();
  readonly #sequence = new DydxSequence();

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#markets = new SymbolTable(context.catalog);
    this.#scanner = new DydxScanner(this.#markets, (number, receivedTimeUs, emit) =>
      this.#continues(number, { isAnswer: false, receivedTimeUs }, emit),
    );
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    const request = parseJson(frame);
    if (isRecord(request) && request["type"] === "subscribe") this.#sequence.requested();
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    const type = textAt(tape, 0, "type") ?? "";
    switch (type) {
      case "connected":
        this.#place({ isAnswer: false, receivedTimeUs }, emit);
        return emit({ kind: "ready" });
      case "pong":
      case "unsubscribed":
        this.#place({ isAnswer: false, receivedTimeUs }, emit);
        return heartbeat(emit);
      case "error":
        this.#place({ isAnswer: true, receivedTimeUs }, emit);
        return readRefusal(tape, emit);
      case "subscribed":
      case "channel_data":
      case "channel_batch_data":
        return this.#data(type, receivedTimeUs, emit);
      default:
        reject(emit, "unknown-message");
    }
  }

  /** What is left of it may say whose it was, and what number it had. */
  damaged(text: string, emit: Emit): void {
    const number = NUMBER_IN.exec(text)?.[1];
    const [channel] = channelsOfName(channelIn(text));
    const id = idIn(text);
    const market = id === undefined ? undefined : marketOfId(id).market;
    const instrument = market === undefined ? undefined : this.#catalog.byVenueSymbol(market);
    if (number === undefined || channel === undefined || instrument === undefined) {
      // The next number shows what it may have cost.
      return reject(emit, "bad-json");
    }
    const isAnswer = text.includes('"subscribed"');
    const place = this.#sequence.place(Number(number), { isAnswer, receivedTimeUs: undefined });
    if (place === "hole") this.#doubtAll(emit);
    rejectOf(emit, "bad-json", instrument, channel);
    if (channel === "trades") rejectOf(emit, "missing-data", instrument, channel);
  }

  /** The latest trades, the newest first. */
  answer(tape: JsonTape, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    if (kind !== "trades") return "unknown-message";
    const list = tape.get(0, "trades");
    if (!tape.isArray(list)) return "missing-field";
    const how = { historical: false, beginsWith: "newest", receivedTimeUs } as const;
    this.#tradesOf(list, instrument, how, emit);
    return undefined;
  }

  /** The number of the message; undefined if it is late, told twice, or has none. */
  #place(how: Arrival, emit: Emit): number | undefined {
    const number = sequenceAt(this.#tape, this.#tape.get(0, "message_id"));
    if (number === undefined) return undefined;
    return this.#continues(number, how, emit) ? number : undefined;
  }

  /** Takes note of the number of a message; false for one that is late or told twice. */
  #continues(number: number, how: Arrival, emit: Emit): boolean {
    const place = this.#sequence.place(number, how);
    if (place === "hole") this.#doubtAll(emit);
    return place !== "late";
  }

  #doubtAll(emit: Emit): void {
    doubtEach(this.#books, "book", emit);
    doubtEach(this.#trades, "trades", emit);
  }

  #data(type: string, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const isBeginning = type === "subscribed";
    if (tape.get(0, "message_id") === MISSING) return reject(emit, "missing-field");
    const number = this.#place({ isAnswer: isBeginning, receivedTimeUs }, emit);
    if (number === undefined) return heartbeat(emit);
    const name = textAt(tape, 0, "channel");
    const channels = channelsOfName(name);
    const contents = tape.get(0, "contents");
    const frame = { number, receivedTimeUs, isBeginning };
    if (name === "v4_markets") return this.#allMarkets(contents, frame, emit);
    const [channel] = channels;
    if (channel === undefined) {
      return name?.startsWith("v4_") === true ? heartbeat(emit) : reject(emit, "unknown-message");
    }
    const { market, resolution } = marketOfId(textAt(tape, 0, "id") ?? "");
    const instrument = lookUpInstrument(this.#catalog, market, emit);
    if (instrument === undefined) return;
    if (channel === "candles" && !isPublishedLength(resolution)) return heartbeat(emit);
    if (isBeginning) emitSubscribed([{ venueSymbol: market, channels }], emit);
    const items = type === "channel_batch_data" ? elementsOf(tape, contents) : [contents];
    if (items.length === 0) return rejectOf(emit, "missing-field", instrument, channel);
    for (const item of items) {
      const fault = this.#read(channel, item, instrument, frame, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, channel);
    }
  }

  #read(
    channel: Channel,
    contents: number,
    instrument: Instrument,
    frame: Frame,
    emit: Emit,
  ): Fault {
    const tape = this.#tape;
    const { isBeginning, receivedTimeUs } = frame;
    if (channel === "book") return this.#book(contents, instrument, frame, emit);
    if (channel === "candles") return this.#candlesOf(contents, instrument, frame, emit);
    const list = tape.get(contents, "trades");
    if (!tape.isArray(list)) return "missing-field";
    this.#trades.add(instrument);
    // Those of one block have one time, and come in the order in which they were made.
    const beginsWith = isBeginning ? "newest" : "oldest";
    const how = { historical: isBeginning, beginsWith, receivedTimeUs } as const;
    this.#tradesOf(list, instrument, how, emit);
    return undefined;
  }

  #book(contents: number, instrument: Instrument, frame: Frame, emit: Emit): Fault {
    const { number, isBeginning: snapshot, receivedTimeUs } = frame;
    const state = this.#states.of(instrument);
    this.#books.add(instrument);
    const previousUpdateId = snapshot ? undefined : state.bookMessage;
    state.bookMessage = number;
    const form = { snapshot, lastUpdateId: number, previousUpdateId };
    return readBook(this.#tape, contents, { instrument, receivedTimeUs }, state.scales, form, emit);
  }

  #tradesOf(
    list: number,
    instrument: Instrument,
    { historical, beginsWith, receivedTimeUs }: TradeList,
    emit: Emit,
  ): void {
    const tape = this.#tape;
    const items = oldestFirst(elementsOf(tape, list), beginsWith, (item) => ({
      time: tradeTimeUs(tape, item),
    }));
    const how = { scales: this.#states.of(instrument).scales, historical };
    for (const item of items) {
      const fault = readTrade(tape, item, { instrument, receivedTimeUs }, how, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, "trades");
    }
  }

  /** The last hundred candles, the newest first, or the one that runs. */
  #candlesOf(
    contents: number,
    instrument: Instrument,
    { isBeginning, receivedTimeUs }: Frame,
    emit: Emit,
  ): Fault {
    const tape = this.#tape;
    const list = tape.get(contents, "candles");
    if (isBeginning && !tape.isArray(list)) return "missing-field";
    const nodes = isBeginning ? elementsOf(tape, list) : [contents];
    const items = oldestFirst(nodes, "newest", (item) => ({ time: candleTimeUs(tape, item) }));
    for (const [index, item] of items.entries()) {
      const isOver = index < items.length - 1;
      const candle = readCandle(tape, item, { instrument, receivedTimeUs }, isOver);
      if (typeof candle === "string") return candle;
      this.#candles.take(candle, emit);
    }
    return undefined;
  }

  /** The state of all markets, or what of some has changed. */
  #allMarkets(contents: number, { receivedTimeUs, isBeginning }: Frame, emit: Emit): void {
    const tape = this.#tape;
    if (!tape.isContainer(contents)) return reject(emit, "missing-field");
    const parts = tape.isArray(contents) ? elementsOf(tape, contents) : [contents];
    for (const part of parts) {
      for (const name of ["markets", "trading", "oraclePrices"]) {
        const markets = tape.get(part, name);
        for (let node = tape.first(markets); node !== MISSING; node = tape.next(node)) {
          this.#market(tape.key(node), node, { isBeginning, receivedTimeUs }, emit);
        }
      }
    }
    heartbeat(emit);
  }

  #market(
    name: string,
    node: number,
    { isBeginning, receivedTimeUs }: Pick<Frame, "isBeginning" | "receivedTimeUs">,
    emit: Emit,
  ): void {
    // Of all markets, those that are not listed are of no interest.
    const instrument = this.#catalog.byVenueSymbol(name);
    if (instrument === undefined) return;
    if (isBeginning) {
      emitSubscribed([{ venueSymbol: name, channels: channelsOfName("v4_markets") }], emit);
    }
    const fault = readMarket(this.#tape, node, { instrument, receivedTimeUs }, emit);
    if (fault !== undefined) rejectOf(emit, fault, instrument, "mark-price");
  }
}
