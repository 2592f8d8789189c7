// https://www.bitstamp.net/websocket/v2/
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import { bytesOf, literal, NOT_SO, textEnd } from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";

/** What the scanner must know of a market. */
export type ScannedMarket = { readonly instrument: Instrument; readonly scales: ScaleTracker };

/** Takes note of a change; returns the time of the one before it, if that is known. */
type OnChange = (instrument: Instrument, changedUs: number) => number | undefined;

const HEAD = bytesOf('{"data":{"timestamp":"');
const TIME = bytesOf('","microtimestamp":"');
const BIDS = bytesOf('","bids":');
const ASKS = bytesOf(',"asks":');
const CHANNEL = bytesOf('},"channel":"diff_order_book_');
const TAIL = bytesOf('","event":"data"}');

const QUOTE = 0x22;
const ZERO = 0x30;
const UNDERSCORE = 0x5f;

/** Digits of a time in microseconds from 2001 to 2255, when it is no safe integer any more. */
const TIME_DIGITS = 16;
/** Below the largest safe integer, which begins with 9. */
const FIRST_DIGIT_MAX = 8;

/** Reads changes of books in their bytes. Which market they are of stands behind the levels. */
export class BitstampScanner {
  readonly #markets: SymbolTable<ScannedMarket>;
  readonly #onChange: OnChange;
  readonly #time = new Float64Array(1);
  readonly #book = new ScannedChange();

  constructor(markets: SymbolTable<ScannedMarket>, onChange: OnChange) {
    this.#markets = markets;
    this.#onChange = onChange;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const nameEnd = bytes.length - TAIL.length;
    if (literal(bytes, nameEnd, TAIL) < 0) return false;
    let name = nameEnd;
    while (name > 0 && bytes[name - 1] !== UNDERSCORE && bytes[name - 1] !== QUOTE) name -= 1;
    const market = this.#markets.find(bytes, name, nameEnd);
    if (market === undefined) return false;
    const { levels, numbers } = this.#book;
    const { bids, asks, form } = levels;
    levels.begin(market.scales);
    let at = textEnd(bytes, literal(bytes, 0, HEAD));
    at = this.#microseconds(bytes, literal(bytes, at, TIME));
    at = bids.quoted(bytes, literal(bytes, at, BIDS), form, 0);
    at = asks.quoted(bytes, literal(bytes, at, ASKS), form, 0);
    if (literal(bytes, at, CHANNEL) !== name) return false;
    const venueTimeUs = this.#time[0]!;
    numbers[BookAt.LastId] = venueTimeUs;
    numbers[BookAt.PreviousId] = this.#onChange(market.instrument, venueTimeUs) ?? Number.NaN;
    this.#book.emit(market, venueTimeUs, receivedTimeUs, emit, takeTick);
    return true;
  }

  /** Behind a time of as many digits as times have today, which is put into the column. */
  #microseconds(bytes: Uint8Array, start: number): number {
    if (start < 0) return NOT_SO;
    const first = bytes[start]! - ZERO;
    if (!(first >= 1 && first <= FIRST_DIGIT_MAX)) return NOT_SO;
    let timeUs = 0;
    for (let at = start; at < start + TIME_DIGITS; at += 1) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return NOT_SO;
      timeUs = timeUs * 10 + digit;
    }
    this.#time[0] = timeUs;
    return start + TIME_DIGITS;
  }
}
