// https://www.gate.com/docs/developers/apiv4/ws/en/#changed-order-book-levels
import type { Instrument } from "#core/instrument.ts";
import { bookEvent } from "../../reading/book-event.ts";
import type { Emit } from "../../reading/emit.ts";
import { bytesOf, literal, textEnd, wholeNumber } from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedBook } from "../../reading/scanned-levels.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

/** What the scanner must know of a pair. */
export type ScannedPair = { readonly instrument: Instrument; readonly scales: ScaleTracker };

const HEAD = bytesOf('{"time":');
/** Whole seconds were enough until 2021. */
const TIME_MS = bytesOf(',"time_ms":');
const CHANNEL = bytesOf(',"channel":"spot.order_book_update","event":"update","result":{"t":');
const EVENT_TIME = bytesOf(',"e":"depthUpdate","E":');
const NAME = bytesOf(',"s":"');
const FIRST_ID = bytesOf('","U":');
const LAST_ID = bytesOf(',"u":');
const BIDS = bytesOf(',"b":');
const ASKS = bytesOf(',"a":');
const TAIL = bytesOf("}}");

/** Places of numbers in the scanner's column; those of no use share one. */
const At = { Useless: 0, Time: 1, FirstId: 2, LastId: 3 } as const;

/** Reads changes of spot books in their bytes. */
export class GateScanner {
  readonly #pairs: SymbolTable<ScannedPair>;
  readonly #numbers = new Float64Array(4);
  readonly #book = new ScannedBook();

  constructor(pairs: SymbolTable<ScannedPair>) {
    this.#pairs = pairs;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit): boolean {
    const numbers = this.#numbers;
    const head = wholeNumber(bytes, literal(bytes, 0, HEAD), numbers, At.Useless);
    const timeMs = literal(bytes, head, TIME_MS);
    let at = timeMs < 0 ? head : wholeNumber(bytes, timeMs, numbers, At.Useless);
    at = wholeNumber(bytes, literal(bytes, at, CHANNEL), numbers, At.Time);
    at = wholeNumber(bytes, literal(bytes, at, EVENT_TIME), numbers, At.Useless);
    const name = literal(bytes, at, NAME);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const pair = this.#pairs.find(bytes, name, nameEnd);
    if (pair === undefined) return false;
    const { instrument, scales } = pair;
    const { bids, asks, form } = this.#book;
    this.#book.begin(scales);
    at = wholeNumber(bytes, literal(bytes, nameEnd, FIRST_ID), numbers, At.FirstId);
    at = wholeNumber(bytes, literal(bytes, at, LAST_ID), numbers, At.LastId);
    at = bids.quoted(bytes, literal(bytes, at, BIDS), form, 0);
    at = asks.quoted(bytes, literal(bytes, at, ASKS), form, 0);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    const columns = this.#book.take(scales);
    const subject = { instrument, venueTimeUs: epochTimeUs(numbers[At.Time]), receivedTimeUs };
    const firstUpdateId = numbers[At.FirstId];
    const lastUpdateId = numbers[At.LastId];
    emit(bookEvent(subject, scales, columns, { snapshot: false, firstUpdateId, lastUpdateId }));
    return true;
  }
}
