// https://docs.kraken.com/exchange/api-reference/spot-websocket
import type { Instrument } from "#core/instrument.ts";
import { bookEvent } from "../../reading/book-event.ts";
import type { Emit } from "../../reading/emit.ts";
import { bytesOf, literal, textEnd, wholeNumber } from "../../reading/frame-bytes.ts";
import { ScannedBook } from "../../reading/scanned-levels.ts";
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

const CLOSE_BRACE = 0x7d;

/** Places of numbers in the scanner's column. */
const At = { Checksum: 0, Time: 1 } as const;

/** Reads changes of books in their bytes. Numbers are bare. */
export class KrakenScanner {
  readonly #pairs: SymbolTable<KrakenPair>;
  readonly #depthOf: (instrument: Instrument) => number;
  readonly #time = new ScannedTime();
  readonly #numbers = new Float64Array(2);
  readonly #book = new ScannedBook();

  /** `depthOf` says how many levels of each side the venue keeps of a book. */
  constructor(pairs: SymbolTable<KrakenPair>, depthOf: (instrument: Instrument) => number) {
    this.#pairs = pairs;
    this.#depthOf = depthOf;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    if (bytes[bytes.length - 1] !== CLOSE_BRACE) return false;
    const name = literal(bytes, 0, HEAD);
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
}
