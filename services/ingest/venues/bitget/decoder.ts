import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { readBitgetAnswer, traceBitgetArgument } from "./answers.ts";
import { BitgetScales } from "./requests.ts";
import {
  type BitgetArgument,
  type BitgetDialect,
  type BitgetReading,
  readBitgetCandles,
  readBitgetLiquidation,
  readBitgetTicker,
} from "./readings.ts";
import { BookNumbers, type BookPosition } from "./fields.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { readQuoteValues, readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import {
  isRecord,
  type JsonRecord,
  millisecondsTimeUs,
  parseJson,
} from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** What a data message is about. */
type About = {
  readonly reading: BitgetReading;
  readonly market: string;
  readonly snapshot: boolean;
  /** When the venue sent the message, where it says so. */
  readonly sentTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  readonly text: string;
};

/** Reads every version of Bitget's public feed; a dialect says in what they differ. */
export class BitgetDecoder implements FeedDecoder {
  readonly #dialect: BitgetDialect;
  readonly #catalog: InstrumentCatalog;
  readonly #scales = new BitgetScales();
  readonly #numbers = new Map<Instrument, BookNumbers>();
  readonly #candles = new CandleCloser();

  constructor(dialect: BitgetDialect, context: FeedDecoderContext) {
    this.#dialect = dialect;
    this.#catalog = context.catalog;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    if (text === "pong") {
      emit({ kind: "heartbeat" });
      return;
    }
    const message = parseJson(text);
    if (message === undefined) {
      this.#rejectDamaged(text, emit);
    } else if (!isRecord(message)) {
      emit({ kind: "rejected", reason: "unknown-message" });
    } else if (message["event"] !== undefined) {
      readBitgetAnswer(message, this.#dialect, emit);
    } else {
      this.#data(message, { text, receivedTimeUs }, emit);
    }
  }

  decodeRest({ url, body }: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const wanted = this.#dialect.tradesOfUrl?.(url);
    const answer = parseJson(body);
    const data = isRecord(answer) ? answer["data"] : undefined;
    if (answer === undefined) {
      emit({ kind: "rejected", reason: "bad-json" });
    } else if (wanted === undefined) {
      emit({ kind: "rejected", reason: "unknown-message" });
    } else if (!Array.isArray(data)) {
      emit({ kind: "rejected", reason: "missing-field" });
    } else {
      const instrument = this.#catalog.byVenueSymbol(wanted.symbol, wanted.market);
      if (instrument === undefined) emit({ kind: "rejected", reason: "unknown-instrument" });
      else this.#trades(data, { instrument, snapshot: false, receivedTimeUs }, emit);
    }
  }

