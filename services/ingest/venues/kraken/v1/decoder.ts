// https://docs.kraken.com/exchange/api-reference/spot-websocket-v1/book
// https://docs.kraken.com/exchange/guides/websockets/book-checksum-v1
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type { FeedDecoderContext, RejectReason } from "../../../feed/feed-adapter.ts";
import { bookEvent } from "../../../reading/book-event.ts";
import { CandleCloser } from "../../../reading/candle-closer.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import { doubtEach, rejectDamaged } from "../../../reading/damage.ts";
import { type Emit, reject, rejectOf, type TakeTick } from "../../../reading/emit.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { quoteEvent } from "../../../reading/quote-event.ts";
import { isRecord, type JsonRecord } from "../../../reading/text-fields.ts";
import { tickerEvent } from "../../../reading/ticker-event.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../../reading/venue-time.ts";
import { KrakenPairs, nearestBookDepth } from "../book.ts";
import { readKrakenV1Answer } from "./answers.ts";
import { checksumOf, elementOf, latestTimeUs } from "./fields.ts";
import { CHANNEL_OF_STREAM } from "./requests.ts";
import { KrakenV1Scanner } from "./scanner.ts";

type JsonArray = readonly unknown[];

const NONE: JsonArray = [];
const SIDES = { buyer: "b", seller: "s" };

/** What a data message is about. */
type Subject = {
  readonly instrument: Instrument;
  /** The number at the end of the channel's name: depth or interval. NaN if there is none. */
  readonly suffix: number;
  readonly receivedTimeUs: number;
};

/**
 * Reads one connection. Every decimal is quoted; connection ids are beyond 2^53 and come out
 * rounded, but nobody reads them.
 */
