// https://www.kucoin.com/docs-new/3470067w0 (level 2), 3470063w0 (ticker)
import type { Instrument } from "#core/instrument.ts";
import { BookAt, QuoteAt, QuoteTick } from "#core/market-tick.ts";
import { type Emit, emitTick, type TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  decimal,
  literal,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../reading/scanned-levels.ts";
import { beginTick, isWholeQuote } from "../../reading/scanned-ticks.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { SeenMembers } from "../../reading/seen-members.ts";

/** What the reader keeps of an instrument. */
export type KucoinPair = { readonly instrument: Instrument; readonly scales: ScaleTracker };

const BOOK_TOPIC = bytesOf("/market/level2:");
const QUOTE_TOPIC = bytesOf("/market/ticker:");
const BOOK_SUBJECT = bytesOf('"subject":"trade.l2update"');
const QUOTE_SUBJECT = bytesOf('"subject":"trade.ticker"');
// The topic stands at the beginning, or in older recordings at the end.
const TOPIC_FIRST = bytesOf('{"topic":"');
const BEHIND_TOPIC = bytesOf('","type":"message",');
const DATA = bytesOf(',"data":{');
const TAIL = bytesOf("}}");
const DATA_FIRST = bytesOf('{"data":{');
const BEHIND_DATA = bytesOf("},");
const TOPIC_LAST = bytesOf(',"topic":"');
const TAIL_BEHIND_TOPIC = bytesOf('","type":"message"}');

const CHANGES = bytesOf('"changes":{');
const ASKS = bytesOf('"asks":[');
const BIDS = bytesOf('"bids":[');
const FIRST_NUMBER = bytesOf('"sequenceStart":');
const LAST_NUMBER = bytesOf('"sequenceEnd":');
const TIME = bytesOf('"time":');
const PRICES = ['"bestBid":"', '"bestBidSize":"', '"bestAsk":"', '"bestAskSize":"'].map(bytesOf);
/** What nobody reads of these messages. */
const UNREAD = ['"symbol":', '"sequence":', '"size":', '"price":'].map(bytesOf);
const EMPTY_ROW = bytesOf('["0","0","');

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** Members that were seen, as bits; the four prices of a quote follow. */
const Seen = { Changes: 1, FirstNumber: 2, LastNumber: 4, Time: 8, Prices: 16 } as const;
const BOOK_MEMBERS = Seen.Changes | Seen.FirstNumber | Seen.LastNumber;
const QUOTE_MEMBERS = Seen.Prices * 15;

/** Places of numbers in the scanner's column. */
const At = { Time: 0, Row: 1 } as const;

/** Reads changes of books and best prices in their bytes. */
export class KucoinScanner {
  readonly #pairs: SymbolTable<KucoinPair>;
  readonly #makePair: (instrument: Instrument) => KucoinPair;
  readonly #numbers = new Float64Array(2);
  readonly #changed = new ScannedChange();
  readonly #levels = this.#changed.levels;
  readonly #quoteTick = new QuoteTick();
  // Of the frame that is being scanned.
  #pair: KucoinPair | undefined;
  #isBook = false;
  readonly #seen = new SeenMembers();

  /** `makePair` is asked for what is not in the table yet. */
  constructor(pairs: SymbolTable<KucoinPair>, makePair: (instrument: Instrument) => KucoinPair) {
    this.#pairs = pairs;
    this.#makePair = makePair;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    if (bytes[bytes.length - 1] !== CLOSE_BRACE) return false;
    const topic = literal(bytes, 0, TOPIC_FIRST);
    const isRead = topic < 0 ? this.#readDataFirst(bytes) : this.#readTopicFirst(bytes, topic);
    if (!isRead) return false;
    return this.#isBook
      ? this.#book(receivedTimeUs, emit, takeTick)
      : this.#quote(receivedTimeUs, emit, takeTick);
  }

  #readTopicFirst(bytes: Uint8Array, topic: number): boolean {
    const topicEnd = textEnd(bytes, topic);
    if (topicEnd < 0 || !this.#topic(bytes, topic, topicEnd)) return false;
    let at = literal(bytes, topicEnd, BEHIND_TOPIC);
    at = literal(bytes, at, this.#isBook ? BOOK_SUBJECT : QUOTE_SUBJECT);
    at = this.#data(bytes, literal(bytes, at, DATA));
    return literal(bytes, at, TAIL) === bytes.length;
  }

  #readDataFirst(bytes: Uint8Array): boolean {
    const data = literal(bytes, 0, DATA_FIRST);
    const topicEnd = bytes.length - TAIL_BEHIND_TOPIC.length;
    if (data < 0 || topicEnd < 0 || literal(bytes, topicEnd, TAIL_BEHIND_TOPIC) < 0) return false;
    let topic = topicEnd;
    while (topic > 0 && bytes[topic - 1] !== QUOTE) topic -= 1;
    if (!this.#topic(bytes, topic, topicEnd)) return false;
    let at = literal(bytes, this.#data(bytes, data), BEHIND_DATA);
    at = literal(bytes, at, this.#isBook ? BOOK_SUBJECT : QUOTE_SUBJECT);
    return literal(bytes, at, TOPIC_LAST) === topic;
  }

  #topic(bytes: Uint8Array, start: number, end: number): boolean {
    const book = literal(bytes, start, BOOK_TOPIC);
    const name = book < 0 ? literal(bytes, start, QUOTE_TOPIC) : book;
    if (name < 0 || name > end) return false;
    this.#isBook = book >= 0;
    this.#pair = this.#pairs.findOrMake(bytes, name, end, this.#makePair);
    return this.#pair !== undefined;
  }

  /** Behind the members of the data, at its brace. */
  #data(bytes: Uint8Array, start: number): number {
    this.#seen.begin();
    let at = start;
    for (;;) {
      at = this.#isBook ? this.#bookMember(bytes, at) : this.#quoteMember(bytes, at);
      if (at < 0 || bytes[at] !== COMMA) return at;
      at += 1;
    }
  }

  #bookMember(bytes: Uint8Array, at: number): number {
    const changes = literal(bytes, at, CHANGES);
    if (changes >= 0) return this.#seen.isFirst(Seen.Changes) ? this.#changes(bytes, changes) : -1;
    const first = literal(bytes, at, FIRST_NUMBER);
    if (first >= 0) return this.#id(bytes, first, BookAt.FirstId, Seen.FirstNumber);
    const last = literal(bytes, at, LAST_NUMBER);
    if (last >= 0) return this.#id(bytes, last, BookAt.LastId, Seen.LastNumber);
    return this.#otherMember(bytes, at);
  }

  #quoteMember(bytes: Uint8Array, at: number): number {
    const form = this.#pair?.scales.form;
    if (form === undefined) return -1;
    for (let index = 0; index < PRICES.length; index += 1) {
      const value = literal(bytes, at, PRICES[index]!);
      if (value < 0) continue;
      if (!this.#seen.isFirst(Seen.Prices << index)) return -1;
      const of = index % 2 === 0 ? form.price : form.size;
      const end = decimal(bytes, value, of, this.#quoteTick.numbers, QuoteAt.Bid + index);
      return end >= 0 && bytes[end] === QUOTE ? end + 1 : -1;
    }
    return this.#otherMember(bytes, at);
  }

  #otherMember(bytes: Uint8Array, at: number): number {
    const time = literal(bytes, at, TIME);
    if (time >= 0) {
      if (!this.#seen.isFirst(Seen.Time)) return -1;
      return wholeNumber(bytes, time, this.#numbers, At.Time);
    }
    for (const name of UNREAD) {
      const value = literal(bytes, at, name);
      if (value >= 0) return skipScalar(bytes, value);
    }
    return -1;
  }

  #id(bytes: Uint8Array, at: number, place: number, member: number): number {
    return this.#seen.number(bytes, at, this.#changed.numbers, place, member);
  }

  /** Behind both sides, asks first. */
  #changes(bytes: Uint8Array, start: number): number {
    const scales = this.#pair?.scales;
    if (scales === undefined) return -1;
    this.#levels.begin(scales);
    let at = this.#rows(bytes, literal(bytes, start, ASKS), this.#levels.asks);
    if (at < 0 || bytes[at] !== COMMA) return -1;
    at = this.#rows(bytes, literal(bytes, at + 1, BIDS), this.#levels.bids);
    return at >= 0 && bytes[at] === CLOSE_BRACE ? at + 1 : -1;
  }

  /** Behind rows of price, size and number, in the order of their numbers. */
  #rows(bytes: Uint8Array, start: number, levels: ScannedLevels): number {
    if (start < 0) return -1;
    if (bytes[start] === CLOSE_BRACKET) return start + 1;
    let at = start;
    let numberBefore = 0;
    for (;;) {
      // Of price 0 is a row that only moves the number on.
      let number = literal(bytes, at, EMPTY_ROW);
      if (number < 0) {
        if (bytes[at] !== OPEN_BRACKET) return -1;
        const end = levels.pair(bytes, at + 1, this.#levels.form);
        if (end < 0 || bytes[end] !== COMMA || bytes[end + 1] !== QUOTE) return -1;
        number = end + 2;
      }
      at = wholeNumber(bytes, number, this.#numbers, At.Row);
      if (at < 0 || bytes[at] !== QUOTE || bytes[at + 1] !== CLOSE_BRACKET) return -1;
      if (this.#numbers[At.Row]! < numberBefore) return -1;
      numberBefore = this.#numbers[At.Row]!;
      at += 2;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at += 1;
    }
  }

  #timeUs(): number | undefined {
    return !this.#seen.has(Seen.Time) ? undefined : epochTimeUs(this.#numbers[At.Time]);
  }

  #book(receivedTimeUs: number, emit: Emit, takeTick: TakeTick | undefined): boolean {
    const pair = this.#pair;
    if (pair === undefined || !this.#seen.has(BOOK_MEMBERS)) return false;
    this.#changed.emit(pair, this.#timeUs(), receivedTimeUs, emit, takeTick);
    return true;
  }

  #quote(receivedTimeUs: number, emit: Emit, takeTick: TakeTick | undefined): boolean {
    const pair = this.#pair;
    if (pair === undefined || !this.#seen.has(QUOTE_MEMBERS)) return false;
    const tick = this.#quoteTick;
    if (!beginTick(tick, pair, receivedTimeUs, this.#timeUs()) || !isWholeQuote(tick)) return false;
    emitTick(tick, emit, takeTick);
    return true;
  }
}
