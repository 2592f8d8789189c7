// https://docs.kraken.com/exchange/api-reference/spot-websocket-v1/book
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import { bookEvent } from "../../../reading/book-event.ts";
import type { Emit, EventSubject, TakeTick } from "../../../reading/emit.ts";
import { bytesOf, literal, wholeNumber } from "../../../reading/frame-bytes.ts";
import { ScannedChange } from "../../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../../reading/scanned-levels.ts";
import { type KrakenPair, type KrakenPairs, newBookScales } from "../book.ts";

const CHANNEL = bytesOf(',"book-');
const PAIR = bytesOf('","');
const BIDS = bytesOf('{"b":[');
const ASKS = bytesOf('{"a":[');
const SNAPSHOT_ASKS = bytesOf(',{"as":[');
const SNAPSHOT_BIDS = bytesOf(',"bs":[');
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

/** Where the name of the pair stands. */
type NameRange = { readonly name: number; readonly nameEnd: number };

/** Places of numbers in the scanner's column. */
const At = { Channel: 0, Checksum: 1, Depth: 2, Seconds: 3 } as const;

/**
 * Reads books in their bytes. A change is one side, or one side in an object each, of which the
 * last has the checksum. What a message is about stands at its end.
 */
export class KrakenV1Scanner {
  readonly #pairs: KrakenPairs;
  readonly #numbers = new Float64Array(4);
  readonly #changed = new ScannedChange();
  readonly #book = this.#changed.levels;
  readonly #pairOf = (instrument: Instrument): KrakenPair => this.#pairs.of(instrument);
  /** The latest time of a level of the message that is being scanned. */
  #timeUs = 0;

  constructor(pairs: KrakenPairs) {
    this.#pairs = pairs;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const nameEnd = bytes.length - 2;
    if (bytes[0] !== OPEN_BRACKET || bytes[nameEnd + 1] !== CLOSE_BRACKET) return false;
    if (bytes[nameEnd] !== QUOTE) return false;
    let name = nameEnd;
    while (name > 0 && bytes[name - 1] !== QUOTE) name -= 1;
    const levels = wholeNumber(bytes, 1, this.#numbers, At.Channel);
    const asks = literal(bytes, levels, SNAPSHOT_ASKS);
    const range = { name, nameEnd };
    return asks < 0
      ? this.#change(bytes, range, levels, receivedTimeUs, emit, takeTick)
      : this.#snapshot(bytes, range, asks, receivedTimeUs, emit);
  }

  #change(
    bytes: Uint8Array,
    { name, nameEnd }: NameRange,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const pair = this.#pairs.symbols.find(bytes, name, nameEnd);
    if (pair?.hasBook !== true) return false;
    const { instrument } = pair;
    const scales = pair.scales.book;
    this.#book.begin(scales);
    const end = this.#sides(bytes, start);
    if (!this.#isEnd(bytes, end, name)) return false;
    const checksum = this.#numbers[At.Checksum]!;
    if (checksum > CHECKSUM_MAX) return false;
    this.#changed.numbers[BookAt.Checksum] = checksum;
    this.#changed.depth = this.#numbers[At.Depth]!;
    this.#changed.emit({ instrument, scales }, this.#timeUs, receivedTimeUs, emit, takeTick);
    return true;
  }

  /** A whole book, whose precision is that of its own texts. */
  #snapshot(
    bytes: Uint8Array,
    { name, nameEnd }: NameRange,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
  ): boolean {
    const pair = this.#pairs.symbols.findOrMake(bytes, name, nameEnd, this.#pairOf);
    if (pair === undefined) return false;
    const scales = newBookScales();
    this.#book.begin(scales);
    this.#timeUs = 0;
    let at = this.#levels(bytes, start, this.#book.asks);
    at = this.#levels(bytes, literal(bytes, at, SNAPSHOT_BIDS), this.#book.bids);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || !this.#isEnd(bytes, at + 1, name)) return false;
    const columns = this.#book.take(scales);
    pair.hasBook = true;
    pair.scales.startBook(scales);
    const subject = this.#subject(pair, receivedTimeUs);
    const depth = this.#numbers[At.Depth]!;
    emit(bookEvent(subject, scales, columns, { snapshot: true, depth }));
    return true;
  }

  #subject({ instrument }: KrakenPair, receivedTimeUs: number): EventSubject {
    return { instrument, venueTimeUs: this.#timeUs, receivedTimeUs };
  }

  /** True if the channel with its depth stands between the levels and the name. */
  #isEnd(bytes: Uint8Array, start: number, name: number): boolean {
    let at = literal(bytes, start, CHANNEL);
    at = wholeNumber(bytes, at, this.#numbers, At.Depth);
    return literal(bytes, at, PAIR) === name && this.#numbers[At.Depth] !== 0;
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
    const at = bids < 0 ? literal(bytes, start + 1, ASKS) : bids;
    // Not a side for the second time.
    return levels.count > 0 ? -1 : this.#levels(bytes, at, levels);
  }

  /** Behind levels, of which there is at least one, each with its time. */
  #levels(bytes: Uint8Array, start: number, levels: ScannedLevels): number {
    let at = start;
    for (;;) {
      if (at < 0 || bytes[at] !== OPEN_BRACKET) return -1;
      at = levels.pair(bytes, at + 1, this.#book.form);
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
