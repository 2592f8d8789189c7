// https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
import type { Instrument } from "#core/instrument.ts";
import { BookTick, TickAt, TradeAt, TradeTick } from "#core/market-tick.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { type Emit, emitTick, rejectOf, type TakeTick } from "../../reading/emit.ts";
import { bytesOf, decimal, literal, textEnd, wholeNumber } from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedBook } from "../../reading/scanned-levels.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import { beginTick, isWholeTrade } from "../../reading/scanned-ticks.ts";
import { ScannedTime } from "../../reading/scanned-time.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { parseIsoTimeUs } from "../../reading/venue-time.ts";
import { noteMatch, type NumberedTrades, readTicker } from "./readings.ts";

/** What the scanner must know of a product. */
type ScannedProduct = NumberedTrades & {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** The connection has its book. */
  hasBook: boolean;
};

const HEAD = bytesOf('{"type":"l2update","product_id":"');
const SNAPSHOT_HEAD = bytesOf('{"type":"snapshot","product_id":"');
const ASKS = bytesOf('","asks":');
const BIDS = bytesOf(',"bids":');
const SNAPSHOT_TAIL = bytesOf("}");
const CHANGES = bytesOf('","changes":[');
const BUY = bytesOf('["buy",');
const SELL = bytesOf('["sell",');
const TIME = bytesOf(',"time":"');
const TAIL = bytesOf('"}');
const MATCH_HEAD = bytesOf('{"type":"match","trade_id":');
const MAKER = bytesOf(',"maker_order_id":"');
const TAKER = bytesOf('","taker_order_id":"');
const MAKER_SOLD = bytesOf('","side":"sell","size":"');
const MAKER_BOUGHT = bytesOf('","side":"buy","size":"');
const PRICE = bytesOf('","price":"');
const PRODUCT = bytesOf('","product_id":"');
const SEQUENCE = bytesOf('","sequence":');

/** What is read of a ticker. */
const TICKER_NAMES = [
  "type",
  "product_id",
  "time",
  "price",
  "last_size",
  "open_24h",
  "high_24h",
  "low_24h",
  "volume_24h",
  "best_bid",
  "best_bid_size",
  "best_ask",
  "best_ask_size",
];
const PRODUCT_ID = TICKER_NAMES.indexOf("product_id");

const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
const LETTER_M = 0x6d;
const LETTER_T = 0x74;

/** What the letter that tells messages apart stands behind: `{"type":"`. */
const TYPE_AT = 9;

/** Reads books, trades and tickers in their bytes: all but a few of the frames of a connection. */
export class CoinbaseScanner {
  readonly #products: SymbolTable<ScannedProduct>;
  readonly #productOf: (instrument: Instrument) => ScannedProduct;
  readonly #time = new ScannedTime();
  readonly #book = new ScannedBook();
  readonly #bookTick = new BookTick();
  readonly #tradeTick = new TradeTick();
  readonly #members = new ScannedMembers(TICKER_NAMES);
  /** For a number that is read and not used. */
  readonly #unused = new Float64Array(1);

  constructor(
    products: SymbolTable<ScannedProduct>,
    productOf: (instrument: Instrument) => ScannedProduct,
  ) {
    this.#products = products;
    this.#productOf = productOf;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    if (bytes[bytes.length - 1] !== CLOSE_BRACE) return false;
    const name = literal(bytes, 0, HEAD);
    if (name < 0) return this.#other(bytes, receivedTimeUs, emit, takeTick);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const product = this.#products.find(bytes, name, nameEnd);
    if (product?.hasBook !== true) return false;
    const tick = this.#bookTick;
    this.#book.begin(product.scales);
    let at = this.#changes(bytes, literal(bytes, nameEnd, CHANGES));
    at = literal(bytes, at, TIME);
    at = this.#time.read(bytes, at, tick.numbers, TickAt.Venue);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    if (!this.#book.fill(tick, product.scales)) return false;
    tick.instrument = product.instrument;
    tick.numbers[TickAt.Received] = receivedTimeUs;
    emitTick(tick, emit, takeTick);
    return true;
  }

