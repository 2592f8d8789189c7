// https://developer.gemini.com/websocket/streams
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import {
  asJsonArray,
  asJsonObject,
  asText,
  parseJsonText,
  type JsonText,
} from "#core/json-text.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { readQuoteValues, readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import { nanosecondsTimeUs } from "./requests.ts";
import { decodeGeminiRisk } from "./risk.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;
type JsonObject = { readonly [key: string]: JsonText };

/** What a stream carries, by what follows the `@`. */
export const GEMINI_STREAMS: Readonly<Record<string, Channel>> = {
  trade: "trades",
  bookTicker: "quotes",
  "depth@100ms": "book",
};

/** Requests without an answer; beyond it the oldest is forgotten. */
const PENDING_MAX = 1024;

type Request = { readonly method: string; readonly streams: readonly string[] };

type PairState = {
  readonly scales: ScaleTracker;
  /** The next message of the book is a change and not the whole. */
  begun: boolean;
};

/**
 * Decodes one connection. Numbers keep their text: times count nanoseconds and do not fit a double.
 * A whole book looks like a change: it is the first message of a book after its subscription.
 */
export class GeminiDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #states = new Map<Instrument, PairState>();
  readonly #requests = new Map<string, Request>();
  /** Whose trades were asked for. */
  readonly #traded = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const id = asText(request?.["id"]);
    const method = asText(request?.["method"])?.toUpperCase();
    const params = asJsonArray(request?.["params"]);
    if (id === undefined || method === undefined || params === undefined) return;
    const streams = params.map((stream) => asText(stream) ?? "");
    this.#requests.set(id, { method, streams });
    for (const stream of streams) this.#follow(stream, method);
    if (this.#requests.size <= PENDING_MAX) return;
    for (const oldest of this.#requests.keys()) {
      this.#requests.delete(oldest);
      return;
    }
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const json = parseJsonText(text);
    if (json === undefined) return this.#rejectDamaged(text, emit);
    const outer = asJsonObject(json);
    // Streams come bare; a wrapping as Binance has it is taken off.
    const message = asJsonObject(outer?.["data"]) ?? outer;
    if (message === undefined) return reject(emit, "unknown-message");
    const kind = asText(message["e"]) ?? "";
    if (kind === "depthUpdate") return this.#with(message, "book", receivedTimeUs, emit);
    // Neither is documented, nor asked for.
    if (kind === "markPrice" || kind === "fundingAmount") return emit({ kind: "heartbeat" });
    if (message["t"] !== undefined && (kind === "" || kind === "trade")) {
      return this.#with(message, "trades", receivedTimeUs, emit);
    }
    if (message["u"] !== undefined && (kind === "" || kind === "bookTicker")) {
      return this.#with(message, "quotes", receivedTimeUs, emit);
    }
    if (["status", "error", "result"].some((key) => message[key] !== undefined)) {
      return this.#answer(message, emit);
    }
    reject(emit, "unknown-message");
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const venueSymbolOf = (listed: string): string => listed.toLowerCase();
    decodeGeminiRisk(response, { catalog: this.#catalog, venueSymbolOf, receivedTimeUs }, emit);
  }

  #with(
    message: JsonObject,
    channel: "book" | "trades" | "quotes",
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const symbol = asText(message["s"]);
    if (symbol === undefined) return reject(emit, "missing-field");
    const instrument = this.#catalog.byVenueSymbol(symbol.toLowerCase());
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const venueTimeUs = nanosecondsTimeUs(message["E"]);
    const common = { instrument, venueTimeUs, receivedTimeUs };
    const reason = this.#read(channel, message, common, emit);
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
  }

  #read(
    channel: "book" | "trades" | "quotes",
    message: JsonObject,
    common: Common,
    emit: Emit,
  ): RejectReason | undefined {
    const state = this.#stateOf(common.instrument);
    if (channel === "book") return book(message, common, state, emit);
    if (isBadTime(common.venueTimeUs)) return "bad-time";
    if (channel === "trades") return trade(message, common, state.scales, emit);
    const quote = readQuoteValues(
      state.scales,
      { price: message["b"], size: message["B"] },
      { price: message["a"], size: message["A"] },
    );
    if (typeof quote === "string") return quote;
    emit({ kind: "quote", ...common, ...quote });
    return undefined;
  }

  #answer(message: JsonObject, emit: Emit): void {
    const id = asText(message["id"]) ?? "";
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    const { status = "200", result, error } = message;
    const ok = status === "200" && result !== "error" && error === undefined;
    if (!ok) return this.#refused(message, request, emit);
    let news = false;
    for (const stream of request?.streams ?? []) {
      const channel = channelOf(stream);
      if (channel === undefined) continue;
      if (request?.method === "SUBSCRIBE") {
        news = true;
        emit({ kind: "subscribed", venueSymbol: symbolOf(stream), channel });
      } else if (request?.method === "UNSUBSCRIBE" && channel === "book") {
        // Nothing of the old subscription comes after this.
        const instrument = this.#catalog.byVenueSymbol(symbolOf(stream));
        if (instrument !== undefined) this.#stateOf(instrument).begun = false;
      }
    }
    if (!news) emit({ kind: "heartbeat" });
  }

  #refused(message: JsonObject, request: Request | undefined, emit: Emit): void {
    const error = asJsonObject(message["error"]);
    const texts = [
      error?.["msg"],
      error?.["message"],
      message["error"],
      message["msg"],
      message["reason"],
    ];
    const reason = asText(texts.find((text) => typeof text === "string")) ?? "refused";
    const streams = request?.method === "SUBSCRIBE" ? request.streams : [];
    for (const stream of streams) {
      const channel = channelOf(stream);
      emit({ kind: "refused", venueSymbol: symbolOf(stream), channel, reason });
    }
    if (streams.length > 0) return;
    emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
  }

  /**
   * A damaged first message would make the second look like the whole book, so whatever may have
   * been one counts as begun, and is lost.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const symbol = /"s"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const instrument =
      symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol.toLowerCase());
    const isBook = text.includes('"depthUpdate"');
    if (instrument !== undefined && isBook) {
      this.#stateOf(instrument).begun = true;
      emit({ kind: "rejected", reason: "bad-json", instrument, channel: "book" });
      return;
    }
    if (instrument !== undefined && /"t"\s*:/.test(text)) {
      emit({ kind: "rejected", reason: "bad-json", instrument, channel: "trades" });
      return;
    }
    emit({ kind: "rejected", reason: "bad-json" });
    // Answers begin with their id, quotes with their number.
    if (/^\s*\{\s*"(?:id|u)"/.test(text) || (instrument !== undefined && !isBook)) return;
    for (const [each, state] of this.#states) {
      if (state.begun) continue;
      state.begun = true;
      emit({ kind: "rejected", reason: "missing-data", instrument: each, channel: "book" });
    }
    // Changes of books are numbered; nothing else shows that a trade is missing.
    for (const each of isBook ? [] : this.#traded) {
      emit({ kind: "rejected", reason: "missing-data", instrument: each, channel: "trades" });
    }
  }

  #follow(stream: string, method: string): void {
    const channel = channelOf(stream);
    if (channel !== "book" && channel !== "trades") return;
    const instrument = this.#catalog.byVenueSymbol(symbolOf(stream));
    if (instrument === undefined) return;
    if (method === "SUBSCRIBE" && channel === "book") this.#stateOf(instrument);
    else if (method === "SUBSCRIBE") this.#traded.add(instrument);
    else if (channel === "trades") this.#traded.delete(instrument);
  }

  #stateOf(instrument: Instrument): PairState {
    let state = this.#states.get(instrument);
    if (state === undefined) {
      state = { scales: new ScaleTracker(), begun: false };
      this.#states.set(instrument, state);
    }
    return state;
  }
}

type Common = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

function book(
  message: JsonObject,
  common: Common,
  state: PairState,
  emit: Emit,
): RejectReason | undefined {
  const snapshot = !state.begun;
  state.begun = true;
  if (isBadTime(common.venueTimeUs)) return "bad-time";
  const firstUpdateId = updateIdOf(message["U"]);
  const lastUpdateId = updateIdOf(message["u"]);
  const bids = asJsonArray(message["b"]);
  const asks = asJsonArray(message["a"]);
  if (firstUpdateId === undefined || lastUpdateId === undefined) return "missing-field";
  if (bids === undefined || asks === undefined) return "missing-field";
  const columns = state.scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  emit({
    kind: "raw-book",
    ...common,
    snapshot,
    source: "in-band",
    firstUpdateId,
    lastUpdateId,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: state.scales.priceScale,
    sizeScale: state.scales.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  });
  return undefined;
}

/** `m` says that the buyer was the maker. */
function trade(
  message: JsonObject,
  common: Common,
  scales: ScaleTracker,
  emit: Emit,
): RejectReason | undefined {
  const tradeId = asText(message["t"]);
  const isBuyerMaker = message["m"];
  if (tradeId === undefined || typeof isBuyerMaker !== "boolean") return "missing-field";
  const values = readTradeValues(scales, message["p"], message["q"]);
  if (typeof values === "string") return values;
  const aggressorSide = isBuyerMaker ? "seller" : "buyer";
  emit({ kind: "trade", ...common, ...values, aggressorSide, tradeId, historical: false });
  return undefined;
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

function symbolOf(stream: string): string {
  return stream.slice(0, Math.max(0, stream.indexOf("@"))).toLowerCase();
}

function channelOf(stream: string): Channel | undefined {
  const name = stream.slice(stream.indexOf("@") + 1);
  if (/^depth(@\d+ms)?$/.test(name)) return "book";
  return Object.hasOwn(GEMINI_STREAMS, name) ? GEMINI_STREAMS[name] : undefined;
}

function updateIdOf(value: JsonText | undefined): number | undefined {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
