// https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
import type { Instrument } from "#core/instrument.ts";
import { bookEvent } from "../../reading/book-event.ts";
import type { Emit } from "../../reading/emit.ts";
import { bytesOf, literal, textEnd } from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedBook } from "../../reading/scanned-levels.ts";
import { ScannedTime } from "../../reading/scanned-time.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";

/** What the scanner must know of a product. */
type ScannedProduct = {
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

const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** Reads books in their bytes: all but a few of the frames of a connection. */
export class CoinbaseScanner {
  readonly #products: SymbolTable<ScannedProduct>;
  readonly #productOf: (instrument: Instrument) => ScannedProduct;
  readonly #time = new ScannedTime();
  readonly #numbers = new Float64Array(1);
  readonly #book = new ScannedBook();

  constructor(
    products: SymbolTable<ScannedProduct>,
    productOf: (instrument: Instrument) => ScannedProduct,
  ) {
    this.#products = products;
    this.#productOf = productOf;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    if (bytes[bytes.length - 1] !== CLOSE_BRACE) return false;
    const name = literal(bytes, 0, HEAD);
    if (name < 0) return this.#snapshot(bytes, receivedTimeUs, emit);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const product = this.#products.find(bytes, name, nameEnd);
    if (product?.hasBook !== true) return false;
    this.#book.begin(product.scales);
    let at = this.#changes(bytes, literal(bytes, nameEnd, CHANGES));
    at = literal(bytes, at, TIME);
    at = this.#time.read(bytes, at, this.#numbers, 0);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    const { instrument, scales } = product;
    const columns = this.#book.take(scales);
    if (columns === undefined) return false;
    const subject = { instrument, venueTimeUs: this.#numbers[0], receivedTimeUs };
    emit(bookEvent(subject, scales, columns, { snapshot: false }));
    return true;
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
