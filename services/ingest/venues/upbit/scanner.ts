// https://docs.upbit.com/kr/reference/websocket-orderbook
// https://docs.upbit.com/kr/reference/websocket-trade
import { hasSignedPrices } from "#core/instrument.ts";
import type { Instrument } from "#core/instrument.ts";
import { QuoteAt, QuoteTick, TradeAt } from "#core/market-tick.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { type Emit, emitTick, type TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  literal,
  NOT_SO,
  scientific,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedBook, type ScannedLevels } from "../../reading/scanned-levels.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import { beginTick, isWholeQuote, ScannedTrades, setTradeId } from "../../reading/scanned-ticks.ts";
import { SeenMembers } from "../../reading/seen-members.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";

/** What the scanner must know of an instrument. */
export type ScannedTicket = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** Its trades have begun on this connection. */
  hasTrades: boolean;
};

/** Which of these an instrument was asked for. */
type IsWanted = (instrument: Instrument, channel: "book" | "quotes") => boolean;

const BOOK = bytesOf('{"type":"orderbook"');
const TRADE = bytesOf('{"type":"trade"');

const TYPE = bytesOf('"type"');
const CODE = bytesOf('"code":"');
const TIME = bytesOf('"timestamp":');
const UNITS = bytesOf('"orderbook_units":[');
const LEVEL = bytesOf('"level":');

const ASK_PRICE = bytesOf('{"ask_price":');
const BID_PRICE = bytesOf(',"bid_price":');
const ASK_SIZE = bytesOf(',"ask_size":');
const BID_SIZE = bytesOf(',"bid_size":');

const ASK = bytesOf('ASK"');
const BID = bytesOf('BID"');
const SNAPSHOT = bytesOf('SNAPSHOT"');

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** Members that were seen, as bits. */
const Seen = { Code: 1, Time: 2, Units: 4, Level: 8 } as const;
/** A level is said by some only. */
const MEMBERS = Seen.Code | Seen.Time | Seen.Units;

/** Places of numbers in the scanner's column. */
const At = { Time: 0, Level: 1 } as const;

const TRADE_NAMES =
  "type code trade_timestamp trade_price trade_volume ask_bid sequential_id stream_type";
const Member = {
  Type: 0,
  Code: 1,
  Time: 2,
  Price: 3,
  Volume: 4,
  Side: 5,
  Id: 6,
  Stream: 7,
} as const;

/** Reads whole books, and trades, in their bytes. Numbers are bare. */
export class TicketScanner {
  readonly #symbols: SymbolTable<ScannedTicket>;
  readonly #isWanted: IsWanted;
  readonly #plainBookLevel: number;
  readonly #numbers = new Float64Array(2);
  readonly #seen = new SeenMembers();
  readonly #book = new ScannedBook();
  readonly #quote = new QuoteTick();
  /** Of the book that is being scanned, once its code was met. */
  #state: ScannedTicket | undefined;
  readonly #members = new ScannedMembers(TRADE_NAMES.split(" "));
  readonly #trades = new ScannedTrades();

  /** `plainBookLevel` is said of books whose prices are not put together. */
  constructor(symbols: SymbolTable<ScannedTicket>, isWanted: IsWanted, plainBookLevel: number) {
    this.#symbols = symbols;
    this.#isWanted = isWanted;
    this.#plainBookLevel = plainBookLevel;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const book = literal(bytes, 0, BOOK);
    if (book >= 0) return this.#bookOf(bytes, book, receivedTimeUs, emit, takeTick);
    return literal(bytes, 0, TRADE) >= 0 && this.#trade(bytes, receivedTimeUs, emit, takeTick);
  }

