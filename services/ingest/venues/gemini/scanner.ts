// https://developer.gemini.com/websocket/streams
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
import type { SymbolTable } from "../../reading/symbol-table.ts";

/** What the scanner must know of a pair. */
export type ScannedPair = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** The next message of the book is a change and not the whole. */
  begun: boolean;
};

const HEAD = bytesOf('{"e":"depthUpdate","E":');
const NAME = bytesOf(',"s":"');
const FIRST_ID = bytesOf('","U":');
const LAST_ID = bytesOf(',"u":');
const BIDS = bytesOf(',"b":');
const ASKS = bytesOf(',"a":');

const ZERO = 0x30;
const CLOSE_BRACE = 0x7d;

/** Digits of a time in nanoseconds, of which the last three are cut off. */
const TIME_DIGITS = 19;
const MICROSECONDS_DIGITS = 16;
/** Digits of an id, at most. */
const LONG_DIGITS = 16;

/** Reads changes of books in their bytes. */
export class GeminiScanner {
  readonly #pairs: SymbolTable<ScannedPair>;
  readonly #changed = new ScannedChange();
  readonly #time = new Float64Array(1);

  constructor(pairs: SymbolTable<ScannedPair>) {
    this.#pairs = pairs;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const time = literal(bytes, 0, HEAD);
    if (time < 0) return false;
    const timeEnd = skipDigits(bytes, time);
    if (timeEnd - time !== TIME_DIGITS) return false;
    const name = literal(bytes, timeEnd, NAME);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const pair = this.#pairs.find(bytes, name, nameEnd);
    if (pair?.begun !== true) return false;
    if (!longNumber(bytes, time, time + MICROSECONDS_DIGITS, this.#time, 0)) return false;
    const { levels, numbers } = this.#changed;
    const { bids, asks, form } = levels;
    levels.begin(pair.scales);
    let at = idAt(bytes, literal(bytes, nameEnd, FIRST_ID), numbers, BookAt.FirstId);
    at = idAt(bytes, literal(bytes, at, LAST_ID), numbers, BookAt.LastId);
    at = bids.quoted(bytes, literal(bytes, at, BIDS), form, 0);
    at = asks.quoted(bytes, literal(bytes, at, ASKS), form, 0);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || at + 1 !== bytes.length) return false;
    this.#changed.emit(pair, this.#time[0]!, receivedTimeUs, emit, takeTick);
    return true;
  }
}

/** Behind an id, which has a digit more than other whole numbers. */
function idAt(bytes: Uint8Array, start: number, column: Float64Array, index: number): number {
  const end = wholeNumber(bytes, start, column, index);
  if (end >= 0 || start < 0) return end;
  const longEnd = skipDigits(bytes, start);
  if (longEnd - start !== LONG_DIGITS) return NOT_SO;
  return longNumber(bytes, start, longEnd, column, index) ? longEnd : NOT_SO;
}

/** False if the digits are no safe integer, or begin with a zero. */
function longNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: Float64Array,
  index: number,
): boolean {
  if (bytes[start] === ZERO) return false;
  let number = 0;
  for (let at = start; at < end; at += 1) number = number * 10 + (bytes[at]! - ZERO);
  column[index] = number;
  return Number.isSafeInteger(number);
}
