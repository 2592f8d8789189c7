import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import {
  type Emit,
  type EventSubject,
  heartbeat,
  reject,
  rejectOf,
  type TakeTick,
} from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { stateOfWord } from "../../reading/instrument-words.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { emitStates } from "../../reading/state-events.ts";
import { decimalText } from "../../reading/text-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { HtxAnswers, type SymbolsOfTopic } from "./answers.ts";
import {
  channelOfKind,
  type HtxTopic,
  INDEX_KIND,
  itemsOf,
  oldestFirst,
  parseTopic,
  STATES_KIND,
} from "./fields.ts";
import { HTX_CONTRACT_EVENTS } from "./instruments.ts";
import {
  readBook,
  readCandle,
  readFunding,
  readLiquidation,
  readMarkPrice,
  readQuote,
  readTicker,
  readTrade,
} from "./readings.ts";
import { readInterestAnswer, readTradesAnswer } from "./rest.ts";
import { HtxScanner, type ScannedHtxBook } from "./scanner.ts";

const topicIn = fieldFinder("ch|rep");

/** Reads one connection of HTX, whatever is traded there. */
export class HtxReader implements FrameReader<TextRecord, JsonText> {
  readonly #catalog: InstrumentCatalog;
  readonly #answers: HtxAnswers;
  readonly #symbols: SymbolTable<ScannedHtxBook>;
  readonly #scanner: HtxScanner;
  readonly #scales = new InstrumentStates((instrument) => {
    const scales = new ScaleTracker();
    this.#symbols.add(instrument, { instrument, scales });
    return scales;
  });
  readonly #candles = new CandleCloser();
  /** Books that were asked for and whose answer has not come. */
  readonly #asked = new Set<Instrument>();
  /** Books that begin in-band and whose first, whole message has not come. */
  readonly #awaited = new Set<Instrument>();
  /**
   * What has trades here, with the time before which what comes next was traded: the venue begins
   * with the last match before the subscription, whether that is confirmed by then or not.
   * Undefined once the first message has come, and NaN if it came before the confirmation.
   */
  readonly #trades = new Map<Instrument, number | undefined>();
  /** The last index price of each pair of assets, as `BTC-USDT`; of listed contracts only. */
  readonly #indexPrices = new Map<string, string>();

  /** `symbolsOf` says what a topic is about, where that is not what it names. */
  constructor(context: FeedDecoderContext, symbolsOf?: SymbolsOfTopic) {
    this.#catalog = context.catalog;
    this.#answers = new HtxAnswers(symbolsOf);
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new HtxScanner(this.#symbols);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    const asked = this.#answers.sent(frame);
    const instrument = this.#instrumentOf(asked?.topic);
    if (asked === undefined || instrument === undefined) return;
    if (asked.isBook) this.#asked.add(instrument);
    else if (asked.topic.kind === "trade.detail" && !this.#trades.has(instrument)) {
      this.#trades.set(instrument, Infinity);
    }
  }

  message(message: TextRecord, receivedTimeUs: number, emit: Emit, text: string): void {
    if (message["ch"] !== undefined) return this.#tick(message, receivedTimeUs, emit);
    if (message["ping"] !== undefined) return replyTo(text, emit);
    if (message["rep"] !== undefined) return this.#bookAnswer(message, receivedTimeUs, emit);
    if (message["op"] !== undefined) return this.#operation(message, text, receivedTimeUs, emit);
    if (message["subbed"] !== undefined) return this.#subscribed(message["subbed"], message, emit);
    if (message["unsubbed"] !== undefined) return heartbeat(emit);
    if (message["status"] === "error") return this.#refused(message, emit);
    reject(emit, "unknown-message");
  }

  /**
   * A lost change shows in the numbers of the next, a lost trade or a lost first book in nothing:
   * they are traced by what is left of the name, or all that it may have been is in doubt.
   */
  damaged(text: string, emit: Emit): void {
    const topic = parseTopic(topicIn(text));
    const channel = topic === undefined ? undefined : channelOfKind(topic.kind);
    const instrument = this.#instrumentOf(topic);
    rejectDamaged(emit, instrument, channel);
    if (topic === undefined) {
      doubtEach(this.#asked, "book", emit);
      doubtEach(this.#awaited, "book", emit);
      doubtEach(this.#trades.keys(), "trades", emit);
    } else if (instrument !== undefined && channel === "trades") {
      rejectOf(emit, "missing-data", instrument, channel);
    }
  }

  answer(body: JsonText, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    if (kind === "poll") {
      return readInterestAnswer(body, { catalog: this.#catalog, receivedTimeUs }, emit);
    }
    if (kind !== "trades") return "unknown-message";
    const subject = { instrument, venueTimeUs: undefined, receivedTimeUs };
    return readTradesAnswer(body, subject, this.#scales.of(instrument), emit);
  }

  #tick(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const topic = parseTopic(message["ch"]);
    const channel = topic === undefined ? undefined : channelOfTick(topic.kind);
    if (topic === undefined || channel === undefined) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, topic.venueSymbol, emit);
    if (instrument === undefined) return;
    const subject = { instrument, venueTimeUs: epochTimeUs(message["ts"]), receivedTimeUs };
    const reason = this.#read(topic.kind, asJsonObject(message["tick"]), subject, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  #read(kind: string, tick: TextRecord | undefined, subject: EventSubject, emit: Emit): Fault {
    if (tick === undefined) return "missing-field";
    const { instrument } = subject;
    const scales = this.#scales.of(instrument);
    switch (kind) {
      case "trade.detail":
        return this.#newTrades(tick, subject, scales, emit);
      case "bbo":
        return readQuote(tick, subject, scales, emit);
      case "detail":
        return readTicker(tick, subject, emit);
      case "kline.1min": {
        const candle = readCandle(tick, subject);
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
      case INDEX_KIND:
        return this.#index(tick, instrument, emit);
      case "mark_price.1min":
        return readMarkPrice(tick, subject, this.#indexPrices.get(assetsOf(instrument)), emit);
      case "depth.step0":
        return readBook(tick, subject, scales, { snapshot: true }, emit);
      default:
        return this.#book(kind, tick, subject, emit);
    }
  }

  #newTrades(tick: TextRecord, subject: EventSubject, scales: ScaleTracker, emit: Emit): Fault {
    const trades = itemsOf(tick["data"]);
    if (trades === undefined) return "missing-field";
    const { instrument } = subject;
    const historyEndUs = this.#trades.get(instrument);
    const isUnconfirmed = historyEndUs !== undefined && !Number.isFinite(historyEndUs);
    this.#trades.set(instrument, isUnconfirmed ? Number.NaN : undefined);
    for (const trade of oldestFirst(trades)) {
      const reason = readTrade(trade, subject, scales, emit, historyEndUs);
      if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
    }
    return undefined;
  }

  /** The index price is told with the next mark price. */
  #index(tick: TextRecord, instrument: Instrument, emit: Emit): Fault {
    const price = decimalText(tick["close"]);
    if (price === undefined) return "bad-decimal";
    this.#indexPrices.set(assetsOf(instrument), price);
    heartbeat(emit);
    return undefined;
  }

  /** What `mbp` tells is always a change; contracts say which of the two it is. */
  #book(kind: string, tick: TextRecord, subject: EventSubject, emit: Emit): Fault {
    const { instrument } = subject;
    const snapshot = tick["event"] === "snapshot";
    if (snapshot) this.#awaited.delete(instrument);
    const depth = depthOfKind(kind);
    if (depth === undefined) return "unknown-message";
    const isSaid = snapshot || tick["event"] === "update";
    if (!isSaid && !kind.startsWith("mbp")) return "missing-field";
    return readBook(tick, subject, this.#scales.of(instrument), { snapshot, depth }, emit);
  }

  /** The answer to a request for a book, and to earlier ones whose answers were lost. */
  #bookAnswer(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    this.#answers.take(message);
    const topic = parseTopic(message["rep"]);
    const depth = topic === undefined ? undefined : depthOfKind(topic.kind);
    if (topic === undefined || depth === undefined) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, topic.venueSymbol, emit);
    if (instrument === undefined) return;
    this.#asked.delete(instrument);
    const data = asJsonObject(message["data"]) ?? {};
    const subject = { instrument, venueTimeUs: epochTimeUs(message["ts"]), receivedTimeUs };
    const form = { snapshot: true, source: "rest", depth } as const;
    const reason = readBook(data, subject, this.#scales.of(instrument), form, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "book");
  }

  /** Messages of the notification feed, which has a form of its own. */
  #operation(message: TextRecord, text: string, receivedTimeUs: number, emit: Emit): void {
    switch (asText(message["op"]) ?? "") {
      case "ping":
        return replyTo(text, emit);
      case "notify":
        return this.#notice(message, receivedTimeUs, emit);
      case "sub":
        if (message["err-code"] === undefined || message["err-code"] === "0") {
          return this.#subscribed(message["topic"], message, emit);
        }
        return this.#refused(message, emit);
      case "unsub":
        return heartbeat(emit);
      case "close":
        return emit({ kind: "reconnect-requested", reason: "venue-close" });
      case "error":
        return this.#refused(message, emit);
      default:
        reject(emit, "unknown-message");
    }
  }

  #notice(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const kind = parseTopic(message["topic"])?.kind;
    if (kind === STATES_KIND) return this.#states(message, emit);
    const isFunding = kind === "funding_rate";
    if (!isFunding && kind !== "liquidation_orders") return reject(emit, "unknown-message");
    const read = isFunding ? readFunding : readLiquidation;
    const venueTimeUs = epochTimeUs(message["ts"]);
    for (const item of itemsOf(message["data"]) ?? [{}]) {
      const instrument = lookUpInstrument(this.#catalog, item["contract_code"], emit);
      if (instrument === undefined) continue;
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const reason = read(item, subject, emit);
      if (reason === undefined) continue;
      rejectOf(emit, reason, instrument, isFunding ? "funding" : "liquidations");
    }
  }

  /** Of all contracts at first and now and then; of those that change at once. */
  #states(message: TextRecord, emit: Emit): void {
    const items = itemsOf(message["data"]);
    if (items === undefined) return reject(emit, "missing-field");
    const isChange = message["event"] === "update";
    const told = items.flatMap((item) => {
      const venueSymbol = asText(item["contract_code"]) ?? "";
      const said = stateOfWord(HTX_CONTRACT_EVENTS, asText(item["contract_status"]));
      // What is not known and does not change, the list has left out.
      const isKnown = this.#catalog.byVenueSymbol(venueSymbol) !== undefined;
      return isKnown || isChange ? [{ venueSymbol, said }] : [];
    });
    emitStates(told, this.#catalog, emit);
  }

  #subscribed(name: JsonText | undefined, message: TextRecord, emit: Emit): void {
    const topic = this.#answers.confirmed(name, message, emit);
    const instrument = this.#instrumentOf(topic);
    if (topic === undefined || instrument === undefined) return;
    if (topic.kind === "trade.detail") {
      // The old match may have come before its confirmation: then all that follows is new.
      const hasBegun = Number.isNaN(this.#trades.get(instrument));
      this.#trades.set(instrument, hasBegun ? undefined : epochTimeUs(message["ts"]));
    }
    if (topic.kind.startsWith("depth.size_")) this.#awaited.add(instrument);
  }

  #refused(message: TextRecord, emit: Emit): void {
    const book = this.#answers.refused(message, emit);
    if (book === undefined) return;
    const instrument = lookUpInstrument(this.#catalog, book.venueSymbol, emit);
    if (instrument === undefined) return;
    this.#asked.delete(instrument);
    rejectOf(emit, "missing-data", instrument, "book");
  }

  #instrumentOf(topic: HtxTopic | undefined): Instrument | undefined {
    return topic === undefined ? undefined : this.#catalog.byVenueSymbol(topic.venueSymbol);
  }
}

function channelOfTick(kind: string): Channel | undefined {
  return kind === INDEX_KIND ? "mark-price" : channelOfKind(kind);
}

function assetsOf({ base, quote }: Instrument): string {
  return `${base}-${quote}`;
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
  else reject(emit, "missing-field");
}
