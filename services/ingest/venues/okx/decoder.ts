// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
// https://www.okx.com/docs-v5/en/#public-data-websocket-liquidation-orders-channel
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
import { type BookChannelState, InstrumentStates } from "../../reading/instrument-states.ts";
import { stateOfWord } from "../../reading/instrument-words.ts";
import { oldestFirst, type TradeOrder } from "../../reading/oldest-first.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { emitStates } from "../../reading/state-events.ts";
import {
  decimalText,
  isRecord,
  isUpdateId,
  textOf,
  type JsonRecord,
} from "../../reading/text-fields.ts";
import { PONG } from "../../reading/text-pongs.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { OkxAnswers } from "./answers.ts";
import { OKX_STATES } from "./instruments.ts";
import {
  OKX_SIDES,
  readOkxCandle,
  readOkxFunding,
  readOkxLiquidation,
  readOkxOpenInterest,
  readOkxStatuses,
  readOkxTicker,
} from "./readings.ts";
import {
  channelOfOkx,
  NOT_PUBLISHED_BY_OKX,
  okxCandleIntervalMs,
  type OkxPublished,
} from "./requests.ts";
import { okxDataOf } from "./rest.ts";
import { OkxScanner } from "./scanner.ts";

/** Index prices that are remembered; far more than the venue has. */
const INDEXES_MAX = 10_000;

const channelIn = fieldFinder("channel");
const instIdIn = fieldFinder("instId");

/** What the items of a message are. */
type Told = {
  readonly venueChannel: string;
  readonly channel: OkxPublished;
  readonly action: unknown;
};

/** The trades of an answer, which are told as the channel tells them. */
const LISTED_TRADES: Told = { venueChannel: "trades", channel: "trades", action: undefined };

/**
 * Reads one connection, public or business. Numbers are strings all along, so the built-in reader
 * of JSON loses nothing.
 */
