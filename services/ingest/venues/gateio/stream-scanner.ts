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
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../reading/scanned-levels.ts";
import { SeenMembers } from "../../reading/seen-members.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

/** What a scanner must know of a pair. */
export type ScannedPair = { readonly instrument: Instrument; readonly scales: ScaleTracker };

const STREAM = bytesOf('"s":"ob.');
const TIME = bytesOf('"t":');
const FIRST_ID = bytesOf('"U":');
const LAST_ID = bytesOf('"u":');
const BIDS = bytesOf('"b":');
const ASKS = bytesOf('"a":');
const MESSAGE_TIME = bytesOf(',"time_ms":');
const EVENT = bytesOf(',"event":"update"');

const COMMA = 0x2c;
const POINT = 0x2e;
const CLOSE_BRACE = 0x7d;

/** Members that were seen, as bits. */
const Seen = { Stream: 1, Time: 2, FirstId: 4, LastId: 8, Bids: 16, Asks: 32 } as const;
/** A side that has not changed may be left out. */
const MEMBERS = Seen.Stream | Seen.Time | Seen.FirstId | Seen.LastId;

/** Reads changes of books that begin in their stream, whose members come in any order. */
export class GateStreamScanner {
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
    const bids = literal(bytes, at, BIDS);
    if (bids >= 0) return this.#side(bytes, bids, levels.bids, Seen.Bids);
    const asks = literal(bytes, at, ASKS);
    if (asks >= 0) return this.#side(bytes, asks, levels.asks, Seen.Asks);
    const time = literal(bytes, at, TIME);
    if (time >= 0) return this.#number(bytes, time, this.#times, 0, Seen.Time);
    const last = literal(bytes, at, LAST_ID);
    if (last >= 0) return this.#number(bytes, last, numbers, BookAt.LastId, Seen.LastId);
    const first = literal(bytes, at, FIRST_ID);
    if (first >= 0) return this.#number(bytes, first, numbers, BookAt.FirstId, Seen.FirstId);
    return this.#stream(bytes, literal(bytes, at, STREAM));
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

  #number(
    bytes: Uint8Array,
    at: number,
    column: Float64Array,
    place: number,
    member: number,
  ): number {
    return this.#seen.isFirst(member) ? wholeNumber(bytes, at, column, place) : NOT_SO;
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
