// https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
// https://bybit-exchange.github.io/docs/v5/websocket/public/trade
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedDecoderContext, RejectReason, RestPurpose } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import {
  type Emit,
  type EventSubject,
  heartbeat,
  reject,
  rejectOf,
  type TakeTick,
} from "../../reading/emit.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { isRecord, isUpdateId, type JsonRecord } from "../../reading/text-fields.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { BybitAnswers } from "./answers.ts";
import { type BestLevels, mergeBest, NOTHING_KNOWN } from "./book.ts";
import { BybitTickers, readBybitCandles, readBybitLiquidations } from "./readings.ts";
import {
  type BybitCategory,
  type BybitTopic,
  categoryOf,
  categoryOfUrl,
  channelsOfTopic,
  NOT_PUBLISHED_BY_BYBIT,
  parseBybitTopic,
} from "./requests.ts";
import { bybitTradesOf } from "./rest.ts";
import { BybitScanner, type ScannedInstrument } from "./scanner.ts";

/** Topics that are remembered as read; of more, each is read anew with every message. */
const TOPICS_REMEMBERED_MAX = 10_000;

const SIDES = { buyer: "Buy", seller: "Sell" };

const topicIn = fieldFinder("topic");

/** What is kept of one instrument on one connection. */
type InstrumentState = ScannedInstrument & {
  best: BestLevels;
  bookDepth: number;
};