  #bookOf(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const numbers = this.#numbers;
    numbers[At.Level] = this.#plainBookLevel;
    this.#seen.begin();
    let at = start;
    while (at >= 0 && bytes[at] === COMMA) at = this.#member(bytes, at + 1);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || at + 1 !== bytes.length) return false;
    if (!this.#seen.has(MEMBERS) || numbers[At.Level] !== this.#plainBookLevel) return false;
    const { instrument, scales } = this.#state!;
    const venueTimeUs = epochTimeUs(numbers[At.Time]);
    if (isBadTime(venueTimeUs) || !this.#hasBest()) return false;
    const columns = this.#book.take(scales);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    if (this.#isWanted(instrument, "book")) {
      emit(bookEvent(subject, scales, columns, { snapshot: true }));
    }
    if (!this.#isWanted(instrument, "quotes")) return true;
    beginTick(this.#quote, this.#state!, receivedTimeUs, venueTimeUs);
    emitTick(this.#quote, emit, takeTick);
    return true;
  }

  /** Puts the best of each side into the quote. False if that does not hold them. */
  #hasBest(): boolean {
    const { bids, asks, form } = this.#book;
    const tick = this.#quote;
    if (!bids.settle(form) || !asks.settle(form)) return false;
    tick.instrument = this.#state!.instrument;
    if (!bids.copyFirst(tick.numbers, QuoteAt.Bid)) return false;
    return asks.copyFirst(tick.numbers, QuoteAt.Ask) && isWholeQuote(tick);
  }

  #member(bytes: Uint8Array, at: number): number {
    const code = literal(bytes, at, CODE);
    if (code >= 0) return this.#code(bytes, code);
    const time = literal(bytes, at, TIME);
    if (time >= 0) return this.#number(bytes, time, At.Time, Seen.Time);
    const units = literal(bytes, at, UNITS);
    if (units >= 0) return this.#seen.isFirst(Seen.Units) ? this.#units(bytes, units) : NOT_SO;
    const level = literal(bytes, at, LEVEL);
    if (level >= 0) return this.#number(bytes, level, At.Level, Seen.Level);
    // A second one of the first member, which is not noted.
    if (bytes[at] !== QUOTE || literal(bytes, at, TYPE) >= 0) return NOT_SO;
    const end = textEnd(bytes, at + 1);
    return end >= 0 && bytes[end + 1] === COLON ? skipScalar(bytes, end + 2) : NOT_SO;
  }

  #code(bytes: Uint8Array, start: number): number {
    const end = textEnd(bytes, start);
    if (end < 0 || !this.#seen.isFirst(Seen.Code)) return NOT_SO;
    const state = this.#symbols.find(bytes, start, end);
    if (state === undefined || hasSignedPrices(state.instrument)) return NOT_SO;
    this.#state = state;
    this.#book.begin(state.scales);
    return end + 1;
  }

  #number(bytes: Uint8Array, at: number, place: number, member: number): number {
    return this.#seen.number(bytes, at, this.#numbers, place, member);
  }

  /** Behind the levels, each of which has both sides. */
  #units(bytes: Uint8Array, start: number): number {
    // Their scales are those of what the code names, which always comes first.
    if (!this.#seen.has(Seen.Code)) return NOT_SO;
    const { bids, asks, form } = this.#book;
    let at = start;
    for (;;) {
      at = asks.nextPrice(bytes, literal(bytes, at, ASK_PRICE), form);
      at = bids.nextPrice(bytes, literal(bytes, at, BID_PRICE), form);
      at = asks.nextSize(bytes, literal(bytes, at, ASK_SIZE), form);
      at = bids.nextSize(bytes, literal(bytes, at, BID_SIZE), form);
      if (at < 0 || bytes[at] !== CLOSE_BRACE || isEmpty(asks) || isEmpty(bids)) return NOT_SO;
      asks.add();
      bids.add();
      at += 1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
      at += 1;
    }
  }

  #trade(
    bytes: Uint8Array,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const members = this.#members;
    const numbers = this.#numbers;
    this.#trades.begin();
    const tick = this.#trades.next();
    if (members.read(bytes, 0) !== bytes.length || tick === undefined) return false;
    const code = members.startOf(Member.Code);
    const state =
      code === 0 ? undefined : this.#symbols.find(bytes, code, members.endOf(Member.Code));
    if (state?.hasTrades !== true) return false;
    const { price, size } = state.scales.form;
    const time = members.startOf(Member.Time);
    if (time === 0) return false;
    if (wholeNumber(bytes, time, numbers, At.Time) !== members.endOf(Member.Time)) return false;
    const priceAt = members.startOf(Member.Price);
    if (priceAt === 0) return false;
    const priceEnd = scientific(bytes, priceAt, price, tick.numbers, TradeAt.Price);
    const sizeAt = members.startOf(Member.Volume);
    if (sizeAt === 0 || priceEnd !== members.endOf(Member.Price)) return false;
    const sizeEnd = scientific(bytes, sizeAt, size, tick.numbers, TradeAt.Size);
    if (sizeEnd !== members.endOf(Member.Volume)) return false;
    const side = members.startOf(Member.Side);
    const isSold = side > 0 && literal(bytes, side, ASK) >= 0;
    if (!isSold && !(side > 0 && literal(bytes, side, BID) >= 0)) return false;
    tick.side = isSold ? "seller" : "buyer";
    const stream = members.startOf(Member.Stream);
    if (stream > 0 && literal(bytes, stream, SNAPSHOT) >= 0) return false;
    const id = members.text(bytes, Member.Id);
    if (id === undefined || id === "") return false;
    setTradeId(tick, id);
    if (!this.#trades.add(state, receivedTimeUs, epochTimeUs(numbers[At.Time]))) return false;
    this.#trades.emit(emit, takeTick);
    return true;
  }
}

/** True if nothing stands at the level that was read: a side with fewer levels is full of zeros. */
function isEmpty(side: ScannedLevels): boolean {
  return side.sizes[side.count] === 0;
}
