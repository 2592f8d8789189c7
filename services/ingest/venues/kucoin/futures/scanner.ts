// https://www.kucoin.com/docs-new/3470082w0 (level 2)
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../../reading/emit.ts";
import { bytesOf, literal, textEnd, wholeNumber } from "../../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { ScannedChange } from "../../../reading/scanned-change.ts";
import type { SymbolTable } from "../../../reading/symbol-table.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";

/** What the scanner must know of a contract. */
export type ScannedContract = { readonly instrument: Instrument; readonly scales: ScaleTracker };

const HEAD = bytesOf('{"topic":"/contractMarket/level2:');
const SUBJECT = bytesOf('","type":"message","subject":"level2"');
/** The number of the message, which the sequence repeats. */
const NUMBER = bytesOf(',"sn":');
const SEQUENCE = bytesOf(',"data":{"sequence":');
const CHANGE = bytesOf(',"change":"');
const BUY = bytesOf(",buy,");
const SELL = bytesOf(",sell,");
const TIME = bytesOf('","timestamp":');
const TAIL = bytesOf("}}");

/** Places of numbers in the scanner's column. */
const At = { Useless: 0, Time: 1 } as const;

/** Reads changes of books, of one level each, in their bytes. */
export class KucoinFuturesScanner {
  readonly #contracts: SymbolTable<ScannedContract>;
  readonly #makeContract: (instrument: Instrument) => ScannedContract;
  readonly #numbers = new Float64Array(2);
  readonly #changed = new ScannedChange();

  /** `makeContract` is asked for what is not in the table yet. */
  constructor(
    contracts: SymbolTable<ScannedContract>,
    makeContract: (instrument: Instrument) => ScannedContract,
  ) {
    this.#contracts = contracts;
    this.#makeContract = makeContract;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const name = literal(bytes, 0, HEAD);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const contract = this.#contracts.findOrMake(bytes, name, nameEnd, this.#makeContract);
    if (contract === undefined) return false;
    const numbers = this.#numbers;
    const { levels, numbers: ids } = this.#changed;
    const { form } = levels;
    levels.begin(contract.scales);
    let at = literal(bytes, nameEnd, SUBJECT);
    const number = literal(bytes, at, NUMBER);
    if (number >= 0) at = wholeNumber(bytes, number, numbers, At.Useless);
    at = wholeNumber(bytes, literal(bytes, at, SEQUENCE), ids, BookAt.LastId);
    // The side stands between the numbers, which are read before it is known.
    const price = literal(bytes, at, CHANGE);
    const isBid = isBuy(bytes, price);
    const side = isBid ? levels.bids : levels.asks;
    at = side.nextPrice(bytes, price, form);
    at = side.nextSize(bytes, literal(bytes, at, isBid ? BUY : SELL), form);
    at = wholeNumber(bytes, literal(bytes, at, TIME), numbers, At.Time);
    if (literal(bytes, at, TAIL) !== bytes.length) return false;
    side.add();
    ids[BookAt.FirstId] = ids[BookAt.LastId]!;
    const venueTimeUs = epochTimeUs(numbers[At.Time]);
    this.#changed.emit(contract, venueTimeUs, receivedTimeUs, emit, takeTick);
    return true;
  }
}

const COMMA = 0x2c;
const LETTER_B = 0x62;

/** Whether a word with such a letter follows the first comma. */
function isBuy(bytes: Uint8Array, start: number): boolean {
  if (start < 0) return false;
  const comma = bytes.indexOf(COMMA, start);
  return comma > 0 && bytes[comma + 1] === LETTER_B;
}
