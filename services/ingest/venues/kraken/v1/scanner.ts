// https://docs.kraken.com/exchange/api-reference/spot-websocket-v1/book
import { bookEvent } from "../../../reading/book-event.ts";
import type { Emit } from "../../../reading/emit.ts";
import { bytesOf, literal, wholeNumber } from "../../../reading/frame-bytes.ts";
import { ScannedBook } from "../../../reading/scanned-levels.ts";
import type { SymbolTable } from "../../../reading/symbol-table.ts";
import type { KrakenPair } from "../book.ts";

const CHANNEL = bytesOf(',"book-');
const PAIR = bytesOf('","');
const BIDS = bytesOf('{"b":[');
const ASKS = bytesOf('{"a":[');
const CHECKSUM = bytesOf(',"c":"');
const CHECKSUM_END = bytesOf('"}');
const TIME = bytesOf(',"');
const TIME_END = bytesOf('"]');
const REPUBLISHED = bytesOf('","r"]');

const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

const CHECKSUM_MAX = 0xffff_ffff;
/** Digits of the seconds and of the fraction of a level's time. */
const SECONDS_DIGITS = 10;
const FRACTION_DIGITS = 6;

/** Places of numbers in the scanner's column. */
const At = { Channel: 0, Checksum: 1, Depth: 2, Seconds: 3 } as const;

/**
 * Reads changes of books in their bytes: one side, or one side in an object each, of which the last
 * has the checksum. What a message is about stands at its end.
 */
export class KrakenV1Scanner {
  readonly #pairs: SymbolTable<KrakenPair>;
  readonly #numbers = new Float64Array(4);
  readonly #book = new ScannedBook();
  /** The latest time of a level of the message that is being scanned. */
  #timeUs = 0;

  constructor(pairs: SymbolTable<KrakenPair>) {
    this.#pairs = pairs;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    const nameEnd = bytes.length - 2;
    if (bytes[0] !== OPEN_BRACKET || bytes[nameEnd + 1] !== CLOSE_BRACKET) return false;
    if (bytes[nameEnd] !== QUOTE) return false;
    let name = nameEnd;
    while (name > 0 && bytes[name - 1] !== QUOTE) name -= 1;
    const pair = this.#pairs.find(bytes, name, nameEnd);
    if (pair?.hasBook !== true) return false;
    const { instrument } = pair;
    const scales = pair.scales.book;
    this.#book.begin(scales);
    let at = this.#sides(bytes, wholeNumber(bytes, 1, this.#numbers, At.Channel));
    at = literal(bytes, at, CHANNEL);
    at = wholeNumber(bytes, at, this.#numbers, At.Depth);
    if (literal(bytes, at, PAIR) !== name) return false;
    const checksum = this.#numbers[At.Checksum]!;
    const depth = this.#numbers[At.Depth]!;
    if (checksum > CHECKSUM_MAX || depth === 0) return false;
    const subject = { instrument, venueTimeUs: this.#timeUs, receivedTimeUs };
    const columns = this.#book.take(scales);
    if (columns === undefined) return false;
    emit(bookEvent(subject, scales, columns, { snapshot: false, checksum, depth }));
    return true;
  }

  /** Behind the last object. */
  #sides(bytes: Uint8Array, start: number): number {
    this.#timeUs = 0;
    let at = this.#side(bytes, start);
    if (at >= 0 && bytes[at] === CLOSE_BRACE) at = this.#side(bytes, at + 1);
    at = literal(bytes, at, CHECKSUM);
    at = wholeNumber(bytes, at, this.#numbers, At.Checksum);
    return literal(bytes, at, CHECKSUM_END);
  }

  /** Behind the levels of the side that an object begins with. */
  #side(bytes: Uint8Array, start: number): number {
    const book = this.#book;
    if (start < 0 || bytes[start] !== COMMA) return -1;
    const bids = literal(bytes, start + 1, BIDS);
    const levels = bids < 0 ? book.asks : book.bids;
    let at = bids < 0 ? literal(bytes, start + 1, ASKS) : bids;
    // Not a side for the second time, and not one without levels.
    if (at < 0 || levels.count > 0) return -1;
    for (;;) {
      if (bytes[at] !== OPEN_BRACKET) return -1;
      at = levels.pair(bytes, at + 1, book.form);
      at = this.#time(bytes, literal(bytes, at, TIME));
      if (at < 0) return -1;
      const end = literal(bytes, at, TIME_END);
      at = end < 0 ? literal(bytes, at, REPUBLISHED) : end;
      if (at < 0) return -1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at += 1;
    }
  }

  /** Behind `1618678134.545345`. */
  #time(bytes: Uint8Array, start: number): number {
    const numbers = this.#numbers;
    const point = wholeNumber(bytes, start, numbers, At.Seconds);
    if (point !== start + SECONDS_DIGITS || bytes[point] !== POINT) return -1;
    let fraction = 0;
    const end = point + 1 + FRACTION_DIGITS;
    for (let at = point + 1; at < end; at += 1) {
      const digit = bytes[at]! - 0x30;
      if (!(digit >>> 0 < 10 && at < bytes.length)) return -1;
      fraction = fraction * 10 + digit;
    }
    const timeUs = numbers[At.Seconds]! * 1_000_000 + fraction;
    if (timeUs > this.#timeUs) this.#timeUs = timeUs;
    return end;
  }
}
