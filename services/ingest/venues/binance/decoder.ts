import type { Channel, Instrument } from "#core/instrument.ts";
import type { AggressorSide } from "#core/market-event.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { partialBookSymbol, readPartialBook } from "./book.ts";
import {
  decimal,
  INTERVALS_MS,
  isObject,
  isUpdateId,
  NOT_PUBLISHED,
  optionalTimeUs,
  parseJson,
  type Payload,
  positive,
  timeUs,
  tradeIdText,
  venueSymbolOfStream,
} from "./fields.ts";
import {
  type BinanceRestAddress,
  decodeDepthSnapshot,
  decodeOpenInterest,
  decodeTradesList,
} from "./rest.ts";
import { readTickerValues } from "../../reading/event-values.ts";
import { isNotMantissa, ScaleTracker } from "../../reading/scale-tracker.ts";

/** In what the messages of the family's venues differ. */
export type BinanceDialect = {
  /** The field that says when the book changed. Spot gives only its event time. */
  readonly depthTimeField: "E" | "T";
  /**
   * The channels that a stream such as `btcusdt@markPrice@1s` carries; empty if it is not
   * subscribed to.
   */
  channelsOfStream(stream: string): readonly Channel[];
  /** True where `q` is the volume in the quote asset; at COIN-M it is that in the base asset. */
  readonly countsQuote: boolean;
  /** What a REST address is about; undefined for one that is none of ours. */
  restAddress(url: string): BinanceRestAddress | undefined;
};

/** Takes what a decoder makes. */
export type Emit = (event: FeedEvent) => void;

/** What the decoder remembers of one instrument. */
export type InstrumentState = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** `trade` or `aggTrade`, whichever spoke first: both tell of the same trades. */
  tradeStream: string | undefined;
  /** The same for a book by changes and one by its best levels. */
  bookStream: "changes" | "best-levels" | undefined;
};

/**
 * Requests whose answers have not come; beyond it the oldest is forgotten and its answer is a
 * heartbeat.
 */
export const PENDING_REQUESTS_MAX = 256;

const utf8 = new TextDecoder();

/**
 * Decodes the streams of Binance spot and USDⓈ-M, combined (`{"stream","data"}`) or raw. Times are
 * taken from the field nearest to the matching engine: a trade's `T`, a book's `depthTimeField`,
 * else `E`. Milliseconds and microseconds (`timeUnit=microsecond`) are told apart by magnitude.
 */
export class BinanceDecoder implements FeedDecoder {
  readonly #dialect: BinanceDialect;
  readonly #context: FeedDecoderContext;
  readonly #states = new Map<Instrument, InstrumentState>();
  readonly #pending = new Map<number, readonly string[]>();
  /** The frame under way, for what JSON.parse has rounded. */
  #frame = "";
  /** The symbol of the frame under way if its stream sends the best levels of a book, whole. */
  #partialSymbol: string | undefined;

  constructor(dialect: BinanceDialect, context: FeedDecoderContext) {
    this.#dialect = dialect;
    this.#context = context;
  }

