// https://docs.dydx.xyz/indexer-client/websockets
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import { type Emit, heartbeat, type TakeTick } from "../../reading/emit.ts";
import { bytesOf, literal, NOT_SO, textEnd, wholeNumber } from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { ScannedBook } from "../../reading/scanned-levels.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";

/** What the scanner must know of a market. */
export type ScannedMarket = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** Number of the last message about its book; undefined before the first. */
  bookMessage: number | undefined;
};

/** Takes note of the number of a message; false for one that is late or told twice. */
type Continues = (number: number, receivedTimeUs: number, emit: Emit) => boolean;

const ONE = bytesOf('{"type":"channel_data","connection_id":"');
const BATCH = bytesOf('{"type":"channel_batch_data","connection_id":"');
const NUMBER = bytesOf('","message_id":');
const NAME = bytesOf(',"id":"');
const CHANNEL = bytesOf('","channel":"v4_orderbook","version":"');
const CONTENTS = bytesOf('","contents":');
const BIDS = bytesOf('{"bids":');
const ASKS = bytesOf('{"asks":');
const MORE_ASKS = bytesOf(',"asks":');
const MORE_BIDS = bytesOf(',"bids":');

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** Changes of a message for which room is kept; a longer one is decoded. */
const CHANGES_MAX = 32;

/** Reads changes of books in their bytes, of which a message has one or several. */
export class DydxScanner {
  readonly #markets: SymbolTable<ScannedMarket>;
  readonly #continues: Continues;
  readonly #number = new Float64Array(1);
  /** Of the message that is being scanned: none is told before all are read. */
  readonly #changes: ScannedChange[] = [];
  #count = 0;

  constructor(markets: SymbolTable<ScannedMarket>, continues: Continues) {
    this.#markets = markets;
    this.#continues = continues;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const batch = literal(bytes, 0, BATCH);
    let at = textEnd(bytes, batch < 0 ? literal(bytes, 0, ONE) : batch);
    at = wholeNumber(bytes, literal(bytes, at, NUMBER), this.#number, 0);
    const name = literal(bytes, at, NAME);
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const market = this.#markets.find(bytes, name, nameEnd);
    // What comes before the first book is for the decoder to tell.
    if (market?.bookMessage === undefined) return false;
    at = textEnd(bytes, literal(bytes, nameEnd, CHANNEL));
    at = literal(bytes, at, CONTENTS);
    this.#count = 0;
    at = batch < 0 ? this.#change(bytes, at, market) : this.#list(bytes, at, market);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || at + 1 !== bytes.length) return false;
    const number = this.#number[0]!;
    if (!this.#continues(number, receivedTimeUs, emit)) {
      heartbeat(emit);
      return true;
    }
    for (let index = 0; index < this.#count; index += 1) {
      const change = this.#changes[index]!;
      change.numbers[BookAt.PreviousId] = market.bookMessage;
      change.numbers[BookAt.LastId] = number;
      market.bookMessage = number;
      // The venue gives no time.
      change.emit(market, undefined, receivedTimeUs, emit, takeTick);
    }
    return true;
  }

  /** Behind an array of at least one change. */
  #list(bytes: Uint8Array, start: number, market: ScannedMarket): number {
    if (start < 0 || bytes[start] !== OPEN_BRACKET) return NOT_SO;
    let at = start;
    for (;;) {
      at = this.#change(bytes, at + 1, market);
      if (at < 0) return NOT_SO;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_SO;
    }
  }

  /** Behind the sides of a change, of which one may be left out. */
  #change(bytes: Uint8Array, start: number, { scales }: ScannedMarket): number {
    if (start < 0 || this.#count === CHANGES_MAX) return NOT_SO;
    const { levels } = (this.#changes[this.#count] ??= new ScannedChange());
    levels.begin(this.#changes[this.#count - 1]?.levels ?? scales);
    const at = sides(bytes, start, levels);
    if (at < 0 || bytes[at] !== CLOSE_BRACE) return NOT_SO;
    this.#count += 1;
    return at + 1;
  }
}

/** Behind the levels of both sides, in either order. */
function sides(bytes: Uint8Array, start: number, { bids, asks, form }: ScannedBook): number {
  const bidsFirst = literal(bytes, start, BIDS);
  if (bidsFirst >= 0) {
    const at = bids.quoted(bytes, bidsFirst, form, 0);
    const more = literal(bytes, at, MORE_ASKS);
    return more < 0 ? at : asks.quoted(bytes, more, form, 0);
  }
  const at = asks.quoted(bytes, literal(bytes, start, ASKS), form, 0);
  const more = literal(bytes, at, MORE_BIDS);
  return more < 0 ? at : bids.quoted(bytes, more, form, 0);
}
