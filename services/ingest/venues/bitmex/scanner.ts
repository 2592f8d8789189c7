// https://www.bitmex.com/app/wsAPI
import type { Instrument } from "#core/instrument.ts";
import { QuoteAt, QuoteTick, TradeAt } from "#core/market-tick.ts";
import { type Emit, emitTick, type TakeTick } from "../../reading/emit.ts";
import {
  asciiText,
  bytesOf,
  literal,
  NOT_SO,
  scientific,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import { beginTick, isWholeQuote, ScannedTrades, setTradeId } from "../../reading/scanned-ticks.ts";
import { ScannedTime } from "../../reading/scanned-time.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import type { BitmexLevels } from "./book.ts";

/** What the scanner must know of an instrument. */
export type ScannedBitmex = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  readonly levels: BitmexLevels;
  /** Its trades have begun on this connection. */
  hasTrades: boolean;
};

const BOOK = bytesOf('{"table":"orderBookL2');
const SMALL_BOOK = bytesOf("_25");
const UPDATE = bytesOf('","action":"update","data":[');
const INSERT = bytesOf('","action":"insert","data":[');
const DELETE = bytesOf('","action":"delete","data":[');
const TRADES = bytesOf('{"table":"trade","action":"insert","data":[');
const QUOTE = bytesOf('{"table":"quote","action":"insert","data":[');
const TAIL = bytesOf("]}");

const SYMBOL = bytesOf('{"symbol":"');
const ID = bytesOf('","id":');
const BUY = bytesOf(',"side":"Buy"');
const SELL = bytesOf(',"side":"Sell"');
const SIZE = bytesOf(',"size":');
const PRICE = bytesOf(',"price":');
const TIME = bytesOf(',"timestamp":"');
const TIME_END = bytesOf('"');
const MATCHED = bytesOf(',"transactTime":');

const TRADE_NAMES = "timestamp symbol side size price trdMatchID";
const TradeMember = { Time: 0, Symbol: 1, Side: 2, Size: 3, Price: 4, Id: 5 } as const;
const QUOTE_NAMES = "timestamp symbol bidSize bidPrice askPrice askSize";
const QuoteMember = { Time: 0, Symbol: 1, BidSize: 2, Bid: 3, Ask: 4, AskSize: 5 } as const;

const BOUGHT = bytesOf('Buy"');
const SOLD = bytesOf('Sell"');

const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** Rows of a book's message; a longer one is decoded. */
const ROWS_MAX = 256;

/** Reads changes of books, trades and quotes in their bytes. Numbers are bare. */
export class BitmexScanner {
  readonly #symbols: SymbolTable<ScannedBitmex>;
  readonly #time = new ScannedTime();
  /** The time of a row, and its id. */
  readonly #numbers = new Float64Array(2);
  readonly #changed = new ScannedChange();
  /** Where the ids and prices of the rows stand, to be remembered once all were read. */
  readonly #ids = new Int32Array(2 * ROWS_MAX);
  readonly #prices = new Int32Array(2 * ROWS_MAX);
  #rowCount = 0;
  /** Of the rows before: what they are about, their latest time, and how long it is written. */
  #state: ScannedBitmex | undefined;
  #timeUs = 0;
  #timeLength = 0;
  readonly #trades = new ScannedTrades();
  readonly #trade = new ScannedMembers(TRADE_NAMES.split(" "));
  readonly #quote = new ScannedMembers(QUOTE_NAMES.split(" "));
  readonly #quoteTick = new QuoteTick();

  constructor(symbols: SymbolTable<ScannedBitmex>) {
    this.#symbols = symbols;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const book = literal(bytes, 0, BOOK);
    if (book >= 0) return this.#change(bytes, book, receivedTimeUs, emit, takeTick);
    const trades = literal(bytes, 0, TRADES);
    if (trades >= 0) return this.#tradesOf(bytes, trades, receivedTimeUs, emit, takeTick);
    const quote = literal(bytes, 0, QUOTE);
    return quote >= 0 && this.#quoteOf(bytes, quote, receivedTimeUs, emit, takeTick);
  }