/** Reads one connection, whose address says which category its symbols belong to. */
export class BybitReader implements FrameReader<JsonRecord, unknown> {
  readonly #catalog: InstrumentCatalog;
  readonly #category: BybitCategory | undefined;
  readonly #answers: BybitAnswers;
  readonly #tickers = new BybitTickers();
  readonly #symbols: SymbolTable<InstrumentState>;
  readonly #scanner: BybitScanner;
  readonly #states = new InstrumentStates<InstrumentState>((instrument) => {
    const scales = new ScaleTracker();
    const state = { instrument, scales, best: NOTHING_KNOWN, bookDepth: 0 };
    this.#symbols.add(instrument, state);
    return state;
  });
  readonly #topics = new Map<string, BybitTopic>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#category = context.url === undefined ? undefined : categoryOfUrl(context.url);
    this.#answers = new BybitAnswers(context.catalog, this.#category);
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new BybitScanner(this.#symbols);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(message: JsonRecord, receivedTimeUs: number, emit: Emit): void {
    const name = message["topic"];
    if (name === undefined) return this.#answers.read(message, emit);
    if (typeof name !== "string") return reject(emit, "unknown-message");
    const topic = this.#topicOf(name);
    if (topic !== undefined) this.#data(topic, message, receivedTimeUs, emit);
    else if (NOT_PUBLISHED_BY_BYBIT.test(name)) heartbeat(emit);
    else reject(emit, "unknown-message");
  }

  /** Updates of a book are numbered; what else a damaged frame was about is not to be noticed. */
  damaged(text: string, emit: Emit): void {
    const topic = parseBybitTopic(topicIn(text) ?? "");
    const instrument = topic === undefined ? undefined : this.#instrumentOf(topic.symbol);
    const [channel] = topic === undefined ? [] : channelsOfTopic(topic, this.#category);
    if (instrument !== undefined && channel === "ticker") this.#tickers.forget(instrument);
    rejectDamaged(emit, instrument, channel);
  }

  answer(
    body: unknown,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (kind !== "trades") return "unknown-message";
    const trades = bybitTradesOf(body);
    if (trades === undefined) return "missing-field";
    const category = categoryOf(instrument);
    for (const trade of trades) this.#trade(trade, category, receivedTimeUs, emit);
    return undefined;
  }

  #topicOf(name: string): BybitTopic | undefined {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = parseBybitTopic(name);
    if (topic !== undefined && this.#topics.size < TOPICS_REMEMBERED_MAX) {
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #data(topic: BybitTopic, message: JsonRecord, receivedTimeUs: number, emit: Emit): void {
    const { data } = message;
    if (topic.name === "trades") {
      const items = Array.isArray(data) ? (data as readonly unknown[]) : [undefined];
      for (const item of items) this.#trade(item, this.#category, receivedTimeUs, emit);
      return;
    }
    const instrument = this.#instrumentOf(topic.symbol);
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const reason = this.#read(topic, message, instrument, receivedTimeUs, emit);
    const [channel] = channelsOfTopic(topic, this.#category);
    if (reason === undefined || channel === undefined) return;
    if (topic.name === "tickers") this.#tickers.forget(instrument);
    rejectOf(emit, reason, instrument, channel);
  }

  #read(
    topic: BybitTopic,
    message: JsonRecord,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const { type, data } = message;
    if (type !== "snapshot" && type !== "delta") return "missing-field";
    const isSnapshot = type === "snapshot";
    // Of a book, the matching engine's time; the message's own is a little later.
    const venueTimeUs = epochTimeUs(message["cts"] ?? message["ts"]);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    if (topic.name === "candles") return readBybitCandles(data, subject, emit);
    if (topic.name === "liquidations") return readBybitLiquidations(data, subject, emit);
    if (!isRecord(data)) return "missing-field";
    if (topic.name === "tickers") return this.#tickers.read(data, subject, isSnapshot, emit);
    if (topic.name === "quotes") return this.#quote(data, subject, isSnapshot, emit);
    return this.#book(data, subject, { snapshot: isSnapshot, depth: topic.depth }, emit);
  }

  #book(
    data: JsonRecord,
    subject: EventSubject,
    { snapshot, depth }: { readonly snapshot: boolean; readonly depth: number },
    emit: Emit,
  ): RejectReason | undefined {
    const { b: bids, a: asks, u: lastUpdateId } = data;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    if (!isUpdateId(lastUpdateId)) return "missing-field";
    const state = this.#states.of(subject.instrument);
    if (state.bookDepth === 0) state.bookDepth = depth;
    if (state.bookDepth !== depth) {
      // Two topics of one book are numbered each for itself: the first is enough.
      heartbeat(emit);
      return undefined;
    }
    const columns = state.scales.book(bids, asks);
    if (typeof columns === "string") return columns;
    emit(bookEvent(subject, state.scales, columns, { snapshot, lastUpdateId, depth }));
    return undefined;
  }

  /** The book of one level. Nothing is said while a side of it is not known. */
  #quote(
    data: JsonRecord,
    subject: EventSubject,
    isSnapshot: boolean,
    emit: Emit,
  ): RejectReason | undefined {
    const state = this.#states.of(subject.instrument);
    const change = mergeBest(state.best, data, isSnapshot);
    if (change === undefined) return "missing-field";
    if (change.isGap) rejectOf(emit, "missing-data", subject.instrument, "quotes");
    const { bid, ask } = change.best;
    if (bid === undefined || ask === undefined) {
      state.best = change.best;
      return undefined;
    }
    const event = quoteEvent(subject, state.scales, bid, ask);
    if (typeof event === "string") return event;
    state.best = change.best;
    emit(event);
    return undefined;
  }

  /** The topic of options names only their base asset, so each trade's own symbol counts. */
  #trade(
    item: unknown,
    category: BybitCategory | undefined,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const trade: JsonRecord = isRecord(item) ? item : {};
    const instrument = lookUpInstrument(this.#catalog, trade["s"], emit, category);
    if (instrument === undefined) return;
    const reason = this.#readTrade(trade, instrument, receivedTimeUs, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
  }

  /** `S` is the taker's side. */
  #readTrade(
    { S: side, T: time, p: price, v: size, i: tradeId }: JsonRecord,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const aggressorSide = takerSide(side, SIDES);
    if (aggressorSide === undefined || typeof tradeId !== "string") return "missing-field";
    const venueTimeUs = epochTimeUs(time);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    const form = { price, size, aggressorSide, tradeId, historical: false };
    const event = tradeEvent(subject, this.#states.of(instrument).scales, form);
    if (typeof event === "string") return event;
    emit(event);
    return undefined;
  }

  #instrumentOf(symbol: string): Instrument | undefined {
    return this.#catalog.byVenueSymbol(symbol, this.#category);
  }
}
