// https://www.gate.com/docs/developers/apiv4/ws/en/#changed-order-book-levels
// https://www.gate.com/docs/developers/apiv4/ws/en/#order-book-v2-api
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  literal,
  NOT_SO,
  skipDigits,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../reading/scanned-levels.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
import { SeenMembers } from "../../reading/seen-members.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

/** What the scanner must know of a pair. */
export type ScannedPair = { readonly instrument: Instrument; readonly scales: ScaleTracker };

/**
 * Reads one result of these channels, which are told by their name behind the point. The time is
 * that of the message.
 */
type OnResult = (
  kind: string,
  result: TextRecord,
  venueTimeUs: number | undefined,
  receivedTimeUs: number,
  emit: Emit,
) => void;

const HEAD = bytesOf('{"time":');
/** Whole seconds were enough until 2021. */
const TIME_MS = bytesOf(',"time_ms":');
const BOOK = bytesOf('order_book_update","event":"update","result":{"t":');
const STREAM = bytesOf('obu","event":"update","result":{');
const EVENT_TIME = bytesOf(',"e":"depthUpdate","E":');
const NAME = bytesOf(',"s":"');
const FIRST_ID = bytesOf('","U":');
const LAST_ID = bytesOf(',"u":');
const BIDS = bytesOf(',"b":');
const ASKS = bytesOf(',"a":');
const TAIL = bytesOf("}}");

const CLOSE_BRACE = 0x7d;

/** What is read of the results of other channels. */
const RESULTS = [
  [
    "trades",
    "id create_time create_time_ms side currency_pair amount price contract size is_internal",
  ],
  [
    "tickers",
    "currency_pair last lowest_ask highest_bid base_volume quote_volume high_24h low_24h " +
      "contract t volume_24h volume_24h_quote mark_price index_price funding_rate " +
      "funding_next_apply funding_interval",
  ],
  ["candlesticks", "t v c h l o n a w"],
  ["book_ticker", "t s b B a A"],
] as const;

/** Places of numbers in the scanner's column; those of no use share one. */
const At = { Useless: 0, Time: 1, MessageTime: 2 } as const;

/** Reads changes of books whose levels are pairs, and results of one object, in their bytes. */
export class GateScanner {
  readonly #channel: Uint8Array;
  /** As the documentation of these streams has it. */
  readonly #shortStream: Uint8Array;
  readonly #pairs: SymbolTable<ScannedPair>;
  readonly #makePair: (instrument: Instrument) => ScannedPair;
  readonly #onResult: OnResult;
  readonly #stream: GateStreamScanner;
  readonly #numbers = new Float64Array(3);
  readonly #book = new ScannedChange();
  readonly #results = RESULTS.map(([kind, names]) => ({
    kind,
    head: bytesOf(`${kind}","event":"update","result":`),
    members: new ScannedMembers(names.split(" ")),
  }));

  /** `makePair` is asked for what is not in the table yet. */
  constructor(
    prefix: "spot" | "futures",
    pairs: SymbolTable<ScannedPair>,
    makePair: (instrument: Instrument) => ScannedPair,
    onResult: OnResult,
  ) {
    this.#channel = bytesOf(`,"channel":"${prefix}.`);
    this.#shortStream = bytesOf(`{"channel":"${prefix}.obu","result":{`);
    this.#pairs = pairs;
    this.#makePair = makePair;
    this.#onResult = onResult;
    this.#stream = new GateStreamScanner(pairs, makePair);
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const short = literal(bytes, 0, this.#shortStream);
    if (short >= 0) return this.#stream.scan(bytes, short, receivedTimeUs, emit, takeTick);
    const numbers = this.#numbers;
    const head = wholeNumber(bytes, literal(bytes, 0, HEAD), numbers, At.MessageTime);
    const timeMs = literal(bytes, head, TIME_MS);
    const time = timeMs < 0 ? head : wholeNumber(bytes, timeMs, numbers, At.MessageTime);
    const channel = literal(bytes, time, this.#channel);
    if (channel < 0) return false;
    const stream = literal(bytes, channel, STREAM);
    if (stream >= 0) return this.#stream.scan(bytes, stream, receivedTimeUs, emit, takeTick);
    const book = literal(bytes, channel, BOOK);
    if (book >= 0) return this.#change(bytes, book, receivedTimeUs, emit, takeTick);
    for (const { kind, head: begin, members } of this.#results) {
      const result = literal(bytes, channel, begin);
      if (result < 0) continue;
      const end = members.read(bytes, result);
      if (end + 1 !== bytes.length || bytes[end] !== CLOSE_BRACE) return false;
      const venueTimeUs = epochTimeUs(numbers[At.MessageTime]);
      this.#onResult(kind, members.textRecord(bytes), venueTimeUs, receivedTimeUs, emit);
      return true;
    }
    return false;
  }

  /** Reads the change of a book from its time on. */
  #change(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const numbers = this.#numbers;
    let at = wholeNumber(bytes, start, numbers, At.Time);
    at = wholeNumber(bytes, literal(bytes, at, EVENT_TIME), numbers, At.Useless);
    const name = literal(bytes, at, NAME);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const pair = this.#pairs.findOrMake(bytes, name, nameEnd, this.#makePair);
    if (pair === undefined) return false;
    const { levels, numbers: ids } = this.#book;
    const { bids, asks, form } = levels;
    levels.begin(pair.scales);
    at = wholeNumber(bytes, literal(bytes, nameEnd, FIRST_ID), ids, BookAt.FirstId);
    at = wholeNumber(bytes, literal(bytes, at, LAST_ID), ids, BookAt.LastId);
    at = bids.quoted(bytes, literal(bytes, at, BIDS), form, 0);
    at = asks.quoted(bytes, literal(bytes, at, ASKS), form, 0);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    this.#book.emit(pair, epochTimeUs(numbers[At.Time]), receivedTimeUs, emit, takeTick);
    return true;
  }
}

