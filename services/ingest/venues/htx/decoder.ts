import type { Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonObject, asText, type JsonText, parseJsonText } from "#core/json-text.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import {
  type HtxSubject,
  itemsOf,
  readBook,
  readCandle,
  readFunding,
  readLiquidation,
  readMarkPrice,
  readOpenInterest,
  readQuote,
  readTicker,
  readTrade,
} from "./readings.ts";
import {
  channelOfKind,
  decimalText,
  htxTimeUs,
  INDEX_KIND,
  isInterestUrl,
  type Json,
  parseTopic,
  symbolOfTradesUrl,
  type Topic,
  unpack,
} from "./fields.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** Requests whose answers have not come; beyond it the oldest is forgotten. */
export const HTX_PENDING_MAX = 1024;

type Pending = { readonly id: string; readonly topic: Topic; readonly isSnapshot: boolean };

/** Decodes HTX's feeds, spot and linear contracts. Frames are compressed, one by one. */
export class HtxDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  /** Made as instruments turn up, so limited by the catalog. */
  readonly #trackers = new Map<Instrument, ScaleTracker>();
  readonly #pending: Pending[] = [];
  readonly #candles = new CandleCloser();
  /** Books that begin in-band and whose first, whole message has not come. */
  readonly #awaited = new Set<Instrument>();
  /** What has trades here, and when the venue confirmed them until their first message came. */
  readonly #trades = new Map<Instrument, number | undefined>();

  /** The last index price of each pair of assets, as `BTC-USDT`; of listed contracts only. */
  readonly #indexPrices = new Map<string, string>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const id = asText(request?.["id"] ?? request?.["cid"]);
    const asked = request?.["req"];
    const subscribed = request?.["op"] === "sub" ? request["topic"] : request?.["sub"];
    const topic = parseTopic(asked ?? subscribed);
    if (id === undefined || topic === undefined) return;
    if (this.#pending.length >= HTX_PENDING_MAX) this.#pending.shift();
    this.#pending.push({ id, topic, isSnapshot: asked !== undefined });
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const { text, isWhole } = unpack(frame);
    const parsed = isWhole ? parseJsonText(text) : undefined;
    if (parsed === undefined) return this.#rejectDamaged(text, emit);
    const message = asJsonObject(parsed) ?? {};
    if (message["ch"] !== undefined) return this.#tick(message, receivedTimeUs, emit);
    if (message["ping"] !== undefined) return replyTo(text, emit);
    if (message["rep"] !== undefined) return this.#snapshot(message, receivedTimeUs, emit);
    if (message["op"] !== undefined) return this.#operation(message, text, receivedTimeUs, emit);
    if (message["subbed"] !== undefined) return this.#subscribed(message["subbed"], message, emit);
    if (message["unsubbed"] !== undefined) return emit({ kind: "heartbeat" });
    if (message["status"] === "error") return this.#failed(message, emit);
    emit({ kind: "rejected", reason: "unknown-message" });
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    if (isInterestUrl(response.url)) return this.#openInterest(response, receivedTimeUs, emit);
    const venueSymbol = symbolOfTradesUrl(response.url);
    if (venueSymbol === undefined) return emit({ kind: "rejected", reason: "unknown-message" });
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    const reject = (reason: RejectReason): void =>
      emit({ kind: "rejected", reason, instrument, channel: "trades" });
    const body = parseJsonText(response.body);
    if (body === undefined) return reject("bad-json");
    const data = itemsOf(asJsonObject(body)?.["data"]);
    if (data === undefined) return reject("missing-field");
    const subject = this.#subject(instrument, undefined, receivedTimeUs);
    // Trades stand in groups of one match; the newest is first.
    for (const trade of data.flatMap(tradesOfMatch).toSorted(byTime)) {
      const reason = readTrade(trade, subject, emit);
      if (reason !== undefined) reject(reason);
    }
  }

  /** One answer tells of all contracts, of which some may not be listed. */
  #openInterest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const channel = "open-interest";
    const body = asJsonObject(parseJsonText(response.body));
    const venueTimeUs = htxTimeUs(body?.["ts"]);
    const items = itemsOf(body?.["data"]);
    if (body === undefined) return emit({ kind: "rejected", reason: "bad-json", channel });
    if (isBadTime(venueTimeUs)) return emit({ kind: "rejected", reason: "bad-time", channel });
    if (items === undefined) return emit({ kind: "rejected", reason: "missing-field", channel });
    for (const item of items) {
      const venueSymbol = asText(item["contract_code"]);
      if (venueSymbol === undefined) {
        emit({ kind: "rejected", reason: "missing-field", channel });
        continue;
      }
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument === undefined) continue;
      const subject = this.#subject(instrument, venueTimeUs, receivedTimeUs);
      const reason = readOpenInterest(item, subject, emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
    }
  }

  #tick(message: Json, receivedTimeUs: number, emit: Emit): void {
    const topic = parseTopic(message["ch"]);
    const isIndex = topic?.kind === INDEX_KIND;
    const channel = isIndex ? "mark-price" : channelOfKind(topic?.kind ?? "");
    if (topic === undefined || channel === undefined) {
      return emit({ kind: "rejected", reason: "unknown-message" });
    }
    const instrument = this.#catalog.byVenueSymbol(topic.venueSymbol);
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    const reject = (reason: RejectReason): void =>
      emit({ kind: "rejected", reason, instrument, channel });
    const venueTimeUs = htxTimeUs(message["ts"]);
    if (isBadTime(venueTimeUs)) return reject("bad-time");
    const tick = asJsonObject(message["tick"]);
    if (tick === undefined) return reject("missing-field");
    const pair = `${instrument.base}-${instrument.quote}`;
    if (isIndex) {
      const price = decimalText(tick["close"]);
      if (price === undefined) return reject("bad-decimal");
      this.#indexPrices.set(pair, price);
      return emit({ kind: "heartbeat" });
    }
    const indexPrice = channel === "mark-price" ? this.#indexPrices.get(pair) : undefined;
    const subject = { ...this.#subject(instrument, venueTimeUs, receivedTimeUs), indexPrice };
    if (channel !== "trades") {
      if (tick["event"] === "snapshot") this.#awaited.delete(instrument);
      const reason =
        channel === "candles"
          ? readCandle(tick, subject, (candle) => this.#candles.take(candle, emit))
          : readTick(topic.kind, tick, subject, emit);
      if (reason !== undefined) reject(reason);
      return;
    }
    const trades = itemsOf(tick["data"]);
    if (trades === undefined) return reject("missing-field");
    const historyEndUs = this.#trades.get(instrument);
    this.#trades.set(instrument, undefined);
    // The venue lists the newest first.
    for (const trade of trades.toSorted(byTime)) {
      const reason = readTrade(trade, { ...subject, historyEndUs }, emit);
      if (reason !== undefined) reject(reason);
    }
  }

  /** The answer to a request for a book. */
  #snapshot(message: Json, receivedTimeUs: number, emit: Emit): void {
    const topic = parseTopic(message["rep"]);
    this.#takePending(message);
    if (topic !== undefined) this.#forgetSnapshots(topic.venueSymbol);
    const depth = topic === undefined ? undefined : depthOfKind(topic.kind);
    if (topic === undefined || depth === undefined) {
      return emit({ kind: "rejected", reason: "unknown-message" });
    }
    const instrument = this.#catalog.byVenueSymbol(topic.venueSymbol);
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    const data = asJsonObject(message["data"]);
    const venueTimeUs = htxTimeUs(message["ts"]);
    const subject = this.#subject(instrument, venueTimeUs, receivedTimeUs);
    const form = { snapshot: true, isAnswer: true, depth };
    const reason = isBadTime(venueTimeUs) ? "bad-time" : readBook(data ?? {}, subject, form, emit);
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "book" });
  }

  /** Messages of the notification feed, which has a form of its own. */
  #operation(message: Json, text: string, receivedTimeUs: number, emit: Emit): void {
    switch (asText(message["op"]) ?? "") {
      case "ping":
        return replyTo(text, emit);
      case "notify":
        return this.#notice(message, receivedTimeUs, emit);
      case "sub":
        if (message["err-code"] === undefined || message["err-code"] === "0") {
          return this.#subscribed(message["topic"], message, emit);
        }
        return this.#failed(message, emit);
      case "unsub":
        return emit({ kind: "heartbeat" });
      case "close":
        return emit({ kind: "reconnect-requested", reason: "venue-close" });
      case "error":
        return this.#failed(message, emit);
      default:
        emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  #notice(message: Json, receivedTimeUs: number, emit: Emit): void {
    const kind = parseTopic(message["topic"])?.kind;
    if (kind !== "funding_rate" && kind !== "liquidation_orders") {
      return emit({ kind: "rejected", reason: "unknown-message" });
    }
    const channel = kind === "funding_rate" ? "funding" : "liquidations";
    const read = kind === "funding_rate" ? readFunding : readLiquidation;
    const venueTimeUs = htxTimeUs(message["ts"]);
    for (const item of itemsOf(message["data"]) ?? [{}]) {
      const venueSymbol = asText(item["contract_code"]);
      const instrument =
        venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument === undefined) {
        const reason = venueSymbol === undefined ? "missing-field" : "unknown-instrument";
        emit({ kind: "rejected", reason });
        continue;
      }
      const subject = this.#subject(instrument, venueTimeUs, receivedTimeUs);
      const reason = isBadTime(venueTimeUs) ? "bad-time" : read(item, subject, emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
    }
  }

  #subscribed(name: JsonText | undefined, message: Json, emit: Emit): void {
    this.#takePending(message);
    const topic = parseTopic(name);
    const channel = topic === undefined ? undefined : channelOfKind(topic.kind);
    if (topic === undefined || channel === undefined) return emit({ kind: "heartbeat" });
    emit({ kind: "subscribed", venueSymbol: topic.venueSymbol, channel });
    const instrument = this.#catalog.byVenueSymbol(topic.venueSymbol);
    if (instrument === undefined) return;
    const confirmedTimeUs = htxTimeUs(message["ts"]);
    if (channel === "trades") {
      this.#trades.set(instrument, isBadTime(confirmedTimeUs) ? undefined : confirmedTimeUs);
    }
    if (topic.kind.startsWith("depth.size_")) this.#awaited.add(instrument);
  }

  /** A request for a book that fails is made again; a subscription that fails is refused. */
  #failed(message: Json, emit: Emit): void {
    const pending = this.#takePending(message);
    const topic = pending?.topic ?? parseTopic(message["topic"]);
    const channel = topic === undefined ? undefined : channelOfKind(topic.kind);
    const code = asText(message["err-code"]) ?? "unknown";
    const reason = asText(message["err-msg"]) ?? `code ${code}`;
    const venueSymbol = topic?.venueSymbol;
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    if (pending?.isSnapshot === true && instrument !== undefined) {
      return emit({ kind: "rejected", reason: "missing-data", instrument, channel: "book" });
    }
    emit({ kind: "refused", venueSymbol, channel, reason });
  }

  /** Earlier requests for the same book, whose answers were lost, are answered as well. */
  #forgetSnapshots(venueSymbol: string): void {
    for (let index = this.#pending.length - 1; index >= 0; index -= 1) {
      const pending = this.#pending[index];
      if (pending?.isSnapshot !== true || pending.topic.venueSymbol !== venueSymbol) continue;
      this.#pending.splice(index, 1);
    }
  }

  #takePending(message: Json): Pending | undefined {
    const id = asText(message["id"] ?? message["cid"]);
    const index = this.#pending.findIndex((each) => each.id === id);
    return index < 0 ? undefined : this.#pending.splice(index, 1)[0];
  }

  #subject(
    instrument: Instrument,
    venueTimeUs: number | undefined,
    receivedTimeUs: number,
  ): HtxSubject {
    let tracker = this.#trackers.get(instrument);
    if (tracker === undefined) {
      tracker = new ScaleTracker();
      this.#trackers.set(instrument, tracker);
    }
    return { instrument, tracker, venueTimeUs, receivedTimeUs };
  }

  /**
   * A lost change shows in the numbers of the next, a lost trade or a lost first book in nothing:
   * they are traced by what is left of the name, or all that it may have been is in doubt.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const topic = parseTopic(/"(?:ch|rep)"\s*:\s*"([^"\\]+)"/.exec(text)?.[1]);
    const missing = (instrument: Instrument | undefined, channel: "book" | "trades"): void => {
      if (instrument === undefined) return;
      emit({ kind: "rejected", reason: "missing-data", instrument, channel });
    };
    if (topic !== undefined) {
      const channel = channelOfKind(topic.kind);
      const instrument = this.#catalog.byVenueSymbol(topic.venueSymbol);
      const isKnown = instrument !== undefined && channel !== undefined;
      const named = isKnown ? { instrument, channel } : {};
      emit({ kind: "rejected", reason: "bad-json", ...named });
      if (channel === "trades") missing(instrument, channel);
      return;
    }
    emit({ kind: "rejected", reason: "bad-json" });
    for (const pending of this.#pending.filter(({ isSnapshot }) => isSnapshot)) {
      missing(this.#catalog.byVenueSymbol(pending.topic.venueSymbol), "book");
    }
    for (const instrument of this.#awaited) missing(instrument, "book");
    for (const instrument of this.#trades.keys()) missing(instrument, "trades");
  }
}

function readTick(
  kind: string,
  tick: Json,
  subject: HtxSubject,
  emit: Emit,
): RejectReason | undefined {
  switch (kind) {
    case "bbo":
      return readQuote(tick, subject, emit);
    case "detail":
      return readTicker(tick, subject, emit);
    case "mark_price.1min":
      return readMarkPrice(tick, subject, emit);
    case "depth.step0":
      return readBook(tick, subject, { snapshot: true, isAnswer: false }, emit);
    default:
      return readChange(kind, tick, subject, emit);
  }
}

/** What `mbp` tells is always a change; contracts say which of the two it is. */
function readChange(
  kind: string,
  tick: Json,
  subject: HtxSubject,
  emit: Emit,
): RejectReason | undefined {
  const depth = depthOfKind(kind);
  if (depth === undefined) return "unknown-message";
  const { event } = tick;
  if (!kind.startsWith("mbp") && event !== "snapshot" && event !== "update") {
    return "missing-field";
  }
  return readBook(tick, subject, { snapshot: event === "snapshot", isAnswer: false, depth }, emit);
}