  sent(frame: string): void {
    const request = parseJson(frame) as
      | { method?: unknown; params?: unknown; id?: unknown }
      | undefined
      | null;
    if (request?.method !== "SUBSCRIBE" || typeof request.id !== "number") return;
    if (!Array.isArray(request.params)) return;
    if (this.#pending.size >= PENDING_REQUESTS_MAX) {
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest);
        break;
      }
    }
    this.#pending.set(request.id, request.params.map(String));
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    this.#frame = typeof frame === "string" ? frame : utf8.decode(frame);
    const message = parseJson(this.#frame);
    if (message === undefined) return reject(emit, "bad-json");
    if (!isObject(message)) return reject(emit, "unknown-message");
    const payload = message.data === undefined ? message : message.data;
    this.#partialSymbol = partialBookSymbol(message, this.#context.url);
    if (Array.isArray(payload) && payload.length > 0) {
      // The all-market streams (`!markPrice@arr`) send one array for all symbols.
      for (const item of payload) this.#payload(item, receivedTimeUs, emit);
      return;
    }
    this.#payload(payload, receivedTimeUs, emit);
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const address = this.#dialect.restAddress(response.url);
    if (address === undefined) return reject(emit, "unknown-message");
    const state = this.#stateOf(address.venueSymbol);
    if (state === undefined) return reject(emit, "unknown-instrument");
    const context = { state, receivedTimeUs, emit };
    switch (address.kind) {
      case "depth":
        return decodeDepthSnapshot(response, context);
      case "trades":
        return decodeTradesList(response, context);
      case "open-interest":
        return decodeOpenInterest(response, context);
    }
  }

  #payload(payload: unknown, receivedTimeUs: number, emit: Emit): void {
    if (!isObject(payload)) return reject(emit, "unknown-message");
    if (this.#partialSymbol !== undefined && (payload.bids ?? payload.b) !== undefined) {
      return this.#partialBook(this.#partialSymbol, payload, receivedTimeUs, emit);
    }
    switch (payload.e) {
      case "bookTicker":
        return this.#quote(payload, receivedTimeUs, emit);
      case "trade":
      case "aggTrade":
        return this.#trade(payload, receivedTimeUs, emit);
      case "depthUpdate":
        return this.#depth(payload, receivedTimeUs, emit);
      case "kline":
        return this.#candle(payload, receivedTimeUs, emit);
      case "24hrTicker":
        return this.#ticker(payload, receivedTimeUs, emit);
      case "markPriceUpdate":
        return this.#markPrice(payload, receivedTimeUs, emit);
      case "forceOrder":
        return this.#liquidation(payload, receivedTimeUs, emit);
      case "serverShutdown":
        return emit({ kind: "reconnect-requested", reason: "server-shutdown" });
      default:
        return this.#unnamed(payload, receivedTimeUs, emit);
    }
  }

  /** Spot's bookTicker has no `e`; neither have the answers to requests. */
  #unnamed(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    if (payload.e === undefined && payload.u !== undefined && payload.A !== undefined) {
      return this.#quote(payload, receivedTimeUs, emit);
    }
    if (payload.error !== undefined || (payload.code !== undefined && payload.msg !== undefined)) {
      return this.#refused(payload, emit);
    }
    if (payload.result === null && payload.id !== undefined)
      return this.#acknowledged(payload, emit);
    // Answers to questions, such as which streams there are.
    const isAnswer = payload.result !== undefined && payload.id !== undefined;
    if (isAnswer || NOT_PUBLISHED.has(payload.e)) return emit({ kind: "heartbeat" });
    reject(emit, "unknown-message");
  }

  #acknowledged(payload: Payload, emit: Emit): void {
    const streams = this.#takePending(payload.id);
    if (streams.length === 0) return emit({ kind: "heartbeat" });
    for (const stream of streams) {
      for (const channel of this.#dialect.channelsOfStream(stream)) {
        emit({ kind: "subscribed", venueSymbol: venueSymbolOfStream(stream), channel });
      }
    }
  }

  /** Binance refuses a request as a whole. */
  #refused(payload: Payload, emit: Emit): void {
    const error = isObject(payload.error) ? payload.error : payload;
    const reason = typeof error.msg === "string" ? error.msg : `code ${String(error.code)}`;
    const streams = this.#takePending(payload.id);
    if (streams.length === 0) {
      return emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const stream of streams) {
      for (const channel of this.#dialect.channelsOfStream(stream)) {
        emit({ kind: "refused", venueSymbol: venueSymbolOfStream(stream), channel, reason });
      }
    }
  }

  #takePending(id: unknown): readonly string[] {
    if (typeof id !== "number") return [];
    const streams = this.#pending.get(id) ?? [];
    this.#pending.delete(id);
    return streams;
  }

  #quote(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const state = this.#stateOf(payload.s);
    if (state === undefined) return rejectSymbol(emit, payload.s);
    const venueTimeUs = optionalTimeUs(payload.T ?? payload.E);
    if (Number.isNaN(venueTimeUs)) return spoilt(emit, "bad-time", state, "quotes");
    const scales = state.scales;
    let bidPriceMantissa = scales.price(payload.b);
    let bidSizeMantissa = scales.size(payload.B);
    const { priceScale, sizeScale } = scales;
    const askPriceMantissa = scales.price(payload.a);
    const askSizeMantissa = scales.size(payload.A);
    if (
      isNotMantissa(bidPriceMantissa) ||
      isNotMantissa(bidSizeMantissa) ||
      isNotMantissa(askPriceMantissa) ||
      isNotMantissa(askSizeMantissa)
    ) {
      return spoilt(emit, "bad-decimal", state, "quotes");
    }
    // The ask was finer than everything before it: the bid has to be at the new scale, too.
    if (scales.priceScale !== priceScale) bidPriceMantissa = scales.price(payload.b);
    if (scales.sizeScale !== sizeScale) bidSizeMantissa = scales.size(payload.B);
    emit({
      kind: "quote",
      instrument: state.instrument,
      venueTimeUs,
      receivedTimeUs,
      priceScale: scales.priceScale,
      sizeScale: scales.sizeScale,
      bidPriceMantissa,
      bidSizeMantissa,
      askPriceMantissa,
      askSizeMantissa,
    });
  }

  #trade(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const state = this.#stateOf(payload.s);
    if (state === undefined) return rejectSymbol(emit, payload.s);
    const stream = payload.e as string;
    state.tradeStream ??= stream;
    // A capture may hold both streams; the second tells of the same trades again, under other ids.
    if (state.tradeStream !== stream) return emit({ kind: "heartbeat" });
    const field = stream === "trade" ? "t" : "a";
    const tradeId = tradeIdText(payload[field], { field, frame: this.#frame });
    if (tradeId === undefined || typeof payload.m !== "boolean")
      return spoilt(emit, "missing-field", state, "trades");
    if (payload.T === undefined) return spoilt(emit, "missing-field", state, "trades");
    const venueTimeUs = timeUs(payload.T);
    if (Number.isNaN(venueTimeUs)) return spoilt(emit, "bad-time", state, "trades");
    const scales = state.scales;
    const priceMantissa = scales.price(payload.p);
    const sizeMantissa = scales.size(payload.q);
    if (isNotMantissa(priceMantissa) || isNotMantissa(sizeMantissa)) {
      return spoilt(emit, "bad-decimal", state, "trades");
    }
    emit({
      kind: "trade",
      instrument: state.instrument,
      venueTimeUs,
      receivedTimeUs,
      priceMantissa,
      priceScale: scales.priceScale,
      sizeMantissa,
      sizeScale: scales.sizeScale,
      aggressorSide: aggressorSideOf(payload),
      tradeId,
      historical: false,
    });
  }

  #depth(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const state = this.#stateOf(payload.s);
    if (state === undefined) return rejectSymbol(emit, payload.s);
    // Both streams of one book on one connection: the other is about the same levels again.
    if ((state.bookStream ??= "changes") !== "changes") return emit({ kind: "heartbeat" });
    const { U: firstUpdateId, u: lastUpdateId, pu: previousUpdateId, b: bids, a: asks } = payload;
    if (!isUpdateId(firstUpdateId) || !isUpdateId(lastUpdateId)) {
      return spoilt(emit, "missing-field", state, "book");
    }
    if (previousUpdateId !== undefined && !isUpdateId(previousUpdateId)) {
      return spoilt(emit, "missing-field", state, "book");
    }
    if (!Array.isArray(bids) || !Array.isArray(asks))
      return spoilt(emit, "missing-field", state, "book");
    const venueTimeUs = optionalTimeUs(payload[this.#dialect.depthTimeField] ?? payload.E);
    if (Number.isNaN(venueTimeUs)) return spoilt(emit, "bad-time", state, "book");
    const columns = state.scales.book(bids, asks);
    if (typeof columns === "string") return spoilt(emit, columns, state, "book");
    emit({
      kind: "raw-book",
      instrument: state.instrument,
      venueTimeUs,
      receivedTimeUs,
      snapshot: false,
      source: "in-band",
      firstUpdateId,
      lastUpdateId,
      previousUpdateId,
      checksum: undefined,
      priceScale: state.scales.priceScale,
      sizeScale: state.scales.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
  }

  #partialBook(symbol: string, payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const state = this.#stateOf(symbol);
    if (state === undefined) return rejectSymbol(emit, symbol);
    if ((state.bookStream ??= "best-levels") !== "best-levels") {
      return emit({ kind: "heartbeat" });
    }
    const timeField = this.#dialect.depthTimeField;
    const book = readPartialBook(payload, { state, receivedTimeUs, timeField });
    if (typeof book === "string") return spoilt(emit, book, state, "book");
    emit(book);
  }

  #candle(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const state = this.#stateOf(payload.s);
    if (state === undefined) return rejectSymbol(emit, payload.s);
    const candle = payload.k;
    if (!isObject(candle)) return spoilt(emit, "missing-field", state, "candles");
    // A calendar month has no fixed length.
    if (candle.i === "1M") return emit({ kind: "heartbeat" });
    const intervalMs = typeof candle.i === "string" ? INTERVALS_MS[candle.i] : undefined;
    if (intervalMs === undefined || typeof candle.x !== "boolean") {
      return spoilt(emit, "missing-field", state, "candles");
    }
    const openTimeUs = timeUs(candle.t);
    const venueTimeUs = optionalTimeUs(payload.E);
    if (Number.isNaN(openTimeUs) || Number.isNaN(venueTimeUs))
      return spoilt(emit, "bad-time", state, "candles");
    const open = decimal(candle.o);
    const high = decimal(candle.h);
    const low = decimal(candle.l);
    const close = decimal(candle.c);
    const volume = decimal(candle.v);
    if (
      open === undefined ||
      high === undefined ||
      low === undefined ||
      close === undefined ||
      volume === undefined
    ) {
      return spoilt(emit, "bad-decimal", state, "candles");
    }
    emit({
      kind: "candle",
      instrument: state.instrument,
      venueTimeUs,
      receivedTimeUs,
      intervalMs,
      openTimeUs,
      open,
      high,
      low,
      close,
      volume,
      quoteVolume: this.#dialect.countsQuote ? decimal(candle.q) : undefined,
      tradeCount: isUpdateId(candle.n) ? candle.n : undefined,
      closed: candle.x,
    });
  }

  #ticker(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const state = this.#stateOf(payload.s);
    if (state === undefined) return rejectSymbol(emit, payload.s);
    const venueTimeUs = optionalTimeUs(payload.E);
    if (Number.isNaN(venueTimeUs)) return spoilt(emit, "bad-time", state, "ticker");
    const ticker = readTickerValues({
      lastPrice: payload.c,
      lastSize: payload.Q,
      openPrice: payload.o,
      highPrice: payload.h,
      lowPrice: payload.l,
      volume: payload.v,
      quoteVolume: this.#dialect.countsQuote ? payload.q : undefined,
      // Futures tickers have no best prices.
      bidPrice: payload.b,
      askPrice: payload.a,
    });
    if (typeof ticker === "string") return spoilt(emit, ticker, state, "ticker");
    if (ticker.lastPrice === undefined) return spoilt(emit, "missing-field", state, "ticker");
    emit({ kind: "ticker", instrument: state.instrument, venueTimeUs, receivedTimeUs, ...ticker });
  }

  /** One message is both a mark price and, for perpetuals, the funding to come. */
  #markPrice(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const state = this.#stateOf(payload.s);
    if (state === undefined) return rejectSymbol(emit, payload.s);
    const venueTimeUs = optionalTimeUs(payload.E);
    if (Number.isNaN(venueTimeUs)) return spoilt(emit, "bad-time", state, "mark-price");
    const markPrice = decimal(payload.p);
    if (markPrice === undefined) return spoilt(emit, "bad-decimal", state, "mark-price");
    const { instrument } = state;
    const indexPrice = decimal(payload.i);
    emit({ kind: "mark-price", instrument, venueTimeUs, receivedTimeUs, markPrice, indexPrice });
    // Dated futures have no funding: the rate is empty and the next time is 0.
    if (payload.r === undefined || payload.r === "" || payload.T === 0) return;
    const rate = decimal(payload.r);
    if (rate === undefined) return spoilt(emit, "bad-decimal", state, "mark-price");
    const nextFundingTimeUs = optionalTimeUs(payload.T);
    if (Number.isNaN(nextFundingTimeUs)) return spoilt(emit, "bad-time", state, "mark-price");
    const intervalMs = undefined;
    emit({
      kind: "funding",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      rate,
      nextFundingTimeUs,
      intervalMs,
    });
  }

  /**
   * What was executed, at its average price; the order's own price and quantity (the bankruptcy
   * price, and all that was to be liquidated) only where nothing is said to be executed.
   */
  #liquidation(payload: Payload, receivedTimeUs: number, emit: Emit): void {
    const order = payload.o;
    if (!isObject(order)) return reject(emit, "missing-field");
    const state = this.#stateOf(order.s);
    if (state === undefined) return rejectSymbol(emit, order.s);
    if (order.S !== "BUY" && order.S !== "SELL")
      return spoilt(emit, "missing-field", state, "liquidations");
    const venueTimeUs = optionalTimeUs(order.T ?? payload.E);
    if (Number.isNaN(venueTimeUs)) return spoilt(emit, "bad-time", state, "liquidations");
    const price = positive(decimal(order.ap)) ?? decimal(order.p);
    const size = positive(decimal(order.z)) ?? decimal(order.q);
    if (price === undefined || size === undefined)
      return spoilt(emit, "bad-decimal", state, "liquidations");
    emit({
      kind: "liquidation",
      instrument: state.instrument,
      venueTimeUs,
      receivedTimeUs,
      price,
      size,
      aggressorSide: order.S === "BUY" ? "buyer" : "seller",
      liquidationId: undefined,
    });
  }

  #stateOf(venueSymbol: unknown): InstrumentState | undefined {
    if (typeof venueSymbol !== "string") return undefined;
    const instrument = this.#context.catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return undefined;
    let state = this.#states.get(instrument);
    if (state === undefined) {
      state = {
        instrument,
        scales: new ScaleTracker(),
        tradeStream: undefined,
        bookStream: undefined,
      };
      this.#states.set(instrument, state);
    }
    return state;
  }
}

/**
 * `m` says that the buyer was the maker, so the seller took. USDⓈ-M also prints trades that nobody
 * took from the book (`X`: INSURANCE_FUND, ADL, NA): those have no aggressor.
 */
function aggressorSideOf(payload: Payload): AggressorSide {
  if (payload.X !== undefined && payload.X !== "MARKET") return "none";
  return payload.m === true ? "seller" : "buyer";
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

/** Says also what was lost, so that a book can be started anew. */
function spoilt(emit: Emit, reason: RejectReason, state: InstrumentState, channel: Channel): void {
  emit({ kind: "rejected", reason, instrument: state.instrument, channel });
}

function rejectSymbol(emit: Emit, venueSymbol: unknown): void {
  reject(emit, typeof venueSymbol === "string" ? "unknown-instrument" : "missing-field");
}
