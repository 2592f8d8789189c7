// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
import type { Instrument } from "#core/instrument.ts";
import { BookAt, QuoteAt, QuoteTick, TradeAt, TradeTick } from "#core/market-tick.ts";
import { type Emit, emitTick, rejectOf, type TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  decimal,
  type DecimalForm,
  type LevelForm,
  literal,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { BookChannelState } from "../../reading/instrument-states.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../reading/scanned-levels.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import { beginTick, isWholeQuote, isWholeTrade } from "../../reading/scanned-ticks.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { SeenMembers } from "../../reading/seen-members.ts";
import { readOkxTicker } from "./readings.ts";

const BOOK_HEAD = bytesOf('{"arg":{"channel":"books","instId":"');
const BOOK_DATA = bytesOf('"},"action":"update","data":[{');
const QUOTE_HEAD = bytesOf('{"arg":{"channel":"bbo-tbt","instId":"');
const QUOTE_DATA = bytesOf('"},"data":[{');
const TICKER_HEAD = bytesOf('{"arg":{"channel":"tickers","instId":"');
const TRADE_HEAD = bytesOf('{"arg":{"channel":"trades","instId":"');
const TAIL = bytesOf("}]}");
const ITEMS_END = bytesOf("]}");
const ASKS = bytesOf('"asks":');
const BIDS = bytesOf('"bids":');
const TIME = bytesOf('"ts":"');
const CHECKSUM = bytesOf('"checksum":');
const NUMBER = bytesOf('"seqId":');
const PREVIOUS_NUMBER = bytesOf('"prevSeqId":');
const TRADE_ID = bytesOf('"tradeId":"');
const PRICE = bytesOf('"px":"');
const SIZE = bytesOf('"sz":"');
const BUY = bytesOf('"side":"buy"');
const SELL = bytesOf('"side":"sell"');
/** Members of a trade that are of no use. */
const USELESS = ['"instId":', '"count":', '"source":'].map(bytesOf);

/** Behind the size of a level: liquidated orders, and the count of orders. */
const TEXTS_BEHIND_LEVEL = 2;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const CLOSE_BRACE = 0x7d;

/** Members that were seen, as bits. */
const Seen = {
  Asks: 1,
  Bids: 2,
  Time: 4,
  Checksum: 8,
  Number: 16,
  PreviousNumber: 32,
  TradeId: 64,
  Price: 128,
  Size: 256,
  Side: 512,
} as const;

const TRADE_MEMBERS = Seen.TradeId | Seen.Price | Seen.Size | Seen.Side | Seen.Time;

/** Places of numbers in the scanner's column. */
const At = {
  Time: 0,
  Checksum: 1,
  Number: 2,
  PreviousNumber: 3,
} as const;

/** What is read of a ticker. */
const TICKER_NAMES = "last lastSz open24h high24h low24h vol24h volCcy24h bidPx askPx ts";

/** What the scanner needs of the reader. */
type OkxScannerOptions = {
  readonly symbols: SymbolTable<BookChannelState>;
  /** Makes what is kept of an instrument that is not in the table yet. */
  readonly stateOf: (instrument: Instrument) => BookChannelState;
  readonly isHistory: IsHistory;
};

/** Whether a trade was there before its channel was confirmed. Asked once for each trade. */
type IsHistory = (
  venueChannel: string,
  instrument: Instrument,
  venueTimeUs: number | undefined,
) => boolean;

/** Reads changes of books, best prices, trades and tickers in their bytes. */
export class OkxScanner {
  readonly #symbols: SymbolTable<BookChannelState>;
  readonly #stateOf: (instrument: Instrument) => BookChannelState;
  readonly #isHistory: IsHistory;
  readonly #ticker = new ScannedMembers(TICKER_NAMES.split(" "));
  readonly #numbers = new Float64Array(4);
  readonly #change = new ScannedChange();
  readonly #levels = this.#change.levels;
  readonly #quoteTick = new QuoteTick();
  readonly #tradeTick = new TradeTick();
  readonly #seen = new SeenMembers();
  /** Of the trade that is being scanned. */
  #isSale = false;

  constructor({ symbols, stateOf, isHistory }: OkxScannerOptions) {
    this.#symbols = symbols;
    this.#stateOf = stateOf;
    this.#isHistory = isHistory;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    if (bytes[bytes.length - 1] !== CLOSE_BRACE) return false;
    const ofBook = literal(bytes, 0, BOOK_HEAD);
    const isBook = ofBook >= 0;
    const ofTrade = isBook ? -1 : literal(bytes, 0, TRADE_HEAD);
    if (ofTrade >= 0) return this.#trade(bytes, ofTrade, receivedTimeUs, emit, takeTick);
    const ofTicker = isBook ? -1 : literal(bytes, 0, TICKER_HEAD);
    if (ofTicker >= 0) return this.#readTicker(bytes, ofTicker, receivedTimeUs, emit);
    const name = isBook ? ofBook : literal(bytes, 0, QUOTE_HEAD);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const state = this.#symbols.find(bytes, name, nameEnd);
    const item = literal(bytes, nameEnd, isBook ? BOOK_DATA : QUOTE_DATA);
    if (state === undefined || item < 0 || !this.#members(bytes, item, state)) return false;
    return isBook
      ? this.#book(state, receivedTimeUs, emit, takeTick)
      : this.#quote(state, receivedTimeUs, emit, takeTick);
  }

  /** Reads the members of the one item, behind which the frame ends. */
  #members(bytes: Uint8Array, start: number, { scales }: BookChannelState): boolean {
    this.#seen.begin();
    this.#levels.begin(scales);
    let at = start;
    for (;;) {
      at = this.#member(bytes, at);
      if (at < 0) return false;
      if (bytes[at] !== COMMA) return literal(bytes, at, TAIL) === bytes.length;
      at += 1;
    }
  }

  #member(bytes: Uint8Array, at: number): number {
    const asks = literal(bytes, at, ASKS);
    if (asks >= 0) return this.#side(bytes, asks, this.#levels.asks, Seen.Asks);
    const bids = literal(bytes, at, BIDS);
    if (bids >= 0) return this.#side(bytes, bids, this.#levels.bids, Seen.Bids);
    const time = literal(bytes, at, TIME);
    if (time >= 0) return this.#quotedNumber(bytes, time, At.Time, Seen.Time);
    const checksum = literal(bytes, at, CHECKSUM);
    if (checksum >= 0) return this.#checksum(bytes, checksum);
    const number = literal(bytes, at, NUMBER);
    if (number >= 0) return this.#number(bytes, number, At.Number, Seen.Number);
    const previous = literal(bytes, at, PREVIOUS_NUMBER);
    return this.#number(bytes, previous, At.PreviousNumber, Seen.PreviousNumber);
  }

  /** The only ticker of a message. */
  #readTicker(bytes: Uint8Array, name: number, receivedTimeUs: number, emit: Emit): boolean {
    const nameEnd = textEnd(bytes, name);
    // The brace is the object's own.
    const item = literal(bytes, nameEnd, QUOTE_DATA) - 1;
    if (item < 0) return false;
    const state = this.#symbols.findOrMake(bytes, name, nameEnd, this.#stateOf);
    if (state === undefined) return false;
    const end = this.#ticker.read(bytes, item);
    if (literal(bytes, end, ITEMS_END) !== bytes.length) return false;
    const ticker = this.#ticker.record(bytes);
    const { instrument } = state;
    const subject = { instrument, venueTimeUs: epochTimeUs(ticker["ts"]), receivedTimeUs };
    const reason = readOkxTicker(ticker, subject, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "ticker");
    return true;
  }

  /** The only trade of a message. */
  #trade(
    bytes: Uint8Array,
    name: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const nameEnd = textEnd(bytes, name);
    const item = literal(bytes, nameEnd, QUOTE_DATA);
    if (item < 0) return false;
    const state = this.#symbols.find(bytes, name, nameEnd);
    if (state === undefined) return false;
    const { instrument, scales } = state;
    this.#seen.begin();
    let at = item;
    for (;;) {
      at = this.#tradeMember(bytes, at, scales.form);
      if (at < 0) return false;
      if (bytes[at] !== COMMA) break;
      at += 1;
    }
    if (literal(bytes, at, TAIL) !== bytes.length || !this.#has(TRADE_MEMBERS)) return false;
    const tick = this.#tradeTick;
    const venueTimeUs = epochTimeUs(this.#numbers[At.Time]);
    if (!beginTick(tick, state, receivedTimeUs, venueTimeUs) || !isWholeTrade(tick)) return false;
    tick.side = this.#isSale ? "seller" : "buyer";
    if (this.#isHistory("trades", instrument, venueTimeUs)) {
      emit({ ...tick.event(), historical: true });
    } else emitTick(tick, emit, takeTick);
    return true;
  }

  #tradeMember(bytes: Uint8Array, at: number, form: LevelForm): number {
    const price = literal(bytes, at, PRICE);
    if (price >= 0) return this.#decimal(bytes, price, form.price, TradeAt.Price, Seen.Price);
    const size = literal(bytes, at, SIZE);
    if (size >= 0) return this.#decimal(bytes, size, form.size, TradeAt.Size, Seen.Size);
    const id = literal(bytes, at, TRADE_ID);
    if (id >= 0) return this.#tradeId(bytes, id);
    const time = literal(bytes, at, TIME);
    if (time >= 0) return this.#quotedNumber(bytes, time, At.Time, Seen.Time);
    const buy = literal(bytes, at, BUY);
    const side = buy < 0 ? literal(bytes, at, SELL) : buy;
    if (side >= 0) {
      this.#isSale = buy < 0;
      return this.#seen.isFirst(Seen.Side) ? side : -1;
    }
    const number = literal(bytes, at, NUMBER);
    if (number >= 0) return skipScalar(bytes, number);
    for (const name of USELESS) {
      const value = literal(bytes, at, name);
      if (value >= 0) return skipScalar(bytes, value);
    }
    return -1;
  }

  #decimal(
    bytes: Uint8Array,
    at: number,
    form: DecimalForm,
    place: number,
    member: number,
  ): number {
    if (!this.#seen.isFirst(member)) return -1;
    const end = decimal(bytes, at, form, this.#tradeTick.numbers, place);
    return end >= 0 && bytes[end] === QUOTE ? end + 1 : -1;
  }

  #tradeId(bytes: Uint8Array, at: number): number {
    if (!this.#seen.isFirst(Seen.TradeId)) return -1;
    const end = wholeNumber(bytes, at, this.#tradeTick.numbers, TradeAt.Id);
    return end >= 0 && bytes[end] === QUOTE ? end + 1 : -1;
  }

  #quotedNumber(bytes: Uint8Array, at: number, place: number, member: number): number {
    const end = this.#number(bytes, at, place, member);
    return end >= 0 && bytes[end] === QUOTE ? end + 1 : -1;
  }

  #side(bytes: Uint8Array, at: number, levels: ScannedLevels, member: number): number {
    if (!this.#seen.isFirst(member)) return -1;
    return levels.quoted(bytes, at, this.#levels.form, TEXTS_BEHIND_LEVEL);
  }

  #number(bytes: Uint8Array, at: number, place: number, member: number): number {
    return this.#seen.number(bytes, at, this.#numbers, place, member);
  }

  #checksum(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== MINUS) return this.#number(bytes, at, At.Checksum, Seen.Checksum);
    const end = this.#number(bytes, at + 1, At.Checksum, Seen.Checksum);
    this.#numbers[At.Checksum] = -this.#numbers[At.Checksum]!;
    return end;
  }

  #has(member: number): boolean {
    return this.#seen.has(member);
  }

  #book(
    state: BookChannelState,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    if (!this.#has(Seen.Asks) || !this.#has(Seen.Bids) || !this.#has(Seen.Time)) return false;
    if (state.bookChannel !== "books") return false;
    const numbers = this.#numbers;
    // Always 0 since the venue gave checksums up.
    const isSummed = this.#has(Seen.Checksum) && numbers[At.Checksum] !== 0;
    const ids = this.#change.numbers;
    ids[BookAt.LastId] = this.#has(Seen.Number) ? numbers[At.Number]! : Number.NaN;
    const hasPrevious = this.#has(Seen.PreviousNumber);
    ids[BookAt.PreviousId] = hasPrevious ? numbers[At.PreviousNumber]! : Number.NaN;
    ids[BookAt.Checksum] = isSummed ? numbers[At.Checksum]! : Number.NaN;
    this.#change.emit(state, epochTimeUs(numbers[At.Time]), receivedTimeUs, emit, takeTick);
    return true;
  }

  #quote(
    state: BookChannelState,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    if (!this.#has(Seen.Time)) return false;
    if (!this.#has(Seen.Bids) || !this.#has(Seen.Asks)) return false;
    const { bids, asks, form } = this.#levels;
    const { scales } = state;
    // A quote that needs a finer scale is decoded, since its scales grow in an order of their own.
    if (form.price !== scales.form.price || form.size !== scales.form.size) return false;
    const tick = this.#quoteTick;
    if (!bids.copyFirst(tick.numbers, QuoteAt.Bid)) return false;
    if (!asks.copyFirst(tick.numbers, QuoteAt.Ask)) return false;
    const venueTimeUs = epochTimeUs(this.#numbers[At.Time]);
    if (!beginTick(tick, state, receivedTimeUs, venueTimeUs) || !isWholeQuote(tick)) return false;
    emitTick(tick, emit, takeTick);
    return true;
  }
}