export class KrakenV1Reader implements FrameReader<JsonRecord | JsonArray, unknown> {
  readonly #catalog: InstrumentCatalog;
  readonly #bookDepth: number;
  readonly #pairs: KrakenPairs;
  readonly #scanner: KrakenV1Scanner;
  readonly #candles = new CandleCloser();
  /** Instruments whose quotes come from the spread channel, at every change and with a time. */
  readonly #spreads = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#bookDepth = nearestBookDepth(context.bookDepth);
    this.#pairs = new KrakenPairs(context.catalog);
    this.#scanner = new KrakenV1Scanner(this.#pairs);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  message(message: JsonRecord | JsonArray, receivedTimeUs: number, emit: Emit): void {
    if (isArray(message)) return this.#data(message, receivedTimeUs, emit);
    const confirmed = readKrakenV1Answer(message, emit);
    if (confirmed?.channel !== "book") return;
    const instrument = this.#catalog.byVenueSymbol(confirmed.venueSymbol);
    // Its first snapshot may be the one that cannot be read.
    if (instrument !== undefined) this.#pairs.of(instrument).hasBook = true;
  }

  /**
   * Nothing numbers messages here: what a damaged frame was about must be found out, or every book
   * may be wrong.
   */
  damaged(text: string, emit: Emit): void {
    const names = /"(book|trade|ticker|spread|ohlc)(?:-\d+)?"\s*,\s*"([^"\\]+)"/.exec(text);
    const instrument = names?.[2] === undefined ? undefined : this.#catalog.byVenueSymbol(names[2]);
    if (rejectDamaged(emit, instrument, CHANNEL_OF_STREAM.get(names?.[1]))) return;
    if (!text.startsWith("{")) doubtEach(this.#pairs.withBooks(), "book", emit);
  }

  #data(message: JsonArray, receivedTimeUs: number, emit: Emit): void {
    const pair = message.at(-1);
    const name = message.at(-2);
    if (message.length < 4 || typeof pair !== "string" || typeof name !== "string") {
      return reject(emit, "unknown-message");
    }
    const dash = name.indexOf("-");
    const stream = dash < 0 ? name : name.slice(0, dash);
    const channel = CHANNEL_OF_STREAM.get(stream);
    if (channel === undefined) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, pair, emit);
    if (instrument === undefined) return;
    const suffix = dash < 0 ? Number.NaN : Number(name.slice(dash + 1));
    const reason = this.#read(stream, message, { instrument, suffix, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  #read(
    stream: string,
    message: JsonArray,
    subject: Subject,
    emit: Emit,
  ): RejectReason | undefined {
    switch (stream) {
      case "book":
        return this.#book(message, subject, emit);
      case "trade":
        return this.#trades(message[1], subject, emit);
      case "ticker":
        return this.#ticker(message[1], subject, emit);
      case "spread":
        return this.#spread(message[1], subject, emit);
      default: {
        const candle = candleOf(message[1], subject);
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
    }
  }

  /** Bids and asks of an update may come in one object each; the checksum is in the last. */
  #book(message: JsonArray, subject: Subject, emit: Emit): RejectReason | undefined {
    const { instrument, suffix, receivedTimeUs } = subject;
    const pair = this.#pairs.of(instrument);
    pair.hasBook = true;
    const first = message[1];
    const second = message.length > 4 ? message[2] : undefined;
    if (!isRecord(first) || (second !== undefined && !isRecord(second))) return "missing-field";
    const snapshot = "as" in first || "bs" in first;
    const bids = sideOf(first, second, snapshot ? "bs" : "b");
    const asks = sideOf(first, second, snapshot ? "as" : "a");
    if (bids === undefined && asks === undefined) return "missing-field";
    if (!Array.isArray(bids ?? NONE) || !Array.isArray(asks ?? NONE)) return "missing-field";
    const checksum = checksumOf(second?.["c"] ?? first["c"]);
    if (checksum !== undefined && Number.isNaN(checksum)) return "missing-field";
    const bidLevels = (bids ?? NONE) as JsonArray;
    const askLevels = (asks ?? NONE) as JsonArray;
    const venueTimeUs = latestTimeUs(bidLevels, askLevels);
    const { scales } = pair;
    if (snapshot) scales.startBook();
    const columns = scales.book.book(bidLevels, askLevels);
    if (typeof columns === "string") return columns;
    const depth = suffix > 0 ? suffix : this.#bookDepth;
    const common = { instrument, venueTimeUs, receivedTimeUs };
    emit(bookEvent(common, scales.book, columns, { snapshot, checksum, depth }));
    return undefined;
  }

  #trades(rows: unknown, subject: Subject, emit: Emit): RejectReason | undefined {
    if (!Array.isArray(rows)) return "missing-field";
    let damaged: RejectReason | undefined;
    for (const row of rows) damaged = this.#trade(row, subject, emit) ?? damaged;
    return damaged;
  }

  /** `[price, volume, time, side, order type, misc]` */
  #trade(row: unknown, subject: Subject, emit: Emit): RejectReason | undefined {
    if (!Array.isArray(row)) return "missing-field";
    const aggressorSide = takerSide<unknown>(row[3], SIDES);
    if (aggressorSide === undefined) return "missing-field";
    const { instrument, receivedTimeUs } = subject;
    const venueTimeUs = epochTimeUs(row[2]);
    const [price, size] = row as readonly unknown[];
    const form = { price, size, aggressorSide, tradeId: "", historical: false };
    const { ticks } = this.#pairs.of(instrument).scales;
    const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, ticks, form);
    if (typeof event === "string") return event;
    emit(event);
    return undefined;
  }

  /** `[bid, ask, time, bid volume, ask volume]` */
  #spread(row: unknown, subject: Subject, emit: Emit): RejectReason | undefined {
    if (!Array.isArray(row) || row.length < 5) return "missing-field";
    const { instrument, receivedTimeUs } = subject;
    this.#spreads.add(instrument);
    const venueTimeUs = epochTimeUs(row[2]);
    const event = quoteEvent(
      { instrument, venueTimeUs, receivedTimeUs },
      this.#pairs.of(instrument).scales.ticks,
      { price: row[0], size: row[3] },
      { price: row[1], size: row[4] },
    );
    if (typeof event === "string") return event;
    emit(event);
    return undefined;
  }

  /**
   * Pairs of today's and the last 24 hours' values; best bid and offer are `[price, whole lots,
   * volume]`.
   */
  #ticker(fields: unknown, subject: Subject, emit: Emit): RejectReason | undefined {
    if (!isRecord(fields)) return "missing-field";
    const { instrument, receivedTimeUs } = subject;
    const common = { instrument, venueTimeUs: undefined, receivedTimeUs };
    const { a: ask, b: bid, c: last } = fields;
    if (!Array.isArray(ask) || !Array.isArray(bid) || !Array.isArray(last)) return "missing-field";
    const quote = quoteEvent(
      common,
      this.#pairs.of(instrument).scales.ticks,
      { price: bid[0], size: bid[2] },
      { price: ask[0], size: ask[2] },
    );
    if (typeof quote === "string") return quote;
    const ticker = tickerEvent(common, {
      lastPrice: last[0],
      lastSize: last[1],
      openPrice: elementOf(fields["o"], 1),
      highPrice: elementOf(fields["h"], 1),
      lowPrice: elementOf(fields["l"], 1),
      volume: elementOf(fields["v"], 1),
      bidPrice: bid[0],
      askPrice: ask[0],
    });
    if (typeof ticker === "string") return ticker;
    if (!this.#spreads.has(instrument)) emit(quote);
    emit(ticker);
    return undefined;
  }
}

/** `[time, end, open, high, low, close, average, volume, trades]` */
function candleOf(row: unknown, subject: Subject): Candle | RejectReason {
  if (!Array.isArray(row) || !(subject.suffix > 0)) return "missing-field";
  const [time, end, open, high, low, close, , volume, trades] = row as JsonArray;
  const venueTimeUs = epochTimeUs(time);
  const endTimeUs = epochTimeUs(end);
  if (endTimeUs === undefined) return "missing-field";
  if (isBadTime(endTimeUs)) return "bad-time";
  const intervalMs = subject.suffix * 60_000;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  return {
    kind: "candle",
    instrument: subject.instrument,
    venueTimeUs,
    receivedTimeUs: subject.receivedTimeUs,
    intervalMs,
    openTimeUs: endTimeUs - intervalMs * 1000,
    ...values,
    quoteVolume: undefined,
    tradeCount: Number.isSafeInteger(trades) ? (trades as number) : undefined,
    closed: false,
  };
}

function sideOf(first: JsonRecord, second: JsonRecord | undefined, key: string): unknown {
  return first[key] ?? second?.[key];
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(message: JsonRecord | JsonArray): message is JsonArray {
  return Array.isArray(message);
}
