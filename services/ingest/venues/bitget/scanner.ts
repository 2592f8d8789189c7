// https://www.bitget.com/docs/uta/websocket/public/Order-Book-Channel
// https://bitgetlimited.github.io/apidoc/en/spot/#websocketapi (version 1)
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import {
  asciiText,
  bytesOf,
  literal,
  skipDigits,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import { SeenMembers } from "../../reading/seen-members.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import type { JsonRecord } from "../../reading/text-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import type { BitgetBook } from "./book.ts";
import type { BitgetDialect } from "./readings.ts";

/** What the scanner must know of a book. */
type ScannedBitgetBook = { readonly instrument: Instrument; readonly book: BitgetBook };

/** Books of one part of the venue, and what stands before a name in their messages. */
type Market = {
  readonly name: string;
  readonly head: Uint8Array;
  readonly books: SymbolTable<ScannedBitgetBook>;
};

/** Reads a ticker; false if its argument is none. The time is that of the message. */
type OnTicker = (
  argument: JsonRecord,
  ticker: JsonRecord,
  venueTimeUs: number | undefined,
  receivedTimeUs: number,
  emit: Emit,
) => boolean;

const HEAD = bytesOf('{"action":"update","arg":{"instType":"');
const SNAPSHOT_HEAD = bytesOf('{"action":"snapshot","arg":{"instType":"');
const CHECKSUM = bytesOf('"checksum":');
const TIME = bytesOf('"ts":"');
const SEQUENCE = bytesOf('"seq":');
const PREVIOUS_SEQUENCE = bytesOf('"pseq":');
const DEPTH = bytesOf('"maxdepth":');
const TICKER_DATA = bytesOf('"},"data":[');
const ROW_END = bytesOf("}]");
const MESSAGE_TIME = bytesOf(',"ts":');

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** Members that were seen, as bits. */
const Seen = { Checksum: 1, Time: 2, Sequence: 4, PreviousSequence: 8, Depth: 16 } as const;

const NUMBERS = Seen.Sequence | Seen.PreviousSequence;

/** Places of numbers in the scanner's column. */
const At = { MessageTime: 0, Checksum: 1, Time: 2 } as const;

/** Where the words of a ticker's argument stand. */
type TickerRange = { readonly start: number; readonly marketEnd: number; readonly name: number };

/** Digits of a number of an update, which may be beyond 2^53. */
const SEQUENCE_DIGITS_MAX = 40;

/** Reads changes of books, and tickers, in their bytes. */
export class BitgetScanner {
  readonly #dialect: BitgetDialect;
  readonly #catalog: InstrumentCatalog;
  readonly #markets: Market[] = [];
  /** What must be there besides the levels. */
  readonly #members: number;
  readonly #row: Uint8Array;
  readonly #onTicker: OnTicker;
  /** Between the part of the venue and the name of a ticker. */
  readonly #tickerChannel: Uint8Array;
  readonly #ticker: ScannedMembers;
  readonly #bids: Uint8Array;
  readonly #changed = new ScannedChange();
  readonly #numbers = new Float64Array(3);
  readonly #seen = new SeenMembers();
  /** The digits of both numbers of the message that is being scanned. */
  #sequence = "";
  #previous = "";

  constructor(dialect: BitgetDialect, catalog: InstrumentCatalog, onTicker: OnTicker) {
    this.#dialect = dialect;
    this.#catalog = catalog;
    this.#onTicker = onTicker;
    const { sides, hasChecksums, argumentKeys, ticker } = dialect;
    const { channelKey, symbolKey } = argumentKeys;
    this.#tickerChannel = bytesOf(`","${channelKey}":"ticker","${symbolKey}":"`);
    this.#ticker = new ScannedMembers([...new Set(Object.values(ticker).flat())]);
    this.#members = Seen.Time | (hasChecksums ? Seen.Checksum : NUMBERS);
    this.#row = bytesOf(`"},"data":[{"${sides.asks}":`);
    this.#bids = bytesOf(`,"${sides.bids}":`);
  }

  /** Changes of this book are scanned from now on. */
  add(instrument: Instrument, book: BitgetBook): void {
    const { venueMarket } = instrument;
    if (venueMarket === undefined || !/^[\w-]+$/.test(venueMarket)) return;
    let market = this.#markets.find(({ name }) => name === venueMarket);
    if (market === undefined) {
      const { channelKey, symbolKey } = this.#dialect.argumentKeys;
      const head = bytesOf(`${venueMarket}","${channelKey}":"books","${symbolKey}":"`);
      market = { name: venueMarket, head, books: new SymbolTable(this.#catalog) };
      this.#markets.push(market);
    }
    market.books.add(instrument, { instrument, book });
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const change = literal(bytes, 0, HEAD);
    const start = change < 0 ? literal(bytes, 0, SNAPSHOT_HEAD) : change;
    const marketEnd = textEnd(bytes, start);
    if (marketEnd < 0) return false;
    const ticker = literal(bytes, marketEnd, this.#tickerChannel);
    if (ticker >= 0) {
      return this.#readTicker(bytes, { start, marketEnd, name: ticker }, receivedTimeUs, emit);
    }
    if (change < 0) return false;
    for (const { head, books } of this.#markets) {
      const name = literal(bytes, start, head);
      if (name < 0) continue;
      const nameEnd = textEnd(bytes, name);
      if (nameEnd < 0) return false;
      const known = books.find(bytes, name, nameEnd);
      return (
        known !== undefined && this.#change(bytes, nameEnd, known, receivedTimeUs, emit, takeTick)
      );
    }
    return false;
  }

  /** Reads the only ticker of a message. */
  #readTicker(
    bytes: Uint8Array,
    { start, marketEnd, name }: TickerRange,
    receivedTimeUs: number,
    emit: Emit,
  ): boolean {
    const nameEnd = textEnd(bytes, name);
    const end = this.#ticker.read(bytes, literal(bytes, nameEnd, TICKER_DATA));
    this.#numbers[At.MessageTime] = Number.NaN;
    if (end < 0 || bytes[end] !== CLOSE_BRACKET || !this.#isMessageEnd(bytes, end + 1))
      return false;
    const time = this.#numbers[At.MessageTime]!;
    const { channelKey, symbolKey } = this.#dialect.argumentKeys;
    const argument = {
      instType: asciiText(bytes, start, marketEnd),
      [channelKey]: "ticker",
      [symbolKey]: asciiText(bytes, name, nameEnd),
    };
    const venueTimeUs = Number.isNaN(time) ? undefined : epochTimeUs(time);
    const ticker = this.#ticker.record(bytes);
    return this.#onTicker(argument, ticker, venueTimeUs, receivedTimeUs, emit);
  }

  /** Reads what follows the name, which is one row. */
  #change(
    bytes: Uint8Array,
    nameEnd: number,
    { instrument, book }: ScannedBitgetBook,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const { scales } = book;
    const { levels, numbers: ids } = this.#changed;
    const { bids, asks, form } = levels;
    const numbers = this.#numbers;
    levels.begin(scales);
    this.#seen.begin();
    let at = asks.quoted(bytes, literal(bytes, nameEnd, this.#row), form, 0);
    at = bids.quoted(bytes, literal(bytes, at, this.#bids), form, 0);
    while (at >= 0 && bytes[at] === COMMA) at = this.#member(bytes, at + 1);
    if (!this.#isEnd(bytes, at) || !this.#seen.has(this.#members)) return false;
    if (this.#dialect.hasChecksums) ids[BookAt.Checksum] = numbers[At.Checksum]!;
    else {
      const position = book.numbers.proceed(BigInt(this.#sequence), BigInt(this.#previous));
      ids[BookAt.LastId] = position.lastUpdateId;
      ids[BookAt.PreviousId] = position.previousUpdateId ?? Number.NaN;
    }
    const venueTimeUs = epochTimeUs(numbers[At.Time]);
    this.#changed.emit({ instrument, scales }, venueTimeUs, receivedTimeUs, emit, takeTick);
    return true;
  }

  /** Behind a member of the row that follows the levels. */
  #member(bytes: Uint8Array, at: number): number {
    const time = literal(bytes, at, TIME);
    if (time >= 0) {
      const end = wholeNumber(bytes, time, this.#numbers, At.Time);
      if (end < 0 || bytes[end] !== QUOTE || !this.#seen.isFirst(Seen.Time)) return -1;
      return end + 1;
    }
    if (this.#dialect.hasChecksums) return this.#checksum(bytes, literal(bytes, at, CHECKSUM));
    const sequence = literal(bytes, at, SEQUENCE);
    if (sequence >= 0) {
      const end = digitsEnd(bytes, sequence);
      if (end < 0 || !this.#seen.isFirst(Seen.Sequence)) return -1;
      this.#sequence = asciiText(bytes, sequence, end);
      return end;
    }
    const previous = literal(bytes, at, PREVIOUS_SEQUENCE);
    if (previous >= 0) {
      const end = digitsEnd(bytes, previous);
      if (end < 0 || !this.#seen.isFirst(Seen.PreviousSequence)) return -1;
      this.#previous = asciiText(bytes, previous, end);
      return end;
    }
    const depth = literal(bytes, at, DEPTH);
    return depth >= 0 && this.#seen.isFirst(Seen.Depth) ? skipScalar(bytes, depth) : -1;
  }

  /** Behind a sum, which is a signed integer. */
  #checksum(bytes: Uint8Array, start: number): number {
    if (start < 0 || !this.#seen.isFirst(Seen.Checksum)) return -1;
    const isNegative = bytes[start] === MINUS;
    const end = wholeNumber(bytes, isNegative ? start + 1 : start, this.#numbers, At.Checksum);
    if (end < 0) return -1;
    if (isNegative) this.#numbers[At.Checksum] = -this.#numbers[At.Checksum]!;
    return end;
  }

  /** True if the row ends there and, but for its time, so does the message. */
  #isEnd(bytes: Uint8Array, start: number): boolean {
    return this.#isMessageEnd(bytes, literal(bytes, start, ROW_END));
  }

  #isMessageEnd(bytes: Uint8Array, start: number): boolean {
    const time = literal(bytes, start, MESSAGE_TIME);
    const at = time < 0 ? start : wholeNumber(bytes, time, this.#numbers, At.MessageTime);
    return at >= 0 && bytes[at] === CLOSE_BRACE && at + 1 === bytes.length;
  }
}

/** Behind a whole number of any length. */
function digitsEnd(bytes: Uint8Array, start: number): number {
  const end = skipDigits(bytes, start);
  const digits = end - start;
  if (digits === 0 || digits > SEQUENCE_DIGITS_MAX) return -1;
  return digits > 1 && bytes[start] === ZERO ? -1 : end;
}