const STREAM_NAME = bytesOf('"s":"ob.');
const STREAM_TIME = bytesOf('"t":');
const STREAM_FIRST_ID = bytesOf('"U":');
const STREAM_LAST_ID = bytesOf('"u":');
const STREAM_BIDS = bytesOf('"b":');
const STREAM_ASKS = bytesOf('"a":');
const MESSAGE_TIME = bytesOf(',"time_ms":');
const EVENT = bytesOf(',"event":"update"');

const COMMA = 0x2c;
const POINT = 0x2e;

/** Members that were seen, as bits. */
const Seen = { Stream: 1, Time: 2, FirstId: 4, LastId: 8, Bids: 16, Asks: 32 } as const;
/** A side that has not changed may be left out. */
const MEMBERS = Seen.Stream | Seen.Time | Seen.FirstId | Seen.LastId;

/** Reads changes of books that begin in their stream, whose members come in any order. */
class GateStreamScanner {
  readonly #pairs: SymbolTable<ScannedPair>;
  readonly #makePair: (instrument: Instrument) => ScannedPair;
  readonly #book = new ScannedChange();
  readonly #times = new Float64Array(2);
  readonly #seen = new SeenMembers();
  /** Of the change that is being scanned, once its name was met. */
  #pair: ScannedPair | undefined;

  constructor(pairs: SymbolTable<ScannedPair>, makePair: (instrument: Instrument) => ScannedPair) {
    this.#pairs = pairs;
    this.#makePair = makePair;
  }

  /** Reads from the first member of the result on, to the end of the frame. */
  scan(
    bytes: Uint8Array,
    start: number,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    this.#seen.begin();
    this.#pair = undefined;
    let at = this.#member(bytes, start);
    while (at >= 0 && bytes[at] === COMMA) at = this.#member(bytes, at + 1);
    const pair: ScannedPair | undefined = this.#pair;
    if (pair === undefined || !this.#seen.has(MEMBERS) || !this.#isEnd(bytes, at)) return false;
    this.#book.emit(pair, epochTimeUs(this.#times[0]), receivedTimeUs, emit, takeTick);
    return true;
  }

  #member(bytes: Uint8Array, at: number): number {
    const { levels, numbers } = this.#book;
    const bids = literal(bytes, at, STREAM_BIDS);
    if (bids >= 0) return this.#side(bytes, bids, levels.bids, Seen.Bids);
    const asks = literal(bytes, at, STREAM_ASKS);
    if (asks >= 0) return this.#side(bytes, asks, levels.asks, Seen.Asks);
    const time = literal(bytes, at, STREAM_TIME);
    if (time >= 0) return this.#seen.number(bytes, time, this.#times, 0, Seen.Time);
    const last = literal(bytes, at, STREAM_LAST_ID);
    if (last >= 0) return this.#seen.number(bytes, last, numbers, BookAt.LastId, Seen.LastId);
    const first = literal(bytes, at, STREAM_FIRST_ID);
    if (first >= 0) return this.#seen.number(bytes, first, numbers, BookAt.FirstId, Seen.FirstId);
    return this.#stream(bytes, literal(bytes, at, STREAM_NAME));
  }

  /** Behind a name such as `BTC_USDT.400`, with which the levels can be read. */
  #stream(bytes: Uint8Array, start: number): number {
    const end = textEnd(bytes, start);
    if (end < 0 || !this.#seen.isFirst(Seen.Stream)) return NOT_SO;
    let nameEnd = end - 1;
    while (nameEnd > start && bytes[nameEnd] !== POINT) nameEnd -= 1;
    if (nameEnd === end - 1 || skipDigits(bytes, nameEnd + 1) !== end) return NOT_SO;
    this.#pair = this.#pairs.findOrMake(bytes, start, nameEnd, this.#makePair);
    if (this.#pair === undefined) return NOT_SO;
    this.#book.levels.begin(this.#pair.scales);
    return end + 1;
  }

  #side(bytes: Uint8Array, at: number, levels: ScannedLevels, member: number): number {
    if (this.#pair === undefined || !this.#seen.isFirst(member)) return NOT_SO;
    return levels.quoted(bytes, at, this.#book.levels.form, 0);
  }

  /** True if the result ends there, and the message does but for its time and what it is. */
  #isEnd(bytes: Uint8Array, start: number): boolean {
    if (start < 0 || bytes[start] !== CLOSE_BRACE) return false;
    let at = start + 1;
    const time = literal(bytes, at, MESSAGE_TIME);
    if (time >= 0) at = wholeNumber(bytes, time, this.#times, 1);
    const event = literal(bytes, at, EVENT);
    if (event >= 0) at = event;
    return at >= 0 && bytes[at] === CLOSE_BRACE && at + 1 === bytes.length;
  }
}
