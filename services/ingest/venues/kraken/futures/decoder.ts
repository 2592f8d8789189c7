// https://docs.kraken.com/api/docs/futures-api/websocket/book
// https://docs.kraken.com/api/docs/futures-api/websocket/trade
// https://docs.kraken.com/api/docs/futures-api/websocket/ticker
import type { Mantissa } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { JsonKind, JsonTape, MISSING } from "#core/json-tape.ts";
import { asJsonObject } from "#core/json-text.ts";
import type { LevelColumns } from "#core/market-event.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../../feed/feed-adapter.ts";
import {
  readQuoteValues,
  readTickerValues,
  readTradeValues,
  textOfFrame,
} from "../../../reading/event-values.ts";
import { channelsOfFeed, KrakenFuturesAnswers } from "./answers.ts";
import { streamSymbolOf } from "./instruments.ts";
import { type BookColumns, isNotMantissa, ScaleTracker } from "../../../reading/scale-tracker.ts";
import { decimalText, millisecondsTimeUs } from "../../../reading/text-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** Perpetuals are charged by the hour. */
const FUNDING_INTERVAL_MS = 3_600_000;

/**
 * Trades in a row without a hole in their numbers before a hole is taken for a lost trade. Public
 * examples of `trade_snapshot` have none, but the venue nowhere promises it.
 */
export const TRADES_IN_ROW_MIN = 16;

type InstrumentState = {
  readonly book: ScaleTracker;
  readonly ticks: ScaleTracker;
  /** Of the last live trade. */
  lastTradeSequence: number | undefined;
  /** Of the trade before, while a list of them is read. */
  lastListedSequence: number | undefined;
  /** Trades up to the last whose numbers follow each other. */
  tradesInRow: number;
};

/** The event under way. */
type Common = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

