// https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
// https://bybit-exchange.github.io/docs/v5/websocket/public/trade
// https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
// https://bybit-exchange.github.io/docs/v5/market/recent-trade
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { BybitAnswers } from "./answers.ts";
import { type BestLevels, mergeBest, NOTHING_KNOWN } from "./book.ts";
import { readBybitCandles, readBybitLiquidations } from "./readings.ts";
import { BybitTickers, type EventCommon } from "./fields.ts";
import {
  type BybitCategory,
  type BybitTopic,
  categoryOfUrl,
  channelsOfTopic,
  NOT_PUBLISHED_BY_BYBIT,
  parseBybitTopic,
} from "./requests.ts";
import { readQuoteValues, readTradeValues, textOfFrame } from "../../reading/event-values.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import {
  isRecord,
  isUpdateId,
  type JsonRecord,
  millisecondsTimeUs,
  parseJson,
} from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** Topics that are remembered as read; of more, each is read anew with every message. */
const TOPICS_REMEMBERED_MAX = 10_000;

/** What is kept of one instrument on one connection. */
type InstrumentState = {
  readonly scales: ScaleTracker;
  best: BestLevels;
  /** Levels of the topic that the book is taken from; 0 before it began. */
  bookDepth: number;
};

/** Decodes one connection, whose address says which category its symbols belong to. */
export class BybitDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #category: BybitCategory | undefined;
  readonly #answers: BybitAnswers;
  readonly #tickers = new BybitTickers();
  readonly #states = new Map<Instrument, InstrumentState>();
  readonly #topics = new Map<string, BybitTopic>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#category = context.url === undefined ? undefined : categoryOfUrl(context.url);
    this.#answers = new BybitAnswers(context.catalog, this.#category);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const message = parseJson(text);
    if (message === undefined) {
      this.#rejectDamaged(text, emit);
      return;
    }
    if (!isRecord(message)) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    const name = message["topic"];
    if (name === undefined) {
      this.#answers.read(message, emit);
      return;
    }
    const topic = typeof name === "string" ? this.#topicOf(name) : undefined;
    if (topic === undefined) {
      const isKnown = typeof name === "string" && NOT_PUBLISHED_BY_BYBIT.test(name);
      emit(isKnown ? { kind: "heartbeat" } : { kind: "rejected", reason: "unknown-message" });
      return;
    }
    this.#message(topic, message, receivedTimeUs, emit);
  }

  /** Recent trades, of which the venue sends the latest first. */
  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    if (!/\/v5\/market\/recent-trade\?/.test(response.url)) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    const answer = parseJson(response.body);
    if (answer === undefined) {
      emit({ kind: "rejected", reason: "bad-json" });
      return;
    }
    const result = isRecord(answer) ? answer["result"] : undefined;
    const list = isRecord(result) ? result["list"] : undefined;
    if (!Array.isArray(list)) {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const category = categoryOfUrl(response.url);
    for (const item of (list as readonly unknown[]).toReversed()) {
      const {
        symbol: s,
        side: S,
        time: T,
        price: p,
        size: v,
        execId: i,
      } = isRecord(item) ? item : {};
      this.#trade({ s, S, T, p, v, i }, category, receivedTimeUs, emit);
    }
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

  #message(topic: BybitTopic, message: JsonRecord, receivedTimeUs: number, emit: Emit): void {
    const { data } = message;
    if (topic.name === "trades") {
      const items = Array.isArray(data) ? (data as readonly unknown[]) : [undefined];
      for (const item of items) this.#trade(item, this.#category, receivedTimeUs, emit);
      return;
    }
    const instrument = this.#instrumentOf(topic.symbol);
    if (instrument === undefined) {
      emit({ kind: "rejected", reason: "unknown-instrument" });
      return;
    }
    const reason = this.#read(topic, message, { instrument, receivedTimeUs }, emit);
    const [channel] = channelsOfTopic(topic, this.#category);
    if (reason === undefined || channel === undefined) return;
    if (topic.name === "tickers") this.#tickers.forget(instrument);
    emit({ kind: "rejected", reason, instrument, channel });
  }

  #read(
    topic: BybitTopic,
    message: JsonRecord,
    about: { readonly instrument: Instrument; readonly receivedTimeUs: number },
    emit: Emit,
  ): RejectReason | undefined {
    const { type, data } = message;
    if (type !== "snapshot" && type !== "delta") return "missing-field";
    // Of a book, the matching engine's time; the message's own is a little later.
    const venueTimeUs = millisecondsTimeUs(message["cts"] ?? message["ts"]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const common = { ...about, venueTimeUs };
    switch (topic.name) {
      case "candles":
        return readBybitCandles(data, common, emit);
      case "liquidations":
        return readBybitLiquidations(data, common, emit);
      case "tickers":
        if (!isRecord(data)) return "missing-field";
        return this.#tickers.read(data, { ...common, isSnapshot: type === "snapshot" }, emit);
      case "quotes":
        return isRecord(data)
          ? this.#quote(data, common, type === "snapshot", emit)
          : "missing-field";
      case "book":
        return isRecord(data)
          ? this.#book(data, { ...common, snapshot: type === "snapshot" }, topic.depth, emit)
          : "missing-field";
      case "trades":
        return undefined;
    }
  }

  #book(
    data: JsonRecord,
    common: EventCommon & { readonly snapshot: boolean },
    depth: number,
    emit: Emit,
  ): RejectReason | undefined {
    const { b: bids, a: asks, u: updateId } = data;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    if (!isUpdateId(updateId)) return "missing-field";
    const state = this.#stateOf(common.instrument);
    if (state.bookDepth === 0) state.bookDepth = depth;
    if (state.bookDepth !== depth) {
      // Two topics of one book are numbered each for itself: the first is enough.
      emit({ kind: "heartbeat" });
      return undefined;
    }
    const { scales } = state;
    const columns = scales.book(bids, asks);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      ...common,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: updateId,
      previousUpdateId: undefined,
      checksum: undefined,
      depth,
      priceScale: scales.priceScale,
      sizeScale: scales.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  /** The book of one level. Nothing is said while a side of it is not known. */
  #quote(
    data: JsonRecord,
    common: EventCommon,
    isSnapshot: boolean,
    emit: Emit,
  ): RejectReason | undefined {
    const state = this.#stateOf(common.instrument);
    const change = mergeBest(state.best, data, isSnapshot);
    if (change === undefined) return "missing-field";
    const { instrument } = common;
    if (change.isGap) {
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "quotes" });
    }
    const { bid, ask } = change.best;
    if (bid === undefined || ask === undefined) {
      state.best = change.best;
      return undefined;
    }
    const values = readQuoteValues(state.scales, bid, ask);
    if (typeof values === "string") return values;
    state.best = change.best;
    emit({ kind: "quote", ...common, ...values });
    return undefined;
  }

  /** `S` is the taker's side. The topic of options names only their base asset, so `s` counts. */
  #trade(
    item: unknown,
    category: BybitCategory | undefined,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const {
      s: symbol,
      S: side,
      T: time,
      p: price,
      v: size,
      i: tradeId,
    } = isRecord(item) ? item : {};
    if (typeof symbol !== "string") {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const instrument = this.#catalog.byVenueSymbol(symbol, category);
    if (instrument === undefined) {
      emit({ kind: "rejected", reason: "unknown-instrument" });
      return;
    }
    const channel = "trades";
    if ((side !== "Buy" && side !== "Sell") || typeof tradeId !== "string") {
      emit({ kind: "rejected", reason: "missing-field", instrument, channel });
      return;
    }
    const venueTimeUs = millisecondsTimeUs(time);
    const values = readTradeValues(this.#stateOf(instrument).scales, price, size);
    if (typeof values === "string" || isBadTime(venueTimeUs)) {
      const reason = typeof values === "string" ? values : "bad-time";
      emit({ kind: "rejected", reason, instrument, channel });
      return;
    }
    emit({
      kind: "trade",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      ...values,
      aggressorSide: side === "Buy" ? "buyer" : "seller",
      tradeId,
      historical: false,
    });
  }

  #instrumentOf(symbol: string): Instrument | undefined {
    return this.#catalog.byVenueSymbol(symbol, this.#category);
  }

  #stateOf(instrument: Instrument): InstrumentState {
    let state = this.#states.get(instrument);
    if (state === undefined) {
      state = { scales: new ScaleTracker(), best: NOTHING_KNOWN, bookDepth: 0 };
      this.#states.set(instrument, state);
    }
    return state;
  }

  /** What the frame was about is looked for in what is left of it. */
  #rejectDamaged(text: string, emit: Emit): void {
    const name = /"topic"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const topic = name === undefined ? undefined : parseBybitTopic(name);
    const instrument = topic === undefined ? undefined : this.#instrumentOf(topic.symbol);
    const [channel] = topic === undefined ? [] : channelsOfTopic(topic, this.#category);
    if (instrument === undefined || channel === undefined) {
      emit({ kind: "rejected", reason: "bad-json" });
      return;
    }
    if (channel === "ticker") this.#tickers.forget(instrument);
    emit({ kind: "rejected", reason: "bad-json", instrument, channel });
  }
}
