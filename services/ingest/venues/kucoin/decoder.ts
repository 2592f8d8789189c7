import type { Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Candle } from "#core/market-event.ts";
import { asJsonArray, asJsonObject, asText, parseJsonText } from "#core/json-text.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { readQuoteValues, readTickerValues, readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import {
  changedLevels,
  decimalText,
  type Json,
  kucoinTimeUs,
  parseTopic,
  sequenceOf,
  symbolOfSnapshotUrl,
  symbolOfTradesUrl,
  textAt,
  type Topic,
} from "./fields.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

type Subject = {
  readonly instrument: Instrument;
  readonly tracker: ScaleTracker;
  readonly receivedTimeUs: number;
};

/** Requests whose answers have not come; beyond it the oldest is forgotten. */
export const KUCOIN_PENDING_MAX = 1024;

const CANDLE_INTERVAL_MS = 60_000;

/** Decodes KuCoin's spot feed. Answers name only the number of a request. */
export class KucoinDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  /** Made as instruments turn up, so limited by the catalog. */
  readonly #trackers = new Map<Instrument, ScaleTracker>();
  readonly #pending: { readonly id: string; readonly topic: Topic }[] = [];
  readonly #candles = new CandleCloser();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const id = asText(request?.["id"]);
    const topic = parseTopic(request?.["topic"]);
    if (request?.["type"] !== "subscribe" || id === undefined || topic === undefined) return;
    if (this.#pending.length >= KUCOIN_PENDING_MAX) this.#pending.shift();
    this.#pending.push({ id, topic });
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const parsed = parseJsonText(text);
    if (parsed === undefined) return this.#rejectDamaged(text, emit);
    const message = asJsonObject(parsed) ?? {};
    switch (asText(message["type"]) ?? "") {
      case "message":
        return this.#message(message, receivedTimeUs, emit);
      case "welcome":
        return emit({ kind: "ready" });
      case "pong":
        return emit({ kind: "heartbeat" });
      case "ack":
      case "error":
        return this.#answered(message, emit);
      default:
        emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const bookOf = symbolOfSnapshotUrl(response.url);
    const venueSymbol = bookOf ?? symbolOfTradesUrl(response.url);
    if (venueSymbol === undefined) return emit({ kind: "rejected", reason: "unknown-message" });
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    const channel = bookOf === undefined ? "trades" : "book";
    const reject = (reason: RejectReason): void =>
      emit({ kind: "rejected", reason, instrument, channel });
    const body = parseJsonText(response.body);
    if (body === undefined) return reject("bad-json");
    const data = asJsonObject(body)?.["data"];
    const subject = this.#subject(instrument, receivedTimeUs);
    if (channel === "book") {
      const reason = readSnapshot(asJsonObject(data) ?? {}, subject, emit);
      if (reason !== undefined) reject(reason);
      return;
    }
    const trades = asJsonArray(data);
    if (trades === undefined) return reject("missing-field");
    const bySequence = trades.map((trade) => asJsonObject(trade) ?? {}).toSorted(compareSequences);
    for (const trade of bySequence) {
      const reason = readTrade(trade, subject, emit);
      if (reason !== undefined) reject(reason);
    }
  }

  #message(message: Json, receivedTimeUs: number, emit: Emit): void {
    const topic = parseTopic(message["topic"]);
    const [venueSymbol, ...others] = topic?.venueSymbols ?? [];
    if (topic === undefined || venueSymbol === undefined || others.length > 0) {
      return emit({ kind: "rejected", reason: "unknown-message" });
    }
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    if (topic.channel === "trades") this.#trades.add(instrument);
    const data = asJsonObject(message["data"]);
    const reason =
      data === undefined
        ? "missing-field"
        : this.#read(topic, data, this.#subject(instrument, receivedTimeUs), emit);
    if (reason === undefined) return;
    emit({ kind: "rejected", reason, instrument, channel: topic.channel });
  }

  #read({ channel }: Topic, data: Json, subject: Subject, emit: Emit): RejectReason | undefined {
    switch (channel) {
      case "book":
        return readChange(data, subject, emit);
      case "trades":
        return readTrade(data, subject, emit);
      case "quotes":
        return readQuote(data, subject, emit);
      case "candles":
        return readCandle(data, subject, (candle) => this.#candles.take(candle, emit));
      case "ticker":
        return readTicker(asJsonObject(data["data"]) ?? {}, subject, emit);
    }
  }

  #answered(message: Json, emit: Emit): void {
    const id = asText(message["id"]);
    const index = this.#pending.findIndex((each) => each.id === id);
    const topic = index < 0 ? undefined : this.#pending.splice(index, 1)[0]?.topic;
    if (message["type"] === "ack") {
      if (topic === undefined) return emit({ kind: "heartbeat" });
      for (const venueSymbol of topic.venueSymbols) {
        emit({ kind: "subscribed", venueSymbol, channel: topic.channel });
        const instrument = this.#catalog.byVenueSymbol(venueSymbol);
        if (topic.channel === "trades" && instrument !== undefined) this.#trades.add(instrument);
      }
      return;
    }
    const reason = asText(message["data"]) ?? `code ${asText(message["code"]) ?? "unknown"}`;
    if (topic === undefined) {
      return emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const venueSymbol of topic.venueSymbols) {
      emit({ kind: "refused", venueSymbol, channel: topic.channel, reason });
    }
  }

  /**
   * A lost change shows in the numbers of the book's next, a lost trade in nothing: it is traced by
   * what is left of the topic, or all trades of the connection are in doubt.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const topic = parseTopic(/"topic"\s*:\s*"([^"\\]+)"/.exec(text)?.[1]);
    const venueSymbol = topic?.channel === "trades" ? topic.venueSymbols[0] : undefined;
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    const channel = "trades";
    emit({ kind: "rejected", reason: "bad-json", ...(instrument ? { instrument, channel } : {}) });
    if (topic !== undefined && instrument === undefined) return;
    for (const each of instrument === undefined ? this.#trades : [instrument]) {
      emit({ kind: "rejected", reason: "missing-data", instrument: each, channel });
    }
  }

  #subject(instrument: Instrument, receivedTimeUs: number): Subject {
    let tracker = this.#trackers.get(instrument);
    if (tracker === undefined) {
      tracker = new ScaleTracker();
      this.#trackers.set(instrument, tracker);
    }
    return { instrument, tracker, receivedTimeUs };
  }
}

/**
 * A change that overlaps the snapshot may be applied whole: each row is the last that became of its
 * price, so one that the snapshot holds already says what the snapshot says.
 */
