// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
import type { Instrument } from "#core/instrument.ts";
import { type Emit, heartbeat, type TakeTick } from "../../../reading/emit.ts";
import {
  asciiText,
  bytesOf,
  literal,
  NOT_SO,
  textEnd,
  wholeNumber,
} from "../../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { ScannedChange } from "../../../reading/scanned-change.ts";
import { ScannedTime } from "../../../reading/scanned-time.ts";

const HEAD = bytesOf('{"channel":"l2_data","client_id":"');
const TIMESTAMP = bytesOf('","timestamp":"');
const SEQUENCE = bytesOf('","sequence_num":');
const EVENT = bytesOf(',"events":[{"type":"update","product_id":"');
const UPDATES = bytesOf('","updates":[');
const BID = bytesOf('{"side":"bid","event_time":"');
const OFFER = bytesOf('{"side":"offer","event_time":"');
const PRICE = bytesOf('","price_level":"');
const SIZE = bytesOf('","new_quantity":"');
const UPDATE_END = bytesOf('"}');
const TAIL = bytesOf("]}]}");

const COMMA = 0x2c;

type CoinbaseAdvancedScannerOptions = {
  /** Whom the data of a product is for, if that is known. Takes note of nothing. */
  readonly knownOf: (product: string) => readonly Instrument[] | undefined;
  readonly scalesOf: (instrument: Instrument) => ScaleTracker;
  /** Takes note of the number of a message. */
  readonly place: (sequence: number, emit: Emit) => "next" | "repeated" | "late";
  /** The connection has a book of this. */
  readonly onBook: (instrument: Instrument) => void;
};

/** Reads changes of books in their bytes, of one product a message. */
export class CoinbaseAdvancedScanner {
  readonly #options: CoinbaseAdvancedScannerOptions;
  readonly #changed = new ScannedChange();
  readonly #time = new ScannedTime();
  /** The number of the message, and when its last update happened. */
  readonly #numbers = new Float64Array(2);

  constructor(options: CoinbaseAdvancedScannerOptions) {
    this.#options = options;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const numbers = this.#numbers;
    let at = textEnd(bytes, literal(bytes, 0, HEAD));
    at = textEnd(bytes, literal(bytes, at, TIMESTAMP));
    at = wholeNumber(bytes, literal(bytes, at, SEQUENCE), numbers, 0);
    const name = literal(bytes, at, EVENT);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const { knownOf, scalesOf, place, onBook } = this.#options;
    const instruments = knownOf(asciiText(bytes, name, nameEnd));
    // One that has another name as well has data for both.
    if (instruments?.length !== 1) return false;
    const instrument = instruments[0]!;
    const scales = scalesOf(instrument);
    this.#changed.levels.begin(scales);
    at = this.#updates(bytes, literal(bytes, nameEnd, UPDATES));
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    const order = place(numbers[0]!, emit);
    if (order === "repeated") {
      heartbeat(emit);
      return true;
    }
    onBook(instrument);
    // What a later message has changed already would be undone.
    if (order === "late") heartbeat(emit);
    else this.#changed.emit({ instrument, scales }, numbers[1]!, receivedTimeUs, emit, takeTick);
    return true;
  }

  /** Behind the updates of both sides, of which there is at least one. */
  #updates(bytes: Uint8Array, start: number): number {
    const { levels } = this.#changed;
    const { form } = levels;
    let at = start;
    for (;;) {
      const bid = literal(bytes, at, BID);
      const side = bid < 0 ? levels.asks : levels.bids;
      at = bid < 0 ? literal(bytes, at, OFFER) : bid;
      at = this.#time.read(bytes, at, this.#numbers, 1);
      at = side.nextPrice(bytes, literal(bytes, at, PRICE), form);
      at = side.nextSize(bytes, literal(bytes, at, SIZE), form);
      at = literal(bytes, at, UPDATE_END);
      if (at < 0) return NOT_SO;
      side.add();
      if (bytes[at] !== COMMA) return at;
      at += 1;
    }
  }
}
