// https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
// https://bybit-exchange.github.io/docs/v5/websocket/public/trade
import type { Instrument } from "#core/instrument.ts";
import { BookAt, TradeAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import {
  asciiText,
  bytesOf,
  decimal,
  literal,
  NOT_SO,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import { ScannedTrades, setTradeId } from "../../reading/scanned-ticks.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

/** What the scanner must know of an instrument. */
export type ScannedInstrument = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** Levels of the topic that the book is taken from; 0 before it began. */
  readonly bookDepth: number;
};

const BOOK_HEAD = bytesOf('{"topic":"orderbook.');
const POINT = bytesOf(".");
const DELTA = bytesOf('","type":"delta","ts":');
const BOOK_DATA = bytesOf(',"data":{"s":"');
const BIDS = bytesOf('","b":');
const ASKS = bytesOf(',"a":');
const NUMBER = bytesOf(',"u":');
const SEQUENCE = bytesOf(',"seq":');
const DATA_END = bytesOf("}");
const MATCHED = bytesOf(',"cts":');
const BOOK_TAIL = bytesOf("}");

const TRADE_HEAD = bytesOf('{"topic":"publicTrade.');
const TRADE_TYPE = bytesOf('","type":"snapshot","ts":');
const TRADE_DATA = bytesOf(',"data":[');
const TRADE_TAIL = bytesOf("]}");
const TIME = bytesOf('{"T":');
const SYMBOL = bytesOf(',"s":"');
const BUY = bytesOf('","S":"Buy","v":"');
const SELL = bytesOf('","S":"Sell","v":"');
const PRICE = bytesOf('","p":"');
const PRICE_END = bytesOf('"');
const ID = bytesOf(',"i":"');
/** Members that are of no use, before the id of a trade or behind it. */
const USELESS = [',"L":', ',"BT":', ',"seq":', ',"RPI":'].map(bytesOf);

const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** Places of numbers in the scanner's column. */
const At = { Depth: 0, Sent: 1, Sequence: 2, Matched: 3 } as const;

/** Reads changes of books and trades in their bytes. */
export class BybitScanner {
  readonly #symbols: SymbolTable<ScannedInstrument>;
  readonly #numbers = new Float64Array(4);
  readonly #book = new ScannedChange();
  readonly #trades = new ScannedTrades();

  constructor(symbols: SymbolTable<ScannedInstrument>) {
    this.#symbols = symbols;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const depth = literal(bytes, 0, BOOK_HEAD);
    if (depth >= 0) return this.#change(bytes, depth, receivedTimeUs, emit, takeTick);
    const topic = literal(bytes, 0, TRADE_HEAD);
    return topic >= 0 && this.#tradesOf(bytes, topic, receivedTimeUs, emit, takeTick);
  }

  #change(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const numbers = this.#numbers;
    const name = literal(bytes, wholeNumber(bytes, start, numbers, At.Depth), POINT);
    const nameEnd = textEnd(bytes, name);
    const sent = literal(bytes, nameEnd, DELTA);
    if (sent < 0) return false;
    const state = this.#symbols.find(bytes, name, nameEnd);
    const depth = numbers[At.Depth]!;
    // A topic of one level tells of best prices, and so no book has begun with it.
    if (state === undefined || state.bookDepth !== depth || depth === 0) return false;
    const { levels } = this.#book;
    const { bids, asks, form } = levels;
    levels.begin(state.scales);
    let at = wholeNumber(bytes, sent, numbers, At.Sent);
    at = textEnd(bytes, literal(bytes, at, BOOK_DATA));
    at = bids.quoted(bytes, literal(bytes, at, BIDS), form, 0);
    at = asks.quoted(bytes, literal(bytes, at, ASKS), form, 0);
    at = wholeNumber(bytes, literal(bytes, at, NUMBER), this.#book.numbers, BookAt.LastId);
    at = wholeNumber(bytes, literal(bytes, at, SEQUENCE), numbers, At.Sequence);
    const end = literal(bytes, at, DATA_END);
    const matched = literal(bytes, end, MATCHED);
    const isMatched = matched >= 0;
    at = isMatched ? wholeNumber(bytes, matched, numbers, At.Matched) : end;
    if (literal(bytes, at, BOOK_TAIL) !== bytes.length) return false;
    const venueTimeUs = epochTimeUs(numbers[isMatched ? At.Matched : At.Sent]);
    this.#book.depth = depth;
    this.#book.emit(state, venueTimeUs, receivedTimeUs, emit, takeTick);
    return true;
  }

  #tradesOf(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    // The topic of options names their base asset: each trade has a name of its own.
    const topicEnd = textEnd(bytes, start);
    if (topicEnd <= start || bytes.subarray(start, topicEnd).includes(POINT[0]!)) return false;
    let at = literal(bytes, topicEnd, TRADE_TYPE);
    at = literal(bytes, wholeNumber(bytes, at, this.#numbers, At.Sent), TRADE_DATA);
    this.#trades.begin();
    for (;;) {
      at = this.#trade(bytes, at, receivedTimeUs);
      if (at < 0) return false;
      if (bytes[at] !== COMMA) break;
      at += 1;
    }
    if (literal(bytes, at, TRADE_TAIL) !== bytes.length) return false;
    this.#trades.emit(emit, takeTick);
    return true;
  }

  /** Behind a trade, which is put to the others of the message. */
  #trade(bytes: Uint8Array, start: number, receivedTimeUs: number): number {
    const tick = this.#trades.next();
    if (tick === undefined) return NOT_SO;
    const { numbers } = tick;
    let at = wholeNumber(bytes, literal(bytes, start, TIME), this.#numbers, At.Sent);
    const name = literal(bytes, at, SYMBOL);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return NOT_SO;
    const state = this.#symbols.find(bytes, name, nameEnd);
    if (state === undefined) return NOT_SO;
    const { form } = state.scales;
    const bought = literal(bytes, nameEnd, BUY);
    at = bought < 0 ? literal(bytes, nameEnd, SELL) : bought;
    at = decimal(bytes, at, form.size, numbers, TradeAt.Size);
    at = decimal(bytes, literal(bytes, at, PRICE), form.price, numbers, TradeAt.Price);
    at = skipUseless(bytes, literal(bytes, at, PRICE_END));
    const id = literal(bytes, at, ID);
    const idEnd = textEnd(bytes, id);
    if (idEnd < 0) return NOT_SO;
    tick.side = bought < 0 ? "seller" : "buyer";
    setTradeId(tick, asciiText(bytes, id, idEnd));
    const venueTimeUs = epochTimeUs(this.#numbers[At.Sent]);
    if (!this.#trades.add(state, receivedTimeUs, venueTimeUs)) return NOT_SO;
    at = skipUseless(bytes, idEnd + 1);
    return bytes[at] === CLOSE_BRACE ? at + 1 : NOT_SO;
  }
}

/** Behind the members that nobody wants, as many as there are. */
function skipUseless(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    let value = NOT_SO;
    for (const name of USELESS) if (value < 0) value = literal(bytes, at, name);
    if (value < 0) return at;
    at = skipScalar(bytes, value);
  }
}
