import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedDecoderContext, RejectReason, RestPurpose } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { doubtEach } from "../../reading/damage.ts";
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
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { oldestFirst, type TradeOrder } from "../../reading/oldest-first.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { PONG } from "../../reading/text-pongs.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { readBitgetAnswer, traceBitgetArgument } from "./answers.ts";
import { BitgetBook, type BookPosition } from "./book.ts";
import { type BitgetTrade, digitsOf } from "./fields.ts";
import {
  BITGET_CHANNELS,
  type BitgetArgument,
  type BitgetDialect,
  type BitgetReading,
  readBitgetCandles,
  readBitgetLiquidation,
  readBitgetQuote,
  readBitgetTicker,
  readBitgetTrade,
} from "./readings.ts";
import { isNotPublished } from "./requests.ts";
import { BitgetScanner } from "./scanner.ts";

const NO_ARGUMENT: JsonRecord = {};

const SEQUENCE = /"seq"\s*:\s*(\d+)/;
const PREVIOUS_SEQUENCE = /"pseq"\s*:\s*(\d+)/;

/** What a message says besides its rows. */
type Frame = { readonly snapshot: boolean; readonly text: string };

/** Reads every version of Bitget's public feed; a dialect says in what they differ. */
export class BitgetReader implements FrameReader<JsonRecord | typeof PONG, unknown> {
  readonly #dialect: BitgetDialect;
  readonly #catalog: InstrumentCatalog;
  /** The scales of trades and quotes. */
  readonly #ticks = new InstrumentStates(() => new ScaleTracker());
  readonly #books = new InstrumentStates((instrument) => {
    const book = new BitgetBook();
    this.#scanner.add(instrument, book);
    return book;
  });
  readonly #candles = new CandleCloser();
  readonly #scanner: BitgetScanner;

  constructor(dialect: BitgetDialect, context: FeedDecoderContext) {
    this.#dialect = dialect;
    this.#catalog = context.catalog;
    this.#scanner = new BitgetScanner(
      dialect,
      context.catalog,
      (argument, ticker, venueTimeUs, receivedTimeUs, emit) =>
        this.#scannedTicker(argument, ticker, venueTimeUs, receivedTimeUs, emit),
    );
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  message(
    message: JsonRecord | typeof PONG,
    receivedTimeUs: number,
    emit: Emit,
    text: string,
  ): void {
    if (message === PONG) return heartbeat(emit);
    if (message["event"] !== undefined) return readBitgetAnswer(message, this.#dialect, emit);
    const { arg, data, action } = message;
    const argument = isRecord(arg) ? arg : NO_ARGUMENT;
    const about = this.#dialect.readArgument(argument);
    if (about === undefined && isNotPublished(argument)) return heartbeat(emit);
    if (about === undefined || (action !== "snapshot" && action !== "update")) {
      return reject(emit, "unknown-message");
    }
    if (!Array.isArray(data)) return this.#lose("missing-field", about, emit);
    const venueTimeUs = epochTimeUs(message["ts"]);
    const rows = data as readonly unknown[];
    const { reading, market, symbol } = about;
    if (reading === "liquidation") {
      for (const row of rows) this.#liquidation(row, market, receivedTimeUs, emit);
      return;
    }
    const instrument = lookUpInstrument(this.#catalog, symbol, emit, market);
    if (instrument === undefined) return;
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    this.#rows(reading, rows, subject, { snapshot: action === "snapshot", text }, emit);
  }

  /**
   * What a damaged message was about begins anew. Where that cannot be told and nothing numbers
   * messages, every book of the connection may have lost something.
   */
  damaged(text: string, emit: Emit): void {
    const about = traceBitgetArgument(text, this.#dialect);
    if (about !== undefined && (about.symbol !== undefined || about.reading !== "book")) {
      return this.#lose("bad-json", about, emit);
    }
    reject(emit, "bad-json");
    if (!this.#dialect.hasChecksums || /^\{\s*"event"/.test(text)) return;
    doubtEach(this.#books.instruments(), "book", emit);
  }

  answer(
    body: unknown,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    if (kind !== "trades") return "unknown-message";
    const data = isRecord(body) ? body["data"] : undefined;
    if (!Array.isArray(data)) return "missing-field";
    this.#trades(data, { instrument, venueTimeUs: undefined, receivedTimeUs }, false, emit);
    return undefined;
  }

  #scannedTicker(
    argument: JsonRecord,
    ticker: JsonRecord,
    venueTimeUs: number | undefined,
    receivedTimeUs: number,
    emit: Emit,
  ): boolean {
    const about = this.#dialect.readArgument(argument);
    if (about?.reading !== "ticker") return false;
    const instrument = lookUpInstrument(this.#catalog, about.symbol, emit, about.market);
    if (instrument === undefined) return true;
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    const reason = readBitgetTicker(ticker, subject, this.#dialect.ticker, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, BITGET_CHANNELS.ticker[0]);
    return true;
  }

  #rows(
    reading: BitgetReading,
    rows: readonly unknown[],
    subject: EventSubject,
    frame: Frame,
    emit: Emit,
  ): void {
    if (reading === "trade") return this.#trades(rows, subject, frame.snapshot, emit);
    const [channel] = BITGET_CHANNELS[reading];
    if (reading === "candle") {
      const reason = readBitgetCandles(rows, subject, this.#candles, emit);
      if (reason !== undefined) rejectOf(emit, reason, subject.instrument, channel);
      return;
    }
    for (const row of rows) {
      const reason = isRecord(row)
        ? this.#row(reading, row, subject, frame, emit)
        : "missing-field";
      if (reason !== undefined) rejectOf(emit, reason, subject.instrument, channel);
    }
  }

  #row(
    reading: BitgetReading,
    row: JsonRecord,
    subject: EventSubject,
    frame: Frame,
    emit: Emit,
  ): Fault {
    if (reading === "book") return this.#book(row, subject, frame, emit);
    if (reading === "ticker") return readBitgetTicker(row, subject, this.#dialect.ticker, emit);
    const { bids, asks } = this.#dialect.sides;
    const sides = { bids: row[bids], asks: row[asks], time: row["ts"] };
    return readBitgetQuote(sides, subject, this.#ticks.of(subject.instrument), emit);
  }

  #book(
    row: JsonRecord,
    { instrument, receivedTimeUs }: EventSubject,
    frame: Frame,
    emit: Emit,
  ): Fault {
    const { snapshot } = frame;
    // Known as a book of this connection from here on, whatever is wrong with the message.
    const book = this.#books.of(instrument);
    if (snapshot) book.begin();
    const { bids: bidsKey, asks: asksKey } = this.#dialect.sides;
    const { [bidsKey]: bids, [asksKey]: asks, checksum: sent } = row;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    const venueTimeUs = epochTimeUs(row["ts"]);
    const { hasChecksums } = this.#dialect;
    if (hasChecksums && !Number.isInteger(sent)) return "missing-field";
    // Version 3 had them once, and 0 in their place; where one comes it is worth a comparison.
    const isProof = hasChecksums || (Number.isInteger(sent) && sent !== 0);
    const checksum = isProof ? (sent as number) : undefined;
    const columns = book.scales.book(bids, asks);
    if (typeof columns === "string") return columns;
    const position = hasChecksums ? NOT_NUMBERED : positionOf(row, book, frame);
    if (position === undefined) return "missing-field";
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    const { lastUpdateId, previousUpdateId } = position;
    const form = { snapshot, lastUpdateId, previousUpdateId, checksum };
    emit(bookEvent(subject, book.scales, columns, form));
    return undefined;
  }

  #trades(rows: readonly unknown[], subject: EventSubject, historical: boolean, emit: Emit): void {
    const { instrument } = subject;
    const scales = this.#ticks.of(instrument);
    const trades = rows.map((row) => this.#dialect.readTrade(row));
    for (const trade of oldestFirst(trades, "either", orderOfTrade)) {
      const reason =
        trade === undefined
          ? "missing-field"
          : readBitgetTrade(trade, subject, { historical, scales }, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
    }
  }

  /** The name is in each row, since one subscription is for a whole part of the venue. */
  #liquidation(row: unknown, market: string, receivedTimeUs: number, emit: Emit): void {
    const fields = isRecord(row) ? row : NO_ARGUMENT;
    const instrument = lookUpInstrument(this.#catalog, fields["symbol"], emit, market);
    if (instrument === undefined) return;
    const reason = readBitgetLiquidation(fields, { instrument, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "liquidations");
  }

  /** Counts what was about a known subscription; if it is a book, that begins anew. */
  #lose(reason: RejectReason, { reading, market, symbol }: BitgetArgument, emit: Emit): void {
    const instrument =
      symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol, market);
    if (instrument === undefined) reject(emit, reason);
    else rejectOf(emit, reason, instrument, BITGET_CHANNELS[reading][0]);
  }
}

const NOT_NUMBERED: Partial<BookPosition> = {};

/** Where a message stands in the book's numbering; undefined if it does not say. */
function positionOf(
  row: JsonRecord,
  { numbers }: BitgetBook,
  { snapshot, text }: Frame,
): BookPosition | undefined {
  const sequence = digitsOf(row["seq"], text, SEQUENCE);
  const previous = digitsOf(row["pseq"], text, PREVIOUS_SEQUENCE);
  if (sequence === undefined || previous === undefined) return undefined;
  if (snapshot) return numbers.start(BigInt(sequence));
  return numbers.proceed(BigInt(sequence), BigInt(previous));
}

/** Version 1 has no numbers, and an empty text in their place. */
function orderOfTrade(trade: BitgetTrade | undefined): TradeOrder {
  return { id: trade?.tradeId || undefined, time: epochTimeUs(trade?.time) };
}