/** Levels that the venue keeps of a side in such a stream. */
function depthOfKind(kind: string): number | undefined {
  const match = /^(?:mbp\.(\d{1,4})|depth\.size_(\d{1,4})\.high_freq)$/.exec(kind);
  const depth = Number(match?.[1] ?? match?.[2] ?? 0);
  return depth > 0 ? depth : undefined;
}

/** The venue wants its own number back, as it wrote it. */
function replyTo(text: string, emit: Emit): void {
  const ping = /"ping"\s*:\s*(\d{1,20})\b/.exec(text)?.[1];
  const ts = /"ts"\s*:\s*("?\d{1,20}"?)/.exec(text)?.[1];
  if (ping !== undefined) emit({ kind: "reply", frame: `{"pong":${ping}}` });
  else if (ts !== undefined) emit({ kind: "reply", frame: `{"op":"pong","ts":${ts}}` });
  else emit({ kind: "rejected", reason: "missing-field" });
}

function tradesOfMatch(match: Json): readonly Json[] {
  return itemsOf(match["data"]) ?? [match];
}

/**
 * Oldest first. Within a millisecond the short number of spot trades counts on; their long id ends
 * with the maker's order, but that of contracts with the place in the match.
 */
function byTime(a: Json, b: Json): number {
  return (
    compareNumbers(asText(a["ts"]), asText(b["ts"])) ||
    compareNumbers(numberOfTrade(a), numberOfTrade(b))
  );
}

function numberOfTrade(trade: Json): string | undefined {
  return asText(trade["tradeId"] ?? trade["trade-id"] ?? trade["id"]);
}

/** Numbers without leading zeros compare by length, and those of one length as texts. */
function compareNumbers(first = "", second = ""): number {
  return first.length - second.length || (first < second ? -1 : Number(first > second));
}