function readChange(data: Json, subject: Subject, emit: Emit): RejectReason | undefined {
  const firstUpdateId = sequenceOf(data["sequenceStart"]);
  const lastUpdateId = sequenceOf(data["sequenceEnd"]);
  const changes = asJsonObject(data["changes"]);
  const bids = changedLevels(changes?.["bids"]);
  const asks = changedLevels(changes?.["asks"]);
  if (firstUpdateId === undefined || lastUpdateId === undefined) return "missing-field";
  if (bids === undefined || asks === undefined) return "missing-field";
  const sides = { bids, asks, snapshot: false, firstUpdateId, lastUpdateId };
  return emitBook(data, sides, subject, emit);
}

function readSnapshot(data: Json, subject: Subject, emit: Emit): RejectReason | undefined {
  const lastUpdateId = sequenceOf(data["sequence"]);
  // A side without orders is written as null.
  const bids = data["bids"] === null ? [] : asJsonArray(data["bids"]);
  const asks = data["asks"] === null ? [] : asJsonArray(data["asks"]);
  if (lastUpdateId === undefined || bids === undefined || asks === undefined) {
    return "missing-field";
  }
  const sides = { bids, asks, snapshot: true, firstUpdateId: undefined, lastUpdateId };
  return emitBook(data, sides, subject, emit);
}

