// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { FeedDecoderContext, RestPurpose } from "../../../feed/feed-adapter.ts";
import { bookEvent } from "../../../reading/book-event.ts";
import { ConnectionSequence } from "../../../reading/connection-sequence.ts";
import { doubtEach } from "../../../reading/damage.ts";
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
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { oldestFirst } from "../../../reading/oldest-first.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { emitSubscribed } from "../../../reading/subscription-answers.ts";
import { isRecord, type JsonRecord, parseJson } from "../../../reading/text-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../../reading/venue-time.ts";
import { CoinbaseSubscriptions } from "../answers.ts";
import { refuse } from "./answers.ts";
import { columnsOf, lastTimeUs } from "./book.ts";
import { ProductNames } from "./fields.ts";
import { orderOfTrade, readCandle, readTicker, readTrade } from "./readings.ts";
import { CHANNELS_OF_NAME } from "./requests.ts";
import { CoinbaseAdvancedScanner } from "./scanner.ts";

/** What the items of a list are read as. */
type Reading = "trades" | "ticker" | "candles";

/** The lists that events of a channel have. */
const LISTS: ReadonlyMap<string, { readonly field: string; readonly reading: Reading }> = new Map([
  ["market_trades", { field: "trades", reading: "trades" }],
  ["ticker", { field: "tickers", reading: "ticker" }],
  ["ticker_batch", { field: "tickers", reading: "ticker" }],
  ["candles", { field: "candles", reading: "candles" }],
]);

const NO_FIELDS: JsonRecord = {};

type Frame = {
  /** Of the message as a whole. */
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  /** A frame that comes after a later one: its books are no longer of use. */
  readonly isLate: boolean;
};

/**
 * Reads one connection. The venue numbers everything on it without a hole, so a hole may have cost
 * any book and any trade that is subscribed there, and is told of as that.
 */