  #begin(): void {
    this.#rowCount = 0;
    this.#state = undefined;
    this.#trades.begin();
  }

  /** Reads rows of one book, each of which says its price. */
  #change(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const small = literal(bytes, start, SMALL_BOOK);
    const action = small < 0 ? start : small;
    const gone = literal(bytes, action, DELETE);
    const inserted = gone < 0 ? literal(bytes, action, INSERT) : gone;
    let at = inserted < 0 ? literal(bytes, action, UPDATE) : inserted;
    this.#begin();
    for (;;) {
      at = this.#row(bytes, at, gone >= 0);
      if (at < 0) return false;
      if (bytes[at] !== COMMA) break;
      at += 1;
    }
    const state = this.#state;
    if (state === undefined || literal(bytes, at, TAIL) !== bytes.length) return false;
    this.#remember(bytes, state.levels, gone >= 0);
    this.#changed.emit(state, this.#timeUs, receivedTimeUs, emit, takeTick);
    return true;
  }

  /** Behind a row, whose level is put to the others. */
  #row(bytes: Uint8Array, start: number, isGone: boolean): number {
    const name = literal(bytes, start, SYMBOL);
    const nameEnd = textEnd(bytes, name);
    const id = literal(bytes, nameEnd, ID);
    const idEnd = wholeNumber(bytes, id, this.#numbers, 1);
    if (idEnd < 0 || this.#rowCount === ROWS_MAX) return NOT_SO;
    if (!this.#isOfBook(this.#symbols.find(bytes, name, nameEnd))) return NOT_SO;
    const { levels } = this.#changed;
    const { form } = levels;
    const buy = literal(bytes, idEnd, BUY);
    const side = buy < 0 ? levels.asks : levels.bids;
    let at = buy < 0 ? literal(bytes, idEnd, SELL) : buy;
    const size = literal(bytes, at, SIZE);
    if (isGone) {
      if (size >= 0) at = skipScalar(bytes, size);
      side.nextIsGone(form);
    } else {
      at = side.nextSize(bytes, size, form);
    }
    const price = literal(bytes, at, PRICE);
    const priceEnd = side.nextPrice(bytes, price, form);
    at = this.#timeOf(bytes, literal(bytes, priceEnd, TIME));
    const matched = literal(bytes, at, MATCHED);
    if (matched >= 0) at = skipScalar(bytes, matched);
    if (at < 0 || bytes[at] !== CLOSE_BRACE) return NOT_SO;
    side.add();
    const place = 2 * this.#rowCount;
    this.#ids[place] = id;
    this.#ids[place + 1] = idEnd;
    this.#prices[place] = price;
    this.#prices[place + 1] = priceEnd;
    this.#rowCount += 1;
    return at + 1;
  }

  /** Begins with the book of the first row. False for a row of another one. */
  #isOfBook(state: ScannedBitmex | undefined): boolean {
    if (state === undefined) return false;
    if (this.#rowCount > 0) return state === this.#state;
    this.#state = state;
    this.#changed.levels.begin(state.scales);
    return true;
  }

  /** Behind the time of a row, of which the latest is kept. All have to be written alike. */
  #timeOf(bytes: Uint8Array, start: number): number {
    const end = this.#time.read(bytes, start, this.#numbers, 0);
    if (end < 0) return NOT_SO;
    const timeUs = this.#numbers[0]!;
    if (this.#rowCount === 0) this.#timeLength = end - start;
    else if (end - start !== this.#timeLength) return NOT_SO;
    if (this.#rowCount === 0 || timeUs > this.#timeUs) this.#timeUs = timeUs;
    return literal(bytes, end, TIME_END);
  }

  #remember(bytes: Uint8Array, levels: BitmexLevels, isGone: boolean): void {
    const ids = this.#ids;
    const prices = this.#prices;
    for (let place = 0; place < 2 * this.#rowCount; place += 2) {
      const id = asciiText(bytes, ids[place]!, ids[place + 1]!);
      if (isGone) levels.forget(id);
      else levels.remember(id, asciiText(bytes, prices[place]!, prices[place + 1]!));
    }
  }

  #tradesOf(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    this.#begin();
    let at = start;
    for (;;) {
      at = this.#readTrade(bytes, at, receivedTimeUs);
      if (at < 0) return false;
      if (bytes[at] !== COMMA) break;
      at += 1;
    }
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    this.#trades.emit(emit, takeTick);
    return true;
  }

  /** Behind a trade, which is of the instrument of those before. */
  #readTrade(bytes: Uint8Array, start: number, receivedTimeUs: number): number {
    const members = this.#trade;
    const end = members.read(bytes, start);
    const tick = this.#trades.next();
    if (end < 0 || tick === undefined) return NOT_SO;
    const state = this.#stateOf(bytes, members, TradeMember.Symbol);
    if (state?.hasTrades !== true) return NOT_SO;
    if (this.#state !== undefined && state !== this.#state) return NOT_SO;
    this.#state = state;
    const { form } = state.scales;
    const { numbers } = tick;
    if (!isDecimal(bytes, members, TradeMember.Price, form.price, numbers, TradeAt.Price)) {
      return NOT_SO;
    }
    if (!isDecimal(bytes, members, TradeMember.Size, form.size, numbers, TradeAt.Size)) {
      return NOT_SO;
    }
    const side = members.startOf(TradeMember.Side);
    const isBought = side > 0 && literal(bytes, side, BOUGHT) >= 0;
    if (!isBought && !(side > 0 && literal(bytes, side, SOLD) >= 0)) return NOT_SO;
    tick.side = isBought ? "buyer" : "seller";
    const id = members.text(bytes, TradeMember.Id);
    if (id === undefined || id === "" || !this.#isTimed(bytes, members)) return NOT_SO;
    setTradeId(tick, id);
    return this.#trades.add(state, receivedTimeUs, this.#numbers[0]) ? end : NOT_SO;
  }

  /** A message of one quote; those of several are decoded. */
  #quoteOf(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const members = this.#quote;
    const end = members.read(bytes, start);
    if (literal(bytes, end, TAIL) !== bytes.length) return false;
    const state = this.#stateOf(bytes, members, QuoteMember.Symbol);
    if (state === undefined || !this.#isTimed(bytes, members)) return false;
    const { form } = state.scales;
    const tick = this.#quoteTick;
    const { numbers } = tick;
    const { Bid, BidSize, Ask, AskSize } = QuoteMember;
    if (!isDecimal(bytes, members, Bid, form.price, numbers, QuoteAt.Bid)) return false;
    if (!isDecimal(bytes, members, BidSize, form.size, numbers, QuoteAt.BidSize)) return false;
    if (!isDecimal(bytes, members, Ask, form.price, numbers, QuoteAt.Ask)) return false;
    if (!isDecimal(bytes, members, AskSize, form.size, numbers, QuoteAt.AskSize)) return false;
    beginTick(tick, state, receivedTimeUs, this.#numbers[0]);
    if (!isWholeQuote(tick)) return false;
    emitTick(tick, emit, takeTick);
    return true;
  }

  #stateOf(bytes: Uint8Array, members: ScannedMembers, symbol: number): ScannedBitmex | undefined {
    const start = members.startOf(symbol);
    return start === 0 ? undefined : this.#symbols.find(bytes, start, members.endOf(symbol));
  }

  /** Reads the time, which is the first of the members. */
  #isTimed(bytes: Uint8Array, members: ScannedMembers): boolean {
    const start = members.startOf(0);
    if (start === 0) return false;
    return this.#time.read(bytes, start, this.#numbers, 0) === members.endOf(0);
  }
}

/** Puts a decimal into the column; false if the member is none, or is finer than its form. */
function isDecimal(
  bytes: Uint8Array,
  members: ScannedMembers,
  member: number,
  form: ScaleTracker["form"]["price"],
  column: Float64Array,
  index: number,
): boolean {
  const start = members.startOf(member);
  if (start === 0) return false;
  return scientific(bytes, start, form, column, index) === members.endOf(member);
}