  #data(
    message: JsonRecord,
    frame: { readonly text: string; readonly receivedTimeUs: number },
    emit: Emit,
  ): void {
    const { arg: argument, data, action } = message;
    const known = isRecord(argument) ? this.#dialect.readArgument(argument) : undefined;
    if (known === undefined && isRecord(argument) && isNotPublished(argument)) {
      emit({ kind: "heartbeat" });
      return;
    }
    if (known === undefined || (action !== "snapshot" && action !== "update")) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    if (!Array.isArray(data)) {
      this.#reject("missing-field", known, emit);
      return;
    }
    const sentTimeUs = millisecondsTimeUs(message["ts"]);
    if (isBadTime(sentTimeUs)) {
      this.#reject("bad-time", known, emit);
      return;
    }
    const { reading, market, symbol } = known;
    const about = { reading, market, snapshot: action === "snapshot", sentTimeUs, ...frame };
    if (reading === "liquidation") {
      for (const row of data as readonly unknown[]) this.#liquidation(row, about, emit);
      return;
    }
    if (symbol === undefined) {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const instrument = this.#catalog.byVenueSymbol(symbol, market);
    if (instrument === undefined) emit({ kind: "rejected", reason: "unknown-instrument" });
    else this.#read(data, instrument, about, emit);
  }

  #read(data: readonly unknown[], instrument: Instrument, about: About, emit: Emit): void {
    const { reading, receivedTimeUs, sentTimeUs } = about;
    const common = { instrument, venueTimeUs: sentTimeUs, receivedTimeUs };
    const channel = this.#dialect.channels[reading][0];
    let reason: RejectReason | undefined;
    if (reading === "trade") {
      this.#trades(data, { instrument, snapshot: about.snapshot, receivedTimeUs }, emit);
      return;
    }
    if (reading === "candle") {
      reason = readBitgetCandles(data, common, (candle) => this.#candles.take(candle, emit));
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
      return;
    }
    for (const row of data) {
      if (!isRecord(row)) reason = "missing-field";
      else if (reading === "book") reason = this.#book(row, instrument, about, emit);
      else if (reading === "quote") reason = this.#quote(row, instrument, about, emit);
      else reason = readBitgetTicker(row, common, this.#dialect.ticker, emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
    }
  }

  #book(
    row: JsonRecord,
    instrument: Instrument,
    about: About,
    emit: Emit,
  ): RejectReason | undefined {
    const { snapshot, receivedTimeUs } = about;
    // Known as a book of this connection from here on, whatever is wrong with the message.
    const tracker = this.#scales.book(instrument, snapshot);
    const { bids: bidsKey, asks: asksKey } = this.#dialect.sides;
    const { [bidsKey]: bids, [asksKey]: asks } = row;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    const venueTimeUs = millisecondsTimeUs(row["ts"]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const { checksum: sent } = row;
    if (this.#dialect.hasChecksums && !Number.isInteger(sent)) return "missing-field";
    // Version 3 had them once, and 0 in their place; where one comes it is worth a comparison.
    const isProof = this.#dialect.hasChecksums || (Number.isInteger(sent) && sent !== 0);
    const checksum = isProof ? (sent as number) : undefined;
    const columns = tracker.book(bids, asks);
    if (typeof columns === "string") return columns;
    const position = this.#dialect.hasChecksums
      ? { lastUpdateId: undefined, previousUpdateId: undefined }
      : this.#position(row, instrument, about);
    if (position === undefined) return "missing-field";
    emit({
      kind: "raw-book",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      snapshot,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: position.lastUpdateId,
      previousUpdateId: position.previousUpdateId,
      checksum,
      priceScale: tracker.priceScale,
      sizeScale: tracker.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  /** Where the message stands in the book's numbering; undefined if it does not say. */
  #position(row: JsonRecord, instrument: Instrument, about: About): BookPosition | undefined {
    const sequence = integerText(row["seq"], about.text, SEQUENCE);
    const previous = integerText(row["pseq"], about.text, PREVIOUS_SEQUENCE);
    if (sequence === undefined || previous === undefined) return undefined;
    let numbers = this.#numbers.get(instrument);
    if (numbers === undefined) {
      numbers = new BookNumbers();
      this.#numbers.set(instrument, numbers);
    }
    if (about.snapshot) return numbers.start(BigInt(sequence));
    return numbers.proceed(BigInt(sequence), BigInt(previous));
  }

  /** Best bid and offer, as a book of one level. */
  #quote(
    row: JsonRecord,
    instrument: Instrument,
    about: About,
    emit: Emit,
  ): RejectReason | undefined {
    const bid = bestOf(row[this.#dialect.sides.bids]);
    const ask = bestOf(row[this.#dialect.sides.asks]);
    if (bid === undefined || ask === undefined) return "missing-field";
    const venueTimeUs = millisecondsTimeUs(row["ts"]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const values = readQuoteValues(this.#scales.ticks(instrument), bid, ask);
    if (typeof values === "string") return values;
    const { receivedTimeUs } = about;
    emit({ kind: "quote", instrument, venueTimeUs, receivedTimeUs, ...values });
    return undefined;
  }

  /** Lists begin with the newest trade; what leaves here begins with the oldest. */
  #trades(
    rows: readonly unknown[],
    about: {
      readonly instrument: Instrument;
      readonly snapshot: boolean;
      readonly receivedTimeUs: number;
    },
    emit: Emit,
  ): void {
    const { instrument } = about;
    const trades = rows.map((row) => this.#dialect.readTrade(row));
    const [first, last] = [trades[0], trades.at(-1)];
    if (first !== undefined && last !== undefined && isLater(first, last)) trades.reverse();
    for (const trade of trades) {
      const reason = trade === undefined ? "missing-field" : this.#trade(trade, about, emit);
      if (reason === undefined) continue;
      emit({ kind: "rejected", reason, instrument, channel: "trades" });
    }
  }

  #trade(
    trade: BitgetTrade,
    about: {
      readonly instrument: Instrument;
      readonly snapshot: boolean;
      readonly receivedTimeUs: number;
    },
    emit: Emit,
  ): RejectReason | undefined {
    const { instrument, snapshot, receivedTimeUs } = about;
    const { side, tradeId } = trade;
    if (side !== "buy" && side !== "sell") return "missing-field";
    const venueTimeUs = millisecondsTimeUs(trade.time);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const values = readTradeValues(this.#scales.ticks(instrument), trade.price, trade.size);
    if (typeof values === "string") return values;
    emit({
      kind: "trade",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      ...values,
      aggressorSide: side === "buy" ? "buyer" : "seller",
      tradeId,
      historical: snapshot,
    });
    return undefined;
  }

  /** The name is in each row, since one subscription is for a whole part of the venue. */
  #liquidation(row: unknown, about: About, emit: Emit): void {
    const symbol = isRecord(row) ? row["symbol"] : undefined;
    if (!isRecord(row) || typeof symbol !== "string") {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const instrument = this.#catalog.byVenueSymbol(symbol, about.market);
    if (instrument === undefined) {
      emit({ kind: "rejected", reason: "unknown-instrument" });
      return;
    }
    const { receivedTimeUs } = about;
    const reason = readBitgetLiquidation(row, { instrument, receivedTimeUs }, emit);
    if (reason === undefined) return;
    emit({ kind: "rejected", reason, instrument, channel: "liquidations" });
  }

  /** Rejects what was about a known subscription; that book then begins anew. */
  #reject(reason: RejectReason, { reading, market, symbol }: BitgetArgument, emit: Emit): void {
    const instrument =
      symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol, market);
    if (instrument === undefined) emit({ kind: "rejected", reason });
    else {
      const channel = this.#dialect.channels[reading][0];
      emit({ kind: "rejected", reason, instrument, channel });
    }
  }

  /**
   * What a damaged message was about begins anew. Where that cannot be told and nothing numbers
   * messages, every book of the connection may have lost something.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const known = traceBitgetArgument(text, this.#dialect);
    if (known !== undefined && (known.symbol !== undefined || known.reading !== "book")) {
      this.#reject("bad-json", known, emit);
      return;
    }
    emit({ kind: "rejected", reason: "bad-json" });
    if (!this.#dialect.hasChecksums || /^\{\s*"event"/.test(text)) return;
    for (const instrument of this.#scales.books) {
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "book" });
    }
  }
}

/** Books of a few levels, and candles of other lengths, which only recordings of others have. */
function isNotPublished({ channel, topic, interval }: JsonRecord): boolean {
  const name = topic ?? channel;
  if (name === "kline") return typeof interval === "string" && CANDLE_LENGTH.test(interval);
  return typeof name === "string" && NOT_PUBLISHED.test(name);
}

const CANDLE_LENGTH = /^\d+[mHDWM](utc)?$/;
const NOT_PUBLISHED = /^(books(1|5|15|50)|(mark|index)?candle\d+[mHDWM](utc)?)$/i;

type BitgetTrade = NonNullable<ReturnType<BitgetDialect["readTrade"]>>;

const SEQUENCE = /"seq"\s*:\s*(\d+)/;
const PREVIOUS_SEQUENCE = /"pseq"\s*:\s*(\d+)/;

/** The digits of an integer; out of the frame's text where JSON.parse would have rounded it. */
function integerText(value: unknown, text: string, pattern: RegExp): string | undefined {
  if (typeof value === "string") return /^\d{1,40}$/.test(value) ? value : undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) return undefined;
  return Number.isSafeInteger(value) ? String(value) : pattern.exec(text)?.[1];
}

/** Price and size of the first level; both undefined where nobody bids or offers. */
function bestOf(levels: unknown): { readonly price: unknown; readonly size: unknown } | undefined {
  if (!Array.isArray(levels)) return undefined;
  const best: unknown = levels[0];
  if (best === undefined) return { price: undefined, size: undefined };
  if (!Array.isArray(best)) return undefined;
  const [price, size] = best as readonly unknown[];
  return { price, size };
}

/** True if the first trade came after the other, by its time or else by its number. */
function isLater(trade: BitgetTrade, other: BitgetTrade): boolean {
  const [time, otherTime] = [Number(trade.time), Number(other.time)];
  if (time !== otherTime) return time > otherTime;
  const [id, otherId] = [trade.tradeId, other.tradeId];
  return id.length === otherId.length ? id > otherId : id.length > otherId.length;
}
