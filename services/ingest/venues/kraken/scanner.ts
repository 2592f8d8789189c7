// https://docs.kraken.com/exchange/api-reference/spot-websocket
import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import { bookEvent } from "../../reading/book-event.ts";
import type { Emit } from "../../reading/emit.ts";
import {
  bytesOf,
  decimal,
  literal,
  NOT_SO,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import { ScannedBook } from "../../reading/scanned-levels.ts";
import { scannedTrade } from "../../reading/scanned-ticks.ts";
import { ScannedTime } from "../../reading/scanned-time.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import type { KrakenPair } from "./book.ts";

const HEAD = bytesOf('{"channel":"book","type":"update","data":[{"symbol":"');
const BIDS = bytesOf('","bids":');
const ASKS = bytesOf(',"asks":');
const LEVEL = { price: bytesOf('{"price":'), size: bytesOf(',"qty":') };
const CHECKSUM = bytesOf(',"checksum":');
const TIME = bytesOf(',"timestamp":"');
const TAIL = bytesOf('"}]}');

const TRADES_HEAD = bytesOf('{"channel":"trade","type":"update","data":[');
const SYMBOL = bytesOf('{"symbol":"');
const BUY = bytesOf('","side":"buy","price":');
const SELL = bytesOf('","side":"sell","price":');
const SIZE = bytesOf(',"qty":');
const ORDER_TYPE = bytesOf(',"ord_type":"');
const TRADE_ID = bytesOf('","trade_id":');
const TRADE_END = bytesOf('"}');
const TRADES_TAIL = bytesOf("]}");

const COMMA = 0x2c;

/** Places of numbers in the scanner's column. */
const At = { Checksum: 0, Time: 1, Price: 2, Size: 3, TradeId: 4 } as const;

/** Reads changes of books, and trades, in their bytes. Numbers are bare. */
export class KrakenScanner {
  readonly #pairs: SymbolTable<KrakenPair>;
  readonly #depthOf: (instrument: Instrument) => number;
  readonly #time = new ScannedTime();
  readonly #numbers = new Float64Array(5);
  readonly #book = new ScannedBook();
  /** Of the message that is being scanned: none is told before all are read. */
  readonly #trades: Trade[] = [];

  /** `depthOf` says how many levels of each side the venue keeps of a book. */
  constructor(pairs: SymbolTable<KrakenPair>, depthOf: (instrument: Instrument) => number) {
    this.#pairs = pairs;
    this.#depthOf = depthOf;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    const name = literal(bytes, 0, HEAD);
    if (name < 0) return this.#scanTrades(bytes, receivedTimeUs, emit);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const pair = this.#pairs.find(bytes, name, nameEnd);
    if (pair?.hasBook !== true) return false;
    const { instrument } = pair;
    const scales = pair.scales.book;
    const { bids, asks, form } = this.#book;
    this.#book.begin(scales);
    let at = bids.named(bytes, literal(bytes, nameEnd, BIDS), form, LEVEL);
    at = asks.named(bytes, literal(bytes, at, ASKS), form, LEVEL);
    at = literal(bytes, at, CHECKSUM);
    at = wholeNumber(bytes, at, this.#numbers, At.Checksum);
    at = literal(bytes, at, TIME);
    at = this.#time.read(bytes, at, this.#numbers, At.Time);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    const subject = { instrument, venueTimeUs: this.#numbers[At.Time], receivedTimeUs };
    const columns = this.#book.take(scales);
    if (columns === undefined) return false;
    const checksum = this.#numbers[At.Checksum];
    const depth = this.#depthOf(instrument);
    emit(bookEvent(subject, scales, columns, { snapshot: false, checksum, depth }));
    return true;
  }

  #scanTrades(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    this.#trades.length = 0;
    let at = literal(bytes, 0, TRADES_HEAD);
    for (;;) {
      at = this.#trade(bytes, at, receivedTimeUs);
      if (at < 0) return false;
      if (bytes[at] !== COMMA) break;
      at += 1;
    }
    if (literal(bytes, at, TRADES_TAIL) !== bytes.length) return false;
    for (const trade of this.#trades) emit(trade);
    return true;
  }

  /** Behind a trade, which is put to the others of the message. */
  #trade(bytes: Uint8Array, start: number, receivedTimeUs: number): number {
    const numbers = this.#numbers;
    const name = literal(bytes, start, SYMBOL);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return NOT_SO;
    const pair = this.#pairs.find(bytes, name, nameEnd);
    if (pair === undefined) return NOT_SO;
    const { ticks } = pair.scales;
    const { form } = ticks;
    const bought = literal(bytes, nameEnd, BUY);
    let at = bought < 0 ? literal(bytes, nameEnd, SELL) : bought;
    at = decimal(bytes, at, form.price, numbers, At.Price);
    at = decimal(bytes, literal(bytes, at, SIZE), form.size, numbers, At.Size);
    at = textEnd(bytes, literal(bytes, at, ORDER_TYPE));
    at = wholeNumber(bytes, literal(bytes, at, TRADE_ID), numbers, At.TradeId);
    at = this.#time.read(bytes, literal(bytes, at, TIME), numbers, At.Time);
    at = literal(bytes, at, TRADE_END);
    if (at < 0) return NOT_SO;
    const { instrument } = pair;
    const subject = { instrument, venueTimeUs: numbers[At.Time], receivedTimeUs };
    const side = bought < 0 ? "seller" : "buyer";
    const tradeId = String(numbers[At.TradeId]);
    const trade = scannedTrade(subject, ticks, numbers, At.Price, side, tradeId);
    if (trade === undefined) return NOT_SO;
    this.#trades.push(trade);
    return at;
  }
}
