import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedDecoderContext, RejectReason, RestPurpose } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { decimalText, isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { BinanceAnswers } from "./answers.ts";
import { partialBookSymbol } from "./book.ts";
import {
  type BinanceSubject,
  type BinanceWriting,
  readBookChange,
  readCandle,
  readContract,
  readLiquidation,
  readMarkPrice,
  readQuote,
  readTicker,
  readTrade,
  readWholeBook,
} from "./readings.ts";
import { readOpenInterestAnswer, readTradesAnswer } from "./rest.ts";
import { type BinanceInstrumentState, BinanceScanner } from "./scanner.ts";

/** Indexes that are remembered; far more than the venue has. */
const INDEXES_MAX = 10_000;

/** In what the venues of the family differ on a connection. */
type BinanceDialect = BinanceWriting & {
  /**
   * The channels that a stream such as `btcusdt@markPrice@1s` carries; empty if it is not
   * subscribed to.
   */
  channelsOfStream(stream: string): readonly Channel[];
};

/** What a payload came in. */
type BinanceFrame = {
  readonly stream: unknown;
  readonly receivedTimeUs: number;
  readonly text: string;
};

/** What messages are read as: open interest comes by REST, and funding with the mark price. */
type ReadChannel = Exclude<Channel, "funding" | "open-interest" | "status" | "listings">;

/** What is published of the events that name themselves. */
const CHANNELS: ReadonlyMap<unknown, ReadChannel> = new Map<unknown, ReadChannel>([
  ["bookTicker", "quotes"],
  ["trade", "trades"],
  ["aggTrade", "trades"],
  ["depthUpdate", "book"],
  ["kline", "candles"],
  ["24hrTicker", "ticker"],
  ["markPriceUpdate", "mark-price"],
  ["forceOrder", "liquidations"],
]);

/** Public messages that say nothing of ours, or say in another way what is published already. */
const NOT_PUBLISHED: ReadonlySet<unknown> = new Set([
  ..."24hrMiniTicker 1hTicker 4hTicker 1dTicker avgPrice".split(" "),
  ..."compositeIndex assetIndexUpdate".split(" "),
  ..."continuous_kline indexPrice_kline markPrice_kline".split(" "),
]);

/**
 * Reads the streams of Binance, combined (`{"stream","data"}`) or raw. Milliseconds and
 * microseconds (`timeUnit=microsecond`) are told apart by magnitude.
 */
export class BinanceReader implements FrameReader<JsonRecord, unknown> {
  readonly #dialect: BinanceDialect;
  readonly #context: FeedDecoderContext;
  readonly #answers: BinanceAnswers;
  readonly #symbols: SymbolTable<BinanceInstrumentState>;
  readonly #scanner: BinanceScanner;
  readonly #states = new InstrumentStates<BinanceInstrumentState>((instrument) => {
    const scales = new ScaleTracker();
    const state = { instrument, scales, tradeStream: undefined, bookStream: undefined };
    this.#symbols.add(instrument, state);
    return state;
  });

  /** The last price of each pair's index, by the pair. */
  readonly #indexPrices = new Map<string, string>();

  constructor(dialect: BinanceDialect, context: FeedDecoderContext) {
    this.#dialect = dialect;
    this.#context = context;
    this.#answers = new BinanceAnswers((stream) => dialect.channelsOfStream(stream));
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new BinanceScanner(this.#symbols, context.catalog, dialect);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(message: JsonRecord, receivedTimeUs: number, emit: Emit, text: string): void {
    const { data: payload = message, stream } = message;
    const frame = { stream, receivedTimeUs, text };
    if (!Array.isArray(payload) || payload.length === 0) {
      this.#payload(payload, frame, emit);
      return;
    }
    // The all-market streams (`!markPrice@arr`) send one array for all symbols.
    for (const item of payload as readonly unknown[]) this.#payload(item, frame, emit);
  }

  /** Updates of a book are numbered; what else a damaged frame was about is not to be noticed. */
  damaged(_text: string, emit: Emit): void {
    reject(emit, "bad-json");
  }

  answer(
    body: unknown,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (instrument === undefined) return "unknown-message";
    const subject = { instrument, scales: this.#states.of(instrument).scales, receivedTimeUs };
    if (kind === "trades") return readTradesAnswer(body, subject, emit);
    if (!isRecord(body)) return "unknown-message";
    if (kind === "poll") return readOpenInterestAnswer(body, subject, emit);
    return readWholeBook(body, subject, { source: "rest", writing: this.#dialect }, emit);
  }

  #payload(payload: unknown, frame: BinanceFrame, emit: Emit): void {
    if (!isRecord(payload)) return reject(emit, "unknown-message");
    const bookSymbol = this.#wholeBookSymbol(payload, frame);
    const isWhole = bookSymbol !== undefined;
    const channel = isWhole ? "book" : channelOf(payload);
    if (channel === undefined) return this.#other(payload, emit);
    const named = channel === "liquidations" ? symbolOfOrder(payload["o"]) : payload["s"];
    const venueSymbol = isWhole ? bookSymbol : named;
    const instrument = lookUpInstrument(this.#context.catalog, venueSymbol, emit);
    if (instrument === undefined) return;
    const state = this.#states.of(instrument);
    if (isRepeated(channel, payload, state, isWhole)) return heartbeat(emit);
    const { receivedTimeUs, text } = frame;
    const subject = { instrument, scales: state.scales, receivedTimeUs };
    const reason = isWhole
      ? readWholeBook(payload, subject, { source: "in-band", writing: this.#dialect }, emit)
      : this.#read(channel, payload, subject, text, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  /** The symbol of a payload that holds the best levels of a book, whole. */
  #wholeBookSymbol(payload: JsonRecord, { stream }: BinanceFrame): string | undefined {
    const bids = payload["bids"] ?? payload["b"];
    // In most messages `b` is a price.
    if (bids === undefined || typeof bids === "string") return undefined;
    return partialBookSymbol(stream, this.#context.url);
  }

  #read(
    channel: ReadChannel,
    payload: JsonRecord,
    subject: BinanceSubject,
    text: string,
    emit: Emit,
  ): RejectReason | undefined {
    switch (channel) {
      case "quotes":
        return readQuote(payload, subject, emit);
      case "trades":
        return readTrade(payload, subject, text, emit);
      case "book":
        return readBookChange(payload, subject, this.#dialect, emit);
      case "candles":
        return readCandle(payload, subject, this.#dialect, emit);
      case "ticker":
        return readTicker(payload, subject, this.#dialect, emit);
      case "mark-price":
        return readMarkPrice(payload, subject, this.#indexPriceOf(subject.instrument), emit);
      case "liquidations":
        return readLiquidation(payload, subject, emit);
    }
  }

  /** `BTCUSD_PERP` and `BTCUSD_261225` follow the index of `BTCUSD`. */
  #indexPriceOf({ venueSymbol }: Instrument): string | undefined {
    return this.#indexPrices.get(venueSymbol.split("_", 1)[0] ?? "");
  }

  /** Kept for the mark prices that follow, where those do not say it. */
  #index({ i: pair, p }: JsonRecord, emit: Emit): void {
    const price = decimalText(p);
    if (typeof pair !== "string" || price === undefined) return reject(emit, "missing-field");
    if (this.#indexPrices.size < INDEXES_MAX || this.#indexPrices.has(pair)) {
      this.#indexPrices.set(pair, price);
    }
    heartbeat(emit);
  }

  #other(payload: JsonRecord, emit: Emit): void {
    const { e: event } = payload;
    if (event === "indexPriceUpdate") {
      this.#index(payload, emit);
    } else if (event === "contractInfo") {
      readContract(payload, this.#context.catalog, this.#dialect, emit);
    } else if (event === "serverShutdown") {
      emit({ kind: "reconnect-requested", reason: "server-shutdown" });
    } else if (!this.#answers.read(payload, emit)) {
      if (NOT_PUBLISHED.has(event)) heartbeat(emit);
      else reject(emit, "unknown-message");
    }
  }
}

/** What a message is published as. Spot's bookTicker has no `e`; neither have answers. */
function channelOf(payload: JsonRecord): ReadChannel | undefined {
  const { e: event, u, A } = payload;
  if (event !== undefined) return CHANNELS.get(event);
  return u !== undefined && A !== undefined ? "quotes" : undefined;
}

function symbolOfOrder(order: unknown): unknown {
  return isRecord(order) ? order["s"] : undefined;
}

/**
 * True for what another stream of the connection tells already: both streams of trades tell of the
 * same ones under other ids, and both of a book of the same levels. Recordings may hold both.
 */
function isRepeated(
  channel: Channel,
  payload: JsonRecord,
  state: BinanceInstrumentState,
  isWhole: boolean,
): boolean {
  if (channel === "trades") return (state.tradeStream ??= payload["e"]) !== payload["e"];
  if (channel !== "book") return false;
  const stream = isWhole ? "best-levels" : "changes";
  return (state.bookStream ??= stream) !== stream;
}
