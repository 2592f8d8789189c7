// https://docs.gemini.com/websocket-api/#market-data-version-2
// https://developer.gemini.com/websocket/archived/v2.md
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import {
  asJsonArray,
  asJsonObject,
  asText,
  parseJsonText,
  type JsonText,
} from "#core/json-text.ts";
import type { FeedDecoderContext } from "../../../feed/feed-adapter.ts";
import { bookEvent } from "../../../reading/book-event.ts";
import { CandleCloser } from "../../../reading/candle-closer.ts";
import { changesBySide } from "../../../reading/changes-by-side.ts";
import { fieldFinder } from "../../../reading/damage.ts";
import {
  type Emit,
  type EventSubject,
  heartbeat,
  reject,
  rejectOf,
} from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { oldestFirst, type TradeOrder } from "../../../reading/oldest-first.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { emitRefused } from "../../../reading/subscription-answers.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";
import { readRiskAnswer } from "../rest.ts";
import { readCandles, readMarkPrices, readTrade } from "./readings.ts";

const CANDLE_INTERVALS_MS: ReadonlyMap<string, number> = new Map([
  ["candles_1m_updates", 60_000],
  ["candles_5m_updates", 300_000],
  ["candles_15m_updates", 900_000],
  ["candles_30m_updates", 1_800_000],
  ["candles_1h_updates", 3_600_000],
  ["candles_6h_updates", 21_600_000],
  ["candles_1d_updates", 86_400_000],
]);

/** What is told of no channel of ours. Auctions and block trades are made outside the book. */
const SIGNS_OF_LIFE =
  /^(?:heartbeat|subscription_ack|funding_amount_updates|block_trade|auction_\w*)$/;

const TYPE = /"type"\s*:\s*"([a-z0-9_]+)"/;

const symbolIn = fieldFinder("symbol");

/** Reads one connection. Nothing on it is numbered. */
export class GeminiV2Reader implements FrameReader<TextRecord, JsonText> {
  readonly answer = readRiskAnswer;
  readonly #catalog: InstrumentCatalog;
  readonly #scales = new InstrumentStates(() => new ScaleTracker());
  readonly #closer = new CandleCloser();
  /** Whose books and trades were asked for, or have come. */
  readonly #followed = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const type = request?.["type"];
    for (const entry of asJsonArray(request?.["subscriptions"]) ?? []) {
      const subscription = asJsonObject(entry);
      if (subscription?.["name"] !== "l2") continue;
      for (const symbol of asJsonArray(subscription["symbols"]) ?? []) {
        const instrument = this.#catalog.byVenueSymbol((asText(symbol) ?? "").toUpperCase());
        if (instrument === undefined) continue;
        if (type === "subscribe") this.#followed.add(instrument);
        else if (type === "unsubscribe") this.#followed.delete(instrument);
      }
    }
  }

  message(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const type = asText(message["type"]) ?? "";
    const intervalMs = CANDLE_INTERVALS_MS.get(type);
    if (intervalMs !== undefined) {
      return this.#candles(message, intervalMs, receivedTimeUs, emit);
    }
    switch (type) {
      case "l2_updates":
        return this.#level2(message, receivedTimeUs, emit);
      case "trade":
        return this.#trade(message, false, receivedTimeUs, emit);
      case "mark_price_updates":
        return this.#markPrices(message, receivedTimeUs, emit);
    }
    if (SIGNS_OF_LIFE.test(type)) return heartbeat(emit);
    if (message["result"] !== "error" && type !== "error") return reject(emit, "unknown-message");
    emitRefused([], asText(message["message"]) ?? asText(message["reason"]) ?? "refused", emit);
  }

  /**
   * Nothing is numbered: what a damaged frame was about must be found out, or every book may be
   * wrong.
   */
  damaged(text: string, emit: Emit): void {
    const type = TYPE.exec(text)?.[1];
    const symbol = symbolIn(text)?.toUpperCase();
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    if (instrument !== undefined && (type === "l2_updates" || type === "trade")) {
      return rejectOf(emit, "bad-json", instrument, type === "trade" ? "trades" : "book");
    }
    reject(emit, "bad-json");
    if (type === undefined || type === "l2_updates") this.#doubt(["book", "trades"], emit);
    else if (type === "trade") this.#doubt(["trades"], emit);
  }

  /** The first message of a book is whole, and has the last trades and auctions with it. */
  #level2(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, ["book", "trades"], emit);
    if (instrument === undefined) return;
    this.#followed.add(instrument);
    const trades = asJsonArray(message["trades"]);
    const snapshot = trades !== undefined || message["auction_events"] !== undefined;
    const subject = { instrument, venueTimeUs: undefined, receivedTimeUs };
    const reason = this.#book(message["changes"], subject, snapshot, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "book");
    const history = (trades ?? []).map((entry) => asJsonObject(entry) ?? {});
    for (const trade of oldestFirst(history, "either", orderOfTrade)) {
      // They are of the same pair, whether they repeat its name or not.
      this.#trade({ symbol: instrument.venueSymbol, ...trade }, true, receivedTimeUs, emit);
    }
  }

  #book(
    changes: JsonText | undefined,
    subject: EventSubject,
    snapshot: boolean,
    emit: Emit,
  ): Fault {
    const sides = changesBySide(changes);
    if (sides === undefined) return "missing-field";
    const scales = this.#scales.of(subject.instrument);
    const columns = scales.book(sides.bids, sides.asks);
    if (typeof columns === "string") return columns;
    emit(bookEvent(subject, scales, columns, { snapshot }));
    return undefined;
  }

  #trade(item: TextRecord, historical: boolean, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(item, ["trades"], emit);
    if (instrument === undefined) return;
    const how = { historical, scales: this.#scales.of(instrument) };
    const reason = readTrade(item, { instrument, receivedTimeUs }, how, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
  }

  #candles(message: TextRecord, intervalMs: number, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, [], emit);
    if (instrument === undefined) return;
    const subject = { instrument, receivedTimeUs, intervalMs };
    const reason = readCandles(message["changes"], subject, this.#closer, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "candles");
  }

  #markPrices(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, [], emit);
    if (instrument === undefined) return;
    const reason = readMarkPrices(message["changes"], { instrument, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "mark-price");
  }

  /** What a message is about; one that does not say it may have been about anything followed. */
  #instrumentOf(
    message: TextRecord,
    channels: readonly Channel[],
    emit: Emit,
  ): Instrument | undefined {
    const symbol = asText(message["symbol"])?.toUpperCase();
    const instrument = lookUpInstrument(this.#catalog, symbol, emit);
    if (symbol === undefined) this.#doubt(channels, emit);
    return instrument;
  }

  /** Whatever is followed may have lost something. */
  #doubt(channels: readonly Channel[], emit: Emit): void {
    for (const instrument of this.#followed) {
      for (const channel of channels) rejectOf(emit, "missing-data", instrument, channel);
    }
  }
}

function orderOfTrade({ event_id: id, timestamp }: TextRecord): TradeOrder {
  return { id: asText(id), time: epochTimeUs(timestamp) };
}
