// https://mexcdevelop.github.io/apidocs/contract_v1_en/#public-channels
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../../reading/emit.ts";
import { bytesOf, literal, NOT_SO, textEnd, wholeNumber } from "../../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { ScannedChange } from "../../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../../reading/scanned-levels.ts";
import { SeenMembers } from "../../../reading/seen-members.ts";
import type { SymbolTable } from "../../../reading/symbol-table.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";

/** What the scanner must know of a contract. */
export type ScannedContract = { readonly instrument: Instrument; readonly scales: ScaleTracker };

// The name stands before the levels or behind them.
const SYMBOL_FIRST = bytesOf('{"symbol":"');
const DATA = bytesOf('","data":{');
const CHANNEL_BEHIND = bytesOf('},"channel":"push.depth","ts":');
const CHANNEL_FIRST = bytesOf('{"channel":"push.depth","data":{');
const SYMBOL_BEHIND = bytesOf('},"symbol":"');
const TIME = bytesOf('","ts":');

const ASKS = bytesOf('"asks":');
const BIDS = bytesOf('"bids":');
const VERSION = bytesOf('"version":');
const BEGIN = bytesOf('"begin":');
const END = bytesOf('"end":');
const OWN_TIME = bytesOf('"cts":');

const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** Members that were seen, as bits. */
const Seen = { Asks: 1, Bids: 2, Version: 4, Begin: 8, End: 16, Time: 32 } as const;

/** Places of numbers in the scanner's column. */
const At = { Time: 0, OwnTime: 1, Version: 2, Begin: 3, End: 4 } as const;

/** Reads changes of books in their bytes. Numbers are bare. */
export class MexcFuturesScanner {
  readonly #contracts: SymbolTable<ScannedContract>;
  readonly #numbers = new Float64Array(5);
  readonly #changed = new ScannedChange();
  readonly #seen = new SeenMembers();

  constructor(contracts: SymbolTable<ScannedContract>) {
    this.#contracts = contracts;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const first = literal(bytes, 0, SYMBOL_FIRST);
    const name = first < 0 ? nameBehind(bytes) : first;
    const nameEnd = textEnd(bytes, name);
    if (nameEnd < 0) return false;
    const contract = this.#contracts.find(bytes, name, nameEnd);
    if (contract === undefined) return false;
    this.#changed.levels.begin(contract.scales);
    this.#seen.begin();
    let at = first < 0 ? literal(bytes, 0, CHANNEL_FIRST) : literal(bytes, nameEnd, DATA);
    at = this.#members(bytes, at);
    if (first >= 0) at = literal(bytes, at, CHANNEL_BEHIND);
    else at = literal(bytes, at, SYMBOL_BEHIND) === name ? literal(bytes, nameEnd, TIME) : NOT_SO;
    at = wholeNumber(bytes, at, this.#numbers, At.Time);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || at + 1 !== bytes.length) return false;
    if (!this.#setIds()) return false;
    const time = this.#numbers[this.#seen.has(Seen.Time) ? At.OwnTime : At.Time];
    this.#changed.emit(contract, epochTimeUs(time), receivedTimeUs, emit, takeTick);
    return true;
  }

  /** Behind the last member of the data. */
  #members(bytes: Uint8Array, start: number): number {
    let at = this.#member(bytes, start);
    while (at >= 0 && bytes[at] === COMMA) at = this.#member(bytes, at + 1);
    return at;
  }

  #member(bytes: Uint8Array, at: number): number {
    const { asks, bids } = this.#changed.levels;
    const askLevels = literal(bytes, at, ASKS);
    if (askLevels >= 0) return this.#side(bytes, askLevels, asks, Seen.Asks);
    const bidLevels = literal(bytes, at, BIDS);
    if (bidLevels >= 0) return this.#side(bytes, bidLevels, bids, Seen.Bids);
    const version = literal(bytes, at, VERSION);
    if (version >= 0) return this.#number(bytes, version, At.Version, Seen.Version);
    const begin = literal(bytes, at, BEGIN);
    if (begin >= 0) return this.#number(bytes, begin, At.Begin, Seen.Begin);
    const end = literal(bytes, at, END);
    if (end >= 0) return this.#number(bytes, end, At.End, Seen.End);
    return this.#number(bytes, literal(bytes, at, OWN_TIME), At.OwnTime, Seen.Time);
  }

  #side(bytes: Uint8Array, at: number, levels: ScannedLevels, member: number): number {
    if (!this.#seen.isFirst(member)) return NOT_SO;
    return levels.counted(bytes, at, this.#changed.levels.form);
  }

  #number(bytes: Uint8Array, at: number, place: number, member: number): number {
    return this.#seen.number(bytes, at, this.#numbers, place, member);
  }

  /** False if something is missing. A change is of one version, or of all from begin to end. */
  #setIds(): boolean {
    const seen = this.#seen;
    const isWhole = seen.has(Seen.Version) || seen.has(Seen.Begin | Seen.End);
    if (!isWhole || !seen.has(Seen.Asks | Seen.Bids)) return false;
    const ids = this.#changed.numbers;
    ids[BookAt.FirstId] = this.#numbers[seen.has(Seen.Begin) ? At.Begin : At.Version]!;
    ids[BookAt.LastId] = this.#numbers[seen.has(Seen.End) ? At.End : At.Version]!;
    return true;
  }
}

/** Where the name begins that stands last but for the time; negative if there is none. */
function nameBehind(bytes: Uint8Array): number {
  if (literal(bytes, 0, CHANNEL_FIRST) < 0) return NOT_SO;
  const time = bytes.lastIndexOf(QUOTE);
  const nameEnd = bytes.lastIndexOf(QUOTE, time - TIME.length + 2);
  const start = bytes.lastIndexOf(QUOTE, nameEnd - 1);
  return start < 0 ? NOT_SO : start + 1;
}