  /** What is no change of a book. */
  #other(
    bytes: Uint8Array,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const letter = bytes[TYPE_AT];
    if (letter === LETTER_M) return this.#match(bytes, receivedTimeUs, emit, takeTick);
    if (letter === LETTER_T) return this.#ticker(bytes, receivedTimeUs, emit);
    return this.#snapshot(bytes, receivedTimeUs, emit);
  }

  /** A whole book, asks first, which has no time. */
  #snapshot(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    const name = literal(bytes, 0, SNAPSHOT_HEAD);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const product = this.#products.findOrMake(bytes, name, nameEnd, this.#productOf);
    if (product === undefined) return false;
    const { instrument, scales } = product;
    const { bids, asks, form } = this.#book;
    this.#book.begin(scales);
    let at = asks.quoted(bytes, literal(bytes, nameEnd, ASKS), form, 0);
    at = bids.quoted(bytes, literal(bytes, at, BIDS), form, 0);
    if (literal(bytes, at, SNAPSHOT_TAIL) !== bytes.length) return false;
    const columns = this.#book.take(scales);
    if (columns === undefined) return false;
    product.hasBook = true;
    const subject = { instrument, venueTimeUs: undefined, receivedTimeUs };
    emit(bookEvent(subject, scales, columns, { snapshot: true }));
    return true;
  }

  #ticker(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    const members = this.#members;
    if (members.read(bytes, 0) !== bytes.length) return false;
    const ticker = members.record(bytes);
    if (ticker["type"] !== "ticker" || typeof ticker["product_id"] !== "string") return false;
    const name = members.startOf(PRODUCT_ID);
    const nameEnd = members.endOf(PRODUCT_ID);
    const product = this.#products.findOrMake(bytes, name, nameEnd, this.#productOf);
    if (product === undefined) return false;
    const { instrument, scales } = product;
    const subject = { instrument, venueTimeUs: parseIsoTimeUs(ticker["time"]), receivedTimeUs };
    const reason = readTicker(ticker, subject, scales, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, "ticker");
    return true;
  }

  /** A trade. Which product it is of, and so its scales, stands behind its numbers. */
  #match(
    bytes: Uint8Array,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const tick = this.#tradeTick;
    const { numbers } = tick;
    let at = wholeNumber(bytes, literal(bytes, 0, MATCH_HEAD), numbers, TradeAt.Id);
    at = textEnd(bytes, literal(bytes, at, MAKER));
    at = textEnd(bytes, literal(bytes, at, TAKER));
    const sold = literal(bytes, at, MAKER_SOLD);
    const size = sold < 0 ? literal(bytes, at, MAKER_BOUGHT) : sold;
    const sizeEnd = textEnd(bytes, size);
    const price = literal(bytes, sizeEnd, PRICE);
    const priceEnd = textEnd(bytes, price);
    const name = literal(bytes, priceEnd, PRODUCT);
    const nameEnd = textEnd(bytes, name);
    at = wholeNumber(bytes, literal(bytes, nameEnd, SEQUENCE), this.#unused, 0);
    at = this.#time.read(bytes, literal(bytes, at, TIME), numbers, TradeAt.Venue);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    const product = this.#products.find(bytes, name, nameEnd);
    if (product === undefined) return false;
    const { form } = product.scales;
    if (decimal(bytes, price, form.price, numbers, TradeAt.Price) !== priceEnd) return false;
    if (decimal(bytes, size, form.size, numbers, TradeAt.Size) !== sizeEnd) return false;
    if (!isWholeTrade(tick)) return false;
    beginTick(tick, product, receivedTimeUs, numbers[TradeAt.Venue]);
    tick.side = sold < 0 ? "seller" : "buyer";
    noteMatch(product, product.instrument, numbers[TradeAt.Id]!, emit);
    emitTick(tick, emit, takeTick);
    return true;
  }

  /** Behind the changes, of which there is at least one. */
  #changes(bytes: Uint8Array, start: number): number {
    const { bids, asks, form } = this.#book;
    let at = start;
    for (;;) {
      const bid = literal(bytes, at, BUY);
      if (bid >= 0) at = bids.pair(bytes, bid, form);
      else {
        const ask = literal(bytes, at, SELL);
        if (ask < 0) return -1;
        at = asks.pair(bytes, ask, form);
      }
      if (at < 0 || bytes[at] !== CLOSE_BRACKET) return -1;
      at += 1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at += 1;
    }
  }
}
