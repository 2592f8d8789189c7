// https://docs.kraken.com/exchange/api-reference/spot-websocket
import type { Instrument } from "#core/instrument.ts";
import { BookAt, BookTick, TradeAt, TradeTick } from "#core/market-tick.ts";
import { type Emit, emitTick, type TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  decimal,
  literal,
  NOT_SO,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import { ScannedBook } from "../../reading/scanned-levels.ts";
import { beginTick, isWholeTrade } from "../../reading/scanned-ticks.ts";
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

/** Trades of a message for which room is kept; a longer one is decoded. */
const TRADES_MAX = 64;

/** Reads changes of books, and trades, in their bytes. Numbers are bare. */
export class KrakenScanner {
  readonly #pairs: SymbolTable<KrakenPair>;
  readonly #depthOf: (instrument: Instrument) => number;
  readonly #time = new ScannedTime();
  readonly #book = new ScannedBook();
  readonly #bookTick = new BookTick();
  /** Of the message that is being scanned: none is told before all are read. */
  readonly #trades: TradeTick[] = [];
  #tradeCount = 0;

  /** `depthOf` says how many levels of each side the venue keeps of a book. */
  constructor(pairs: SymbolTable<KrakenPair>, depthOf: (instrument: Instrument) => number) {
    this.#pairs = pairs;
    this.#depthOf = depthOf;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const name = literal(bytes, 0, HEAD);
    if (name < 0) return this.#scanTrades(bytes, receivedTimeUs, emit, takeTick);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const pair = this.#pairs.find(bytes, name, nameEnd);
    if (pair?.hasBook !== true) return false;
    const { instrument } = pair;
    const scales = pair.scales.book;
    const tick = this.#bookTick;
    const { numbers } = tick;
    const { bids, asks, form } = this.#book;
    this.#book.begin(scales);
    let at = bids.named(bytes, literal(bytes, nameEnd, BIDS), form, LEVEL);
    at = asks.named(bytes, literal(bytes, at, ASKS), form, LEVEL);
    at = literal(bytes, at, CHECKSUM);
    at = wholeNumber(bytes, at, numbers, BookAt.Checksum);
    at = literal(bytes, at, TIME);
    at = this.#time.read(bytes, at, numbers, BookAt.Venue);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    if (!this.#book.fill(tick, scales)) return false;
    tick.instrument = instrument;
    tick.depth = this.#depthOf(instrument);
    numbers[BookAt.Received] = receivedTimeUs;
    emitTick(tick, emit, takeTick);
    return true;
  }

  #scanTrades(
    bytes: Uint8Array,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    this.#tradeCount = 0;
    let at = literal(bytes, 0, TRADES_HEAD);
    for (;;) {
      at = this.#trade(bytes, at, receivedTimeUs);
      if (at < 0) return false;
      if (bytes[at] !== COMMA) break;
      at += 1;
    }
    if (literal(bytes, at, TRADES_TAIL) !== bytes.length) return false;
    for (let index = 0; index < this.#tradeCount; index += 1) {
      emitTick(this.#trades[index]!, emit, takeTick);
    }
    return true;
  }

  /** Behind a trade, which is put to the others of the message. */
  #trade(bytes: Uint8Array, start: number, receivedTimeUs: number): number {
    if (start < 0 || this.#tradeCount === TRADES_MAX) return NOT_SO;
    const tick = (this.#trades[this.#tradeCount] ??= new TradeTick());
    const { numbers } = tick;
    const name = literal(bytes, start, SYMBOL);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return NOT_SO;
    const pair = this.#pairs.find(bytes, name, nameEnd);
    if (pair === undefined) return NOT_SO;
    const { ticks } = pair.scales;
    const { form } = ticks;
    const bought = literal(bytes, nameEnd, BUY);
    let at = bought < 0 ? literal(bytes, nameEnd, SELL) : bought;
    at = decimal(bytes, at, form.price, numbers, TradeAt.Price);
    at = decimal(bytes, literal(bytes, at, SIZE), form.size, numbers, TradeAt.Size);
    at = textEnd(bytes, literal(bytes, at, ORDER_TYPE));
    at = wholeNumber(bytes, literal(bytes, at, TRADE_ID), numbers, TradeAt.Id);
    at = this.#time.read(bytes, literal(bytes, at, TIME), numbers, TradeAt.Venue);
    at = literal(bytes, at, TRADE_END);
    if (at < 0 || !isWholeTrade(tick)) return NOT_SO;
    const { instrument } = pair;
    beginTick(tick, { instrument, scales: ticks }, receivedTimeUs, numbers[TradeAt.Venue]);
    tick.side = bought < 0 ? "seller" : "buyer";
    this.#tradeCount += 1;
    return at;
  }
}