/** Decodes one connection. Numbers keep the text that the venue wrote. */
export class KrakenFuturesDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #tape = new JsonTape();
  readonly #states = new Map<Instrument, InstrumentState>();
  readonly #answers = new KrakenFuturesAnswers();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    if (this.#tape.scan(frame)) this.#answers.sent(asJsonObject(this.#tape.value(0)));
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const text = textOfFrame(frame);
    if (!tape.scan(text)) return this.#rejectDamaged(text, emit);
    if (!tape.isObject(0)) return reject(emit, "unknown-message");
    if (tape.get(0, "event") !== MISSING) {
      return this.#answers.read(asJsonObject(tape.value(0)) ?? {}, emit);
    }
    switch (tape.text(tape.get(0, "feed")) ?? "") {
      case "book":
      case "book_snapshot":
        return this.#message("book", tape.get(0, "timestamp"), receivedTimeUs, emit);
      case "trade":
        return this.#message("trades", tape.get(0, "time"), receivedTimeUs, emit);
      case "ticker":
        return this.#message("ticker", tape.get(0, "time"), receivedTimeUs, emit);
      case "trade_snapshot":
        return this.#trades(receivedTimeUs, emit);
      // The smaller one has nothing that the other has not, and is never asked for.
      case "heartbeat":
      case "ticker_lite":
        return emit({ kind: "heartbeat" });
      default:
        return reject(emit, "unknown-message");
    }
  }

  /** Recent trades, newest first. */
  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const product = /\/v3\/history\?(?:.*&)?symbol=([^&#]+)/.exec(response.url)?.[1];
    if (product === undefined) return reject(emit, "unknown-message");
    const tape = this.#tape;
    if (!tape.scan(response.body)) return reject(emit, "bad-json");
    const instrument = this.#catalog.byVenueSymbol(streamSymbolOf(decodedUri(product)));
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const history = tape.get(0, "history");
    if (!tape.isArray(history)) return reject(emit, "missing-field");
    for (const item of this.#elements(history).toReversed()) {
      const venueTimeUs = parseIsoTimeUs(tape.text(tape.get(item, "time")));
      const common = { instrument, venueTimeUs, receivedTimeUs };
      const reason = isBadTime(venueTimeUs)
        ? "bad-time"
        : this.#trade(item, common, { size: "size", historical: true }, emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "trades" });
    }
  }

  /**
   * The next number shows what a damaged change cost, but nothing may follow a damaged snapshot:
   * what can be read of the frame says at once whose it was.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const feed = /"feed"\s*:\s*"([a-z_]+)"/.exec(text)?.[1];
    const product = /"product_id"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const instrument = product === undefined ? undefined : this.#catalog.byVenueSymbol(product);
    const [channel] = channelsOfFeed((feed ?? "").replace(/_snapshot$/, ""));
    if (instrument === undefined || channel === undefined) return reject(emit, "bad-json");
    emit({ kind: "rejected", reason: "bad-json", instrument, channel });
  }

  /** A message about one contract. */
  #message(
    channel: "book" | "trades" | "ticker",
    time: number,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const tape = this.#tape;
    const product = tape.text(tape.get(0, "product_id"));
    if (product === undefined) return reject(emit, "missing-field");
    const instrument = this.#catalog.byVenueSymbol(product);
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const venueTimeUs = this.#timeUs(time);
    const reason = isBadTime(venueTimeUs)
      ? "bad-time"
      : this.#read(channel, { instrument, venueTimeUs, receivedTimeUs }, emit);
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
  }

  #read(
    channel: "book" | "trades" | "ticker",
    common: Common,
    emit: Emit,
  ): RejectReason | undefined {
    switch (channel) {
      case "book":
        return this.#tape.equals(this.#tape.get(0, "feed"), "book")
          ? this.#change(common, emit)
          : this.#snapshot(common, emit);
      case "trades":
        return this.#liveTrade(common, emit);
      case "ticker":
        return this.#ticker(common, emit);
    }
  }

  /** One level. The venue has been seen to write a negative size for one that is gone. */
  #change(common: Common, emit: Emit): RejectReason | undefined {
    const tape = this.#tape;
    const sequence = this.#sequenceOf(0);
    const sideText = tape.get(0, "side");
    const isBid = tape.equals(sideText, "buy");
    if (sequence === undefined) return "missing-field";
    if (!isBid && !tape.equals(sideText, "sell")) return "missing-field";
    const scales = this.#stateOf(common.instrument).book;
    const price = scales.priceAt(tape, tape.get(0, "price"));
    const size = scales.sizeAt(tape, tape.get(0, "qty"));
    if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
    if (price <= 0) return "non-positive-price";
    const side = { prices: [price], sizes: [size > 0 ? size : 0] };
    emitBook(common, { snapshot: false, sequence, scales }, emit, {
      bids: isBid ? side : EMPTY_SIDE,
      asks: isBid ? EMPTY_SIDE : side,
    });
    return undefined;
  }

  #snapshot(common: Common, emit: Emit): RejectReason | undefined {
    const sequence = this.#sequenceOf(0);
    if (sequence === undefined) return "missing-field";
    const scales = this.#stateOf(common.instrument).book;
    const { priceScale, sizeScale } = scales;
    let sides = this.#sides(scales);
    // A level finer than those before it raised the scale in the middle of the message.
    const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
    if (grew && typeof sides !== "string") sides = this.#sides(scales);
    if (typeof sides === "string") return sides;
    emitBook(common, { snapshot: true, sequence, scales }, emit, sides);
    return undefined;
  }

  #sides(scales: ScaleTracker): BookColumns | RejectReason {
    const bids = this.#levels(this.#tape.get(0, "bids"), scales);
    if (typeof bids === "string") return bids;
    const asks = this.#levels(this.#tape.get(0, "asks"), scales);
    return typeof asks === "string" ? asks : { bids, asks };
  }

  /** Snapshots may list prices without any size; they are no levels. */
  #levels(side: number, scales: ScaleTracker): LevelColumns | RejectReason {
    const tape = this.#tape;
    if (!tape.isArray(side)) return "missing-field";
    const prices: Mantissa[] = [];
    const sizes: Mantissa[] = [];
    for (let level = tape.first(side); level !== MISSING; level = tape.next(level)) {
      if (!tape.isObject(level)) return "missing-field";
      const price = scales.priceAt(tape, tape.get(level, "price"));
      const size = scales.sizeAt(tape, tape.get(level, "qty"));
      if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
      if (price <= 0) return "non-positive-price";
      if (size <= 0) continue;
      prices.push(price);
      sizes.push(size);
    }
    return { prices, sizes };
  }

  #liveTrade(common: Common, emit: Emit): RejectReason | undefined {
    const { instrument } = common;
    const state = this.#stateOf(instrument);
    const sequence = this.#sequenceOf(0);
    const last = state.lastTradeSequence;
    if (sequence !== undefined && sequence !== last) {
      if (last !== undefined && sequence > last + 1 && state.tradesInRow >= TRADES_IN_ROW_MIN) {
        emit({ kind: "rejected", reason: "missing-data", instrument, channel: "trades" });
      }
      if (last !== undefined) state.tradesInRow = sequence === last + 1 ? state.tradesInRow + 1 : 0;
      state.lastTradeSequence = sequence;
    }
    return this.#trade(0, common, { size: "qty", historical: false }, emit);
  }

  /** The newest come first. What comes live may begin anywhere behind them. */
  #trades(receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const list = tape.get(0, "trades");
    if (!tape.isArray(list)) return reject(emit, "missing-field");
    for (const node of this.#elements(list).toReversed()) {
      const named = tape.get(node, "product_id") === MISSING ? 0 : node;
      const product = tape.text(tape.get(named, "product_id"));
      const instrument = product === undefined ? undefined : this.#catalog.byVenueSymbol(product);
      if (instrument === undefined) {
        reject(emit, product === undefined ? "missing-field" : "unknown-instrument");
        continue;
      }
      this.#countInRow(this.#stateOf(instrument), this.#sequenceOf(node));
      const venueTimeUs = this.#timeUs(tape.get(node, "time"));
      const common = { instrument, venueTimeUs, receivedTimeUs };
      const reason = isBadTime(venueTimeUs)
        ? "bad-time"
        : this.#trade(node, common, { size: "qty", historical: true }, emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "trades" });
    }
    for (const state of this.#states.values()) state.lastListedSequence = undefined;
  }

  #countInRow(state: InstrumentState, sequence: number | undefined): void {
    const last = state.lastListedSequence;
    state.lastListedSequence = sequence;
    state.lastTradeSequence = undefined;
    if (sequence === undefined || last === undefined) return;
    state.tradesInRow = sequence === last + 1 ? state.tradesInRow + 1 : 0;
  }

  /** One execution; that of a liquidation is told of as both. The side is the taker's. */
  #trade(
    node: number,
    common: Common,
    form: { readonly size: "qty" | "size"; readonly historical: boolean },
    emit: Emit,
  ): RejectReason | undefined {
    const tape = this.#tape;
    const side = tape.get(node, "side");
    const isBuy = tape.equals(side, "buy");
    if (!isBuy && !tape.equals(side, "sell")) return "missing-field";
    const priceText = tape.text(tape.get(node, "price"));
    const sizeText = tape.text(tape.get(node, form.size));
    const values = readTradeValues(this.#stateOf(common.instrument).ticks, priceText, sizeText);
    if (typeof values === "string") return values;
    const uid = tape.text(tape.get(node, "uid"));
    const aggressorSide = isBuy ? "buyer" : "seller";
    const { historical } = form;
    emit({ kind: "trade", ...common, ...values, aggressorSide, tradeId: uid ?? "", historical });
    // An old liquidation is not told of again.
    if (historical || !tape.equals(tape.get(node, "type"), "liquidation")) return undefined;
    const price = decimalText(priceText);
    const size = decimalText(sizeText);
    if (price === undefined || size === undefined) return undefined;
    emit({ kind: "liquidation", ...common, aggressorSide, price, size, liquidationId: uid });
    return undefined;
  }

  #ticker(common: Common, emit: Emit): RejectReason | undefined {
    const bid = this.#field("bid");
    const ask = this.#field("ask");
    const ticker = readTickerValues({
      lastPrice: this.#field("last"),
      openPrice: this.#field("open"),
      highPrice: this.#field("high"),
      lowPrice: this.#field("low"),
      volume: this.#field("volume"),
      quoteVolume: this.#field("volumeQuote"),
      bidPrice: bid,
      askPrice: ask,
    });
    if (typeof ticker === "string") return ticker;
    const sizes = { bid: this.#field("bid_size"), ask: this.#field("ask_size") };
    if (sizes.bid !== undefined || sizes.ask !== undefined) {
      const quote = readQuoteValues(
        this.#stateOf(common.instrument).ticks,
        { price: bid, size: sizes.bid },
        { price: ask, size: sizes.ask },
      );
      if (typeof quote === "string") return quote;
      emit({ kind: "quote", ...common, ...quote });
    }
    emit({ kind: "ticker", ...common, ...ticker });
    return this.#contractValues(common, emit);
  }

  /** What a ticker says of the contract itself. */
  #contractValues(common: Common, emit: Emit): RejectReason | undefined {
    const [mark, open] = [this.#field("markPrice"), this.#field("openInterest")];
    // `funding_rate` is an amount for each contract; what others call so is the relative one.
    const relative = this.#field("relative_funding_rate");
    const markPrice = decimalText(mark);
    const openInterest = decimalText(open);
    const rate = decimalText(relative);
    if (isSpoilt(mark, markPrice) || isSpoilt(open, openInterest) || isSpoilt(relative, rate)) {
      return "bad-decimal";
    }
    const indexPrice = decimalText(this.#field("index"));
    if (markPrice !== undefined) emit({ kind: "mark-price", ...common, markPrice, indexPrice });
    if (openInterest !== undefined) {
      emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
    }
    if (rate === undefined || common.instrument.kind !== "perpetual") return undefined;
    const next = this.#field("next_funding_rate_time");
    const nextFundingTimeUs = next === "0" ? undefined : millisecondsTimeUs(next);
    if (isBadTime(nextFundingTimeUs)) return "bad-time";
    emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs: FUNDING_INTERVAL_MS });
    return undefined;
  }

  /** A field of the message as text; what is neither text nor number becomes no decimal. */
  #field(name: string): string | undefined {
    const node = this.#tape.get(0, name);
    const kind = this.#tape.kind(node);
    if (kind === JsonKind.Missing || kind === JsonKind.Null) return undefined;
    return this.#tape.text(node) ?? "";
  }

  #elements(list: number): number[] {
    const nodes: number[] = [];
    const tape = this.#tape;
    for (let node = tape.first(list); node !== MISSING; node = tape.next(node)) nodes.push(node);
    return nodes;
  }

  #timeUs(node: number): number | undefined {
    const tape = this.#tape;
    const isNumber = tape.kind(node) === JsonKind.Number;
    return millisecondsTimeUs(isNumber ? tape.number(node) : tape.text(node));
  }

  #sequenceOf(node: number): number | undefined {
    const sequence = this.#tape.number(this.#tape.get(node, "seq"));
    return Number.isSafeInteger(sequence) && sequence >= 0 ? sequence : undefined;
  }

  #stateOf(instrument: Instrument): InstrumentState {
    let state = this.#states.get(instrument);
    if (state === undefined) {
      state = {
        book: new ScaleTracker(),
        ticks: new ScaleTracker(),
        lastTradeSequence: undefined,
        lastListedSequence: undefined,
        tradesInRow: 0,
      };
      this.#states.set(instrument, state);
    }
    return state;
  }
}

const EMPTY_SIDE: LevelColumns = { prices: [], sizes: [] };

function emitBook(
  common: Common,
  head: {
    readonly snapshot: boolean;
    readonly sequence: number;
    readonly scales: ScaleTracker;
  },
  emit: Emit,
  { bids, asks }: BookColumns,
): void {
  emit({
    kind: "raw-book",
    instrument: common.instrument,
    venueTimeUs: common.venueTimeUs,
    receivedTimeUs: common.receivedTimeUs,
    snapshot: head.snapshot,
    source: "in-band",
    firstUpdateId: head.sequence,
    lastUpdateId: head.sequence,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: head.scales.priceScale,
    sizeScale: head.scales.sizeScale,
    bids,
    asks,
  });
}

function isSpoilt(given: string | undefined, text: string | undefined): boolean {
  return given !== undefined && text === undefined;
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

function decodedUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Damaged, and so the name of nothing.
    return text;
  }
}
