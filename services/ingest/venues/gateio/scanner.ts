// https://www.gate.com/docs/developers/apiv4/ws/en/#changed-order-book-levels
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import { bytesOf, literal, textEnd, wholeNumber } from "../../reading/frame-bytes.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import { ScannedMembers } from "../../reading/scanned-members.ts";
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
const CHANNEL = bytesOf(',"channel":"spot.');
const BOOK = bytesOf('order_book_update","event":"update","result":{"t":');
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

/** Reads changes of spot books, and results of one object, in their bytes. */
export class GateScanner {
  readonly #pairs: SymbolTable<ScannedPair>;
  readonly #makePair: (instrument: Instrument) => ScannedPair;
  readonly #onResult: OnResult;
  readonly #numbers = new Float64Array(3);
  readonly #book = new ScannedChange();
  readonly #results = RESULTS.map(([kind, names]) => ({
    kind,
    head: bytesOf(`${kind}","event":"update","result":`),
    members: new ScannedMembers(names.split(" ")),
  }));

  /** `makePair` is asked for what is not in the table yet. */
  constructor(
    pairs: SymbolTable<ScannedPair>,
    makePair: (instrument: Instrument) => ScannedPair,
    onResult: OnResult,
  ) {
    this.#pairs = pairs;
    this.#makePair = makePair;
    this.#onResult = onResult;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const numbers = this.#numbers;
    const head = wholeNumber(bytes, literal(bytes, 0, HEAD), numbers, At.MessageTime);
    const timeMs = literal(bytes, head, TIME_MS);
    const time = timeMs < 0 ? head : wholeNumber(bytes, timeMs, numbers, At.MessageTime);
    const channel = literal(bytes, time, CHANNEL);
    if (channel < 0) return false;
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
