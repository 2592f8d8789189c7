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
  readonly hasBook: boolean;
};

const HEAD = bytesOf('{"type":"l2update","product_id":"');
const CHANGES = bytesOf('","changes":[');
const BUY = bytesOf('["buy",');
const SELL = bytesOf('["sell",');
const TIME = bytesOf(',"time":"');
const TAIL = bytesOf('"}');

const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** Reads changes of books in their bytes: all but a few of the frames of a connection. */
export class CoinbaseScanner {
  readonly #products: SymbolTable<ScannedProduct>;
  readonly #time = new ScannedTime();
  readonly #numbers = new Float64Array(1);
  readonly #book = new ScannedBook();

  constructor(products: SymbolTable<ScannedProduct>) {
    this.#products = products;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    if (bytes[bytes.length - 1] !== CLOSE_BRACE) return false;
    const name = literal(bytes, 0, HEAD);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const product = this.#products.find(bytes, name, nameEnd);
    if (product?.hasBook !== true) return false;
    this.#book.begin(product.scales);
    let at = this.#changes(bytes, literal(bytes, nameEnd, CHANGES));
    at = literal(bytes, at, TIME);
    at = this.#time.read(bytes, at, this.#numbers, 0);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    return this.#emitBook(product, { snapshot: false, receivedTimeUs }, emit);
  }

  #emitBook(
    { instrument, scales }: ScannedProduct,
    { snapshot, receivedTimeUs }: { readonly snapshot: boolean; readonly receivedTimeUs: number },
    emit: Emit,
  ): boolean {
    const columns = this.#book.take(scales);
    if (columns === undefined) return false;
    const venueTimeUs = snapshot ? undefined : this.#numbers[0];
    emit(bookEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, columns, { snapshot }));
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
