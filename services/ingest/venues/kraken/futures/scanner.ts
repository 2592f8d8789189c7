// https://docs.kraken.com/api/docs/futures-api/websocket/book
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../../reading/emit.ts";
import { bytesOf, literal, textEnd, wholeNumber } from "../../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { ScannedChange } from "../../../reading/scanned-change.ts";
import type { SymbolTable } from "../../../reading/symbol-table.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";

/** What the scanner must know of a contract: the scales are those of its book. */
type ScannedContract = { readonly instrument: Instrument; readonly scales: ScaleTracker };

const HEAD = bytesOf('{"feed":"book","product_id":"');
const BUY = bytesOf('","side":"buy","seq":');
const SELL = bytesOf('","side":"sell","seq":');
const PRICE = bytesOf(',"price":');
const SIZE = bytesOf(',"qty":');
const TIME = bytesOf(',"timestamp":');

const CLOSE_BRACE = 0x7d;

/** Reads changes of books, of one level each, in their bytes. Numbers are bare. */
export class KrakenFuturesScanner {
  readonly #contracts: SymbolTable<ScannedContract>;
  readonly #changed = new ScannedChange();
  readonly #time = new Float64Array(1);

  constructor(contracts: SymbolTable<ScannedContract>) {
    this.#contracts = contracts;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const name = literal(bytes, 0, HEAD);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const contract = this.#contracts.find(bytes, name, nameEnd);
    if (contract === undefined) return false;
    const { levels, numbers } = this.#changed;
    const { form } = levels;
    levels.begin(contract.scales);
    const bid = literal(bytes, nameEnd, BUY);
    const side = bid < 0 ? levels.asks : levels.bids;
    let at = bid < 0 ? literal(bytes, nameEnd, SELL) : bid;
    at = wholeNumber(bytes, at, numbers, BookAt.LastId);
    at = side.nextPrice(bytes, literal(bytes, at, PRICE), form);
    at = side.nextSize(bytes, literal(bytes, at, SIZE), form);
    at = wholeNumber(bytes, literal(bytes, at, TIME), this.#time, 0);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || at + 1 !== bytes.length) return false;
    side.add();
    numbers[BookAt.FirstId] = numbers[BookAt.LastId]!;
    this.#changed.emit(contract, epochTimeUs(this.#time[0]), receivedTimeUs, emit, takeTick);
    return true;
  }
}