function emitBook(
  data: Json,
  message: {
    readonly bids: readonly unknown[];
    readonly asks: readonly unknown[];
    readonly snapshot: boolean;
    readonly firstUpdateId: number | undefined;
    readonly lastUpdateId: number;
  },
  { instrument, tracker, receivedTimeUs }: Subject,
  emit: Emit,
): RejectReason | undefined {
  const venueTimeUs = kucoinTimeUs(data["time"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const columns = tracker.book(message.bids, message.asks);
  if (typeof columns === "string") return columns;
  emit({
    kind: "raw-book",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    snapshot: message.snapshot,
    source: message.snapshot ? "rest" : "in-band",
    firstUpdateId: message.firstUpdateId,
    lastUpdateId: message.lastUpdateId,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: tracker.priceScale,
    sizeScale: tracker.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  });
  return undefined;
}

/**
 * The side is the taker's. The list of REST has no trade ids, but the sequence that the stream
 * repeats as the id; the ids of old recordings were no numbers.
 */
function readTrade(data: Json, subject: Subject, emit: Emit): RejectReason | undefined {
  const side = data["side"];
  const tradeId = textAt(data, "tradeId") ?? textAt(data, "sequence");
  if ((side !== "buy" && side !== "sell") || tradeId === undefined) return "missing-field";
  if (!/^[\w-]{1,64}$/.test(tradeId)) return "missing-field";
  const venueTimeUs = kucoinTimeUs(data["time"]);
  if (venueTimeUs === undefined || isBadTime(venueTimeUs)) return "bad-time";
  const { instrument, tracker, receivedTimeUs } = subject;
  const values = readTradeValues(tracker, data["price"], data["size"]);
  if (typeof values === "string") return values;
  emit({
    kind: "trade",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    ...values,
    aggressorSide: side === "buy" ? "buyer" : "seller",
    tradeId,
    historical: false,
  });
  return undefined;
}

function readQuote(data: Json, subject: Subject, emit: Emit): RejectReason | undefined {
  const venueTimeUs = kucoinTimeUs(data["time"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const { bestBid, bestBidSize, bestAsk, bestAskSize } = data;
  if (bestBid === undefined || bestBidSize === undefined) return "missing-field";
  if (bestAsk === undefined || bestAskSize === undefined) return "missing-field";
  const { instrument, tracker, receivedTimeUs } = subject;
  const values = readQuoteValues(
    tracker,
    { price: bestBid, size: bestBidSize },
    { price: bestAsk, size: bestAskSize },
  );
  if (typeof values === "string") return values;
  emit({ kind: "quote", instrument, venueTimeUs, receivedTimeUs, ...values });
  return undefined;
}

/** The statistics of 24 hours. */
function readTicker(data: Json, subject: Subject, emit: Emit): RejectReason | undefined {
  const venueTimeUs = kucoinTimeUs(data["datetime"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const values = readTickerValues({
    lastPrice: data["lastTradedPrice"],
    openPrice: data["open"],
    highPrice: data["high"],
    lowPrice: data["low"],
    volume: data["vol"],
    quoteVolume: data["volValue"],
    bidPrice: data["buy"],
    askPrice: data["sell"],
  });
  if (typeof values === "string") return values;
  if (values.lastPrice === undefined) return "missing-field";
  const { instrument, receivedTimeUs } = subject;
  emit({ kind: "ticker", instrument, venueTimeUs, receivedTimeUs, ...values });
  return undefined;
}

/** The order is start, open, close, high, low, volume, turnover. */
function readCandle(
  data: Json,
  subject: Subject,
  emit: (candle: Candle) => void,
): RejectReason | undefined {
  const [start, ...numbers] = asJsonArray(data["candles"]) ?? [];
  if (typeof start !== "string" || numbers.length < 6) return "missing-field";
  const venueTimeUs = kucoinTimeUs(data["time"]);
  if (isBadTime(venueTimeUs) || !/^[1-9]\d{9}$/.test(start)) return "bad-time";
  const openTimeUs = Number(start) * 1_000_000;
  const [open, close, high, low, volume, quoteVolume] = numbers.map(decimalText);
  if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
  if (close === undefined || volume === undefined || quoteVolume === undefined) {
    return "bad-decimal";
  }
  const { instrument, receivedTimeUs } = subject;
  emit({
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    open,
    high,
    low,
    close,
    volume,
    quoteVolume,
    tradeCount: undefined,
    // The venue never says so, but one whose end is not after the venue's own clock is over.
    closed: venueTimeUs !== undefined && venueTimeUs >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
  });
  return undefined;
}

/** Oldest first; sequences of one length compare as texts. */
function compareSequences(a: Json, b: Json): number {
  const left = textAt(a, "sequence") ?? "";
  const right = textAt(b, "sequence") ?? "";
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}