export class CoinbaseAdvancedReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  readonly #names: ProductNames;
  readonly #scales = new InstrumentStates(() => new ScaleTracker());
  readonly #books = new Set<Instrument>();
  readonly #trades = new Set<Instrument>();
  readonly #subscriptions = new CoinbaseSubscriptions(CHANNELS_OF_NAME);
  readonly #sequence = new ConnectionSequence();
  readonly #scanner = new CoinbaseAdvancedScanner({
    knownOf: (product) => this.#names.knownOf(product),
    scalesOf: (instrument) => this.#scales.of(instrument),
    place: (sequence, emit) => this.#place(sequence, emit),
    onBook: (instrument) => this.#books.add(instrument),
  });

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#names = new ProductNames(context.catalog);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    const request = parseJson(frame);
    const products = isRecord(request) ? request["product_ids"] : undefined;
    if (Array.isArray(products)) this.#names.asked(products);
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    if (tape.equals(tape.get(0, "type"), "error"))
      return refuse(this.#record(0), this.#names, emit);
    const channel = tape.text(tape.get(0, "channel"));
    if (channel === undefined) return reject(emit, "unknown-message");
    const place = this.#place(tape.number(tape.get(0, "sequence_num")), emit);
    if (place === "repeated") return heartbeat(emit);
    if (channel === "heartbeats" || channel === "status") return heartbeat(emit);
    const events = tape.get(0, "events");
    if (!tape.isArray(events)) {
      return reject(emit, isKnown(channel) ? "missing-field" : "unknown-message");
    }
    const time = parseIsoTimeUs(tape.text(tape.get(0, "timestamp")));
    const venueTimeUs = isBadTime(time) ? undefined : time;
    const frame = { venueTimeUs, receivedTimeUs, isLate: place === "late" };
    for (let event = tape.first(events); event !== MISSING; event = tape.next(event)) {
      if (!tape.isObject(event)) reject(emit, "missing-field");
      else if (channel === "l2_data") this.#book(event, frame, emit);
      else this.#event(channel, this.#record(event), frame, emit);
    }
  }

  /** The next number shows what a damaged frame may have cost. */
  damaged(_text: string, emit: Emit): void {
    reject(emit, "bad-json");
  }

  /** The latest trades, newest first; the side is read as in the stream. */
  answer(
    body: JsonTape,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    if (kind !== "trades") return "unknown-message";
    const trades = body.value(body.get(0, "trades"));
    if (!Array.isArray(trades)) return "missing-field";
    for (const trade of oldestFirst(trades as readonly unknown[], "either", orderOfTrade)) {
      this.#trade(isRecord(trade) ? trade : NO_FIELDS, instrument, true, receivedTimeUs, emit);
    }
    return undefined;
  }

  /** Where a frame stands in the connection's numbers; emits what a hole may have cost. */
  #place(sequence: number, emit: Emit): "next" | "repeated" | "late" {
    if (!Number.isSafeInteger(sequence)) return "next";
    const place = this.#sequence.place(sequence);
    if (place !== "hole") return place;
    doubtEach(this.#books, "book", emit);
    doubtEach(this.#trades, "trades", emit);
    return "next";
  }

  #event(channel: string, event: JsonRecord, frame: Frame, emit: Emit): void {
    if (channel === "subscriptions") return this.#subscribed(event["subscriptions"], emit);
    const list = LISTS.get(channel);
    if (list === undefined) return reject(emit, "unknown-message");
    const items = event[list.field];
    if (!Array.isArray(items)) return reject(emit, "missing-field");
    if (list.reading !== "trades") {
      for (const item of items) this.#item(list.reading, item, frame, emit);
      return;
    }
    const historical = event["type"] === "snapshot";
    for (const item of oldestFirst(items as readonly unknown[], "either", orderOfTrade)) {
      const fields = isRecord(item) ? item : NO_FIELDS;
      for (const instrument of this.#names.ofData(fields["product_id"], emit)) {
        this.#trade(fields, instrument, historical, frame.receivedTimeUs, emit);
      }
    }
  }

  #item(
    reading: "ticker" | "candles",
    item: unknown,
    { venueTimeUs, receivedTimeUs }: Frame,
    emit: Emit,
  ): void {
    const fields = isRecord(item) ? item : NO_FIELDS;
    for (const instrument of this.#names.ofData(fields["product_id"], emit)) {
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const reason =
        reading === "candles"
          ? readCandle(fields, subject, emit)
          : readTicker(fields, subject, this.#scales.of(instrument), emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, reading);
    }
  }

  #trade(
    fields: JsonRecord,
    instrument: Instrument,
    historical: boolean,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    this.#trades.add(instrument);
    const how = { historical, scales: this.#scales.of(instrument) };
    const reason = readTrade(fields, { instrument, receivedTimeUs }, how, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
  }

  #book(event: number, frame: Frame, emit: Emit): void {
    const tape = this.#tape;
    const { venueTimeUs, receivedTimeUs } = frame;
    for (const instrument of this.#names.ofData(tape.text(tape.get(event, "product_id")), emit)) {
      this.#books.add(instrument);
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const reason = this.#levels(event, subject, frame.isLate, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, "book");
    }
  }

  #levels(
    event: number,
    { instrument, venueTimeUs, receivedTimeUs }: EventSubject,
    isLate: boolean,
    emit: Emit,
  ): Fault {
    const tape = this.#tape;
    const type = tape.get(event, "type");
    const snapshot = tape.equals(type, "snapshot");
    if (!snapshot && !tape.equals(type, "update")) return "missing-field";
    if (isLate) {
      // What changed after a late snapshot may have come before it, so another one is needed.
      if (snapshot) return "missing-data";
      heartbeat(emit);
      return undefined;
    }
    const updates = tape.get(event, "updates");
    const scales = this.#scales.of(instrument);
    const columns = columnsOf(tape, updates, scales);
    if (typeof columns === "string") return columns;
    const eventTimeUs = lastTimeUs(tape, updates);
    const subject = { instrument, venueTimeUs: eventTimeUs ?? venueTimeUs, receivedTimeUs };
    emit(bookEvent(subject, scales, columns, { snapshot }));
    return undefined;
  }

  /** What is subscribed may be lost before its first message. */
  #subscribed(list: unknown, emit: Emit): void {
    if (!isRecord(list)) return reject(emit, "missing-field");
    const listed = this.#subscriptions.replace(Object.entries(list));
    const news = listed.flatMap((asked) => this.#names.ofAnswer(asked));
    for (const { venueSymbol, venueMarket, channels } of news) {
      const [channel] = channels;
      if (channel !== "book" && channel !== "trades") continue;
      const instrument = this.#catalog.byVenueSymbol(venueSymbol, venueMarket);
      if (instrument === undefined) continue;
      (channel === "book" ? this.#books : this.#trades).add(instrument);
    }
    emitSubscribed(news, emit);
  }

  #record(node: number): JsonRecord {
    const value = this.#tape.value(node);
    return isRecord(value) ? value : NO_FIELDS;
  }
}

function isKnown(channel: string): boolean {
  return channel === "subscriptions" || channel === "l2_data" || LISTS.has(channel);
}