export class OkxReader implements FrameReader<JsonRecord | typeof PONG, unknown> {
  readonly #catalog: InstrumentCatalog;
  readonly #answers: OkxAnswers;
  readonly #symbols: SymbolTable<BookChannelState>;
  readonly #scanner: OkxScanner;
  readonly #states = new InstrumentStates<BookChannelState>((instrument) => {
    const state = { instrument, scales: new ScaleTracker(), bookChannel: undefined };
    this.#symbols.add(instrument, state);
    return state;
  });
  /** The last price of each index, which belongs to many instruments. */
  readonly #indexPrices = new Map<string, string>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#answers = new OkxAnswers(context.catalog);
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new OkxScanner({
      symbols: this.#symbols,
      stateOf: (instrument) => this.#states.of(instrument),
      isHistory: (venueChannel, instrument, venueTimeUs) =>
        this.#answers.isHistory(venueChannel, instrument, venueTimeUs),
    });
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(message: JsonRecord | typeof PONG, receivedTimeUs: number, emit: Emit): void {
    if (message === PONG) return heartbeat(emit);
    if (message["event"] !== undefined) return this.#answers.read(message, receivedTimeUs, emit);
    const { arg: argument, data, action } = message;
    if (!isRecord(argument) || !Array.isArray(data)) return reject(emit, "unknown-message");
    const { channel: venueChannel, instId } = argument;
    if (typeof venueChannel !== "string") return reject(emit, "unknown-message");
    const channel = channelOfOkx(venueChannel);
    if (channel === undefined) return this.#others(data, venueChannel, emit);
    const told = { venueChannel, channel, action };
    for (const item of data as readonly unknown[]) {
      // Books do not repeat the name in each item, liquidations have it only there.
      const named = instId ?? (isRecord(item) ? item["instId"] : undefined);
      const instrument = lookUpInstrument(this.#catalog, named, emit);
      if (instrument === undefined) continue;
      const reason = this.#read(item, told, instrument, receivedTimeUs, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
    }
  }

  /**
   * The numbers of a book would show the hole with the next message, which may take a minute: what
   * the frame was about is looked for in what is left of it.
   */
  damaged(text: string, emit: Emit): void {
    const instrument = this.#catalog.byVenueSymbol(instIdIn(text) ?? "");
    rejectDamaged(emit, instrument, channelOfOkx(channelIn(text) ?? ""));
  }

  answer(
    body: unknown,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (kind !== "trades") return "unknown-message";
    const trades = okxDataOf(body);
    if (trades === undefined) return "missing-field";
    for (const trade of oldestFirst(trades, "newest", orderOfTrade)) {
      const reason = this.#read(trade, LISTED_TRADES, instrument, receivedTimeUs, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
    }
    return undefined;
  }

  #read(
    item: unknown,
    told: Told,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const { venueChannel, channel } = told;
    if (channel === "candles") {
      const intervalMs = okxCandleIntervalMs(venueChannel) ?? 0;
      const subject = { instrument, venueTimeUs: undefined, receivedTimeUs, intervalMs };
      return readOkxCandle(item, subject, emit);
    }
    if (!isRecord(item)) return "missing-field";
    const venueTimeUs = epochTimeUs(item["ts"]);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    switch (channel) {
      case "trades":
        return this.#trade(item, subject, venueChannel, emit);
      case "quotes":
        return this.#quote(item, subject, emit);
      case "book":
        return this.#book(item, subject, told, emit);
      case "ticker":
        return readOkxTicker(item, subject, emit);
      case "funding":
        return readOkxFunding(item, subject, emit);
      case "mark-price":
        return this.#markPrice(item, subject, emit);
      case "open-interest":
        return readOkxOpenInterest(item, subject, emit);
      case "liquidations":
        return readOkxLiquidation(item, subject, emit);
    }
  }

  #book(
    item: JsonRecord,
    subject: EventSubject,
    { venueChannel, action }: Told,
    emit: Emit,
  ): RejectReason | undefined {
    const { bids, asks, seqId: lastUpdateId, prevSeqId, checksum } = item;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    // Recordings from before 2023 have no numbers at all.
    if (lastUpdateId !== undefined && !isUpdateId(lastUpdateId)) return "missing-field";
    if (prevSeqId !== undefined && !isUpdateId(prevSeqId)) return "missing-field";
    if (checksum !== undefined && !isUpdateId(checksum)) return "missing-field";
    // The channel of five levels always sends all of them.
    const snapshot = venueChannel === "books5" || action === "snapshot";
    if (!snapshot && action !== "update") return "missing-field";
    if (!this.#isBookOf(subject.instrument, venueChannel, snapshot)) {
      heartbeat(emit);
      return undefined;
    }
    const { scales } = this.#states.of(subject.instrument);
    const columns = scales.book(bids, asks);
    if (typeof columns === "string") return columns;
    const form = {
      snapshot,
      lastUpdateId,
      previousUpdateId: snapshot ? undefined : prevSeqId,
      // Always 0 since the venue gave checksums up.
      checksum: checksum === 0 ? undefined : checksum,
    };
    emit(bookEvent(subject, scales, columns, form));
    return undefined;
  }

  /**
   * True for the first channel that told of a book: mixed with another, numbers would not follow
   * each other. Five levels give way to more.
   */
  #isBookOf(instrument: Instrument, venueChannel: string, snapshot: boolean): boolean {
    const state = this.#states.of(instrument);
    const known = state.bookChannel;
    if (known === venueChannel) return true;
    if (known !== undefined && (known !== "books5" || !snapshot)) return false;
    state.bookChannel = venueChannel;
    return true;
  }

  /** The side is the taker's. */
  #trade(
    item: JsonRecord,
    subject: EventSubject,
    venueChannel: string,
    emit: Emit,
  ): RejectReason | undefined {
    const { instrument, venueTimeUs } = subject;
    const { tradeId } = item;
    const aggressorSide = takerSide<unknown>(item["side"], OKX_SIDES);
    if (aggressorSide === undefined || typeof tradeId !== "string") return "missing-field";
    const { px: price, sz: size } = item;
    const form = { price, size, aggressorSide, tradeId, historical: false };
    const event = tradeEvent(subject, this.#states.of(instrument).scales, form);
    if (typeof event === "string") return event;
    const historical = this.#answers.isHistory(venueChannel, instrument, venueTimeUs);
    emit(historical ? { ...event, historical } : event);
    return undefined;
  }

  #quote(item: JsonRecord, subject: EventSubject, emit: Emit): RejectReason | undefined {
    const { bids, asks } = item;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    const bid = bestOf(bids);
    const ask = bestOf(asks);
    if (bid === undefined || ask === undefined) return "missing-field";
    const event = quoteEvent(subject, this.#states.of(subject.instrument).scales, bid, ask);
    if (typeof event === "string") return event;
    emit(event);
    return undefined;
  }

  #markPrice(item: JsonRecord, subject: EventSubject, emit: Emit): RejectReason | undefined {
    const markPrice = decimalText(item["markPx"]);
    if (markPrice === undefined) return "bad-decimal";
    const { base, quote } = subject.instrument;
    const indexPrice = this.#indexPrices.get(`${base}-${quote}`);
    emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
    return undefined;
  }

  /** What is no event by itself. */
  #others(items: readonly unknown[], venueChannel: string, emit: Emit): void {
    if (venueChannel === "instruments") return this.#instruments(items, emit);
    if (venueChannel === "status") return readOkxStatuses(items, emit);
    const isKnown = NOT_PUBLISHED_BY_OKX.test(venueChannel);
    for (const item of items) {
      if (venueChannel === "index-tickers") this.#index(item, emit);
      else if (isKnown) heartbeat(emit);
      else reject(emit, "unknown-message");
    }
  }

  #instruments(items: readonly unknown[], emit: Emit): void {
    const said = items.filter(isRecord).map((item) => {
      return { venueSymbol: item["instId"], said: stateOfWord(OKX_STATES, item["state"]) };
    });
    emitStates(said, this.#catalog, emit);
  }

  /** Kept for the mark prices that follow: the venue tells of both on channels of their own. */
  #index(item: unknown, emit: Emit): void {
    const { instId, idxPx } = isRecord(item) ? item : {};
    const price = decimalText(idxPx);
    if (typeof instId !== "string" || price === undefined) return reject(emit, "missing-field");
    if (this.#indexPrices.size < INDEXES_MAX || this.#indexPrices.has(instId)) {
      this.#indexPrices.set(instId, price);
    }
    heartbeat(emit);
  }
}

/** The best level of a side; without texts where the side is empty, undefined if it is none. */
function bestOf(levels: readonly unknown[]): { price: unknown; size: unknown } | undefined {
  const [best] = levels;
  if (best === undefined) return { price: undefined, size: undefined };
  if (!Array.isArray(best)) return undefined;
  const [price, size] = best as readonly unknown[];
  return { price, size };
}

function orderOfTrade(trade: unknown): TradeOrder {
  return isRecord(trade) ? { id: textOf(trade["tradeId"]) } : {};
}
