// https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=8cb7d626-77b5-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=7ec4bf76-7773-11ed-9966-0242ac110003
import type { Instrument } from "#core/instrument.ts";
import { BookAt } from "#core/market-tick.ts";
import { bookEvent } from "../../reading/book-event.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  literal,
  NOT_SO,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../reading/scanned-levels.ts";
import { SeenMembers } from "../../reading/seen-members.ts";
import type { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

/** What the scanner must know of an instrument. */
export type ScannedHtxBook = { readonly instrument: Instrument; readonly scales: ScaleTracker };

const HEAD = bytesOf('{"ch":"market.');
const WHOLE = bytesOf('.depth.step0","ts":');
const CHANGES = bytesOf(".mbp.");
const CHANGES_TIME = bytesOf('","ts":');
const TICK = bytesOf(',"tick":{');
const BIDS = bytesOf('"bids":');
const ASKS = bytesOf('"asks":');
const VERSION = bytesOf('"version":');
const SEQUENCE = bytesOf('"seqNum":');
const PREVIOUS_SEQUENCE = bytesOf('"prevSeqNum":');
const OWN_TIME = bytesOf('"ts":');
const TAIL = bytesOf("}}");

const COMMA = 0x2c;
const POINT = 0x2e;

const SYMBOL_BYTES_MAX = 64;
/** Levels of a side that a channel of changes names. */
const DEPTH_MAX = 400;

/** Members that were seen, as bits. */
const Seen = { Bids: 1, Asks: 2, Version: 4, Sequence: 8, PreviousSequence: 16, Time: 32 } as const;

const WHOLE_MEMBERS = Seen.Bids | Seen.Asks | Seen.Version;
const CHANGE_MEMBERS = Seen.Bids | Seen.Asks | Seen.Sequence | Seen.PreviousSequence;

/** Places of numbers in the scanner's column. */
const At = { Depth: 0, Time: 1, Version: 2, Sequence: 3, PreviousSequence: 4, OwnTime: 5 } as const;

/**
 * Reads books in their bytes: of spot pairs whole ones of 150 levels and changes, of contracts
 * changes.
 */
export class HtxScanner {
  readonly #symbols: SymbolTable<ScannedHtxBook>;
  readonly #numbers = new Float64Array(6);
  readonly #changed = new ScannedChange();
  readonly #levels = this.#changed.levels;
  readonly #seen = new SeenMembers();
  readonly #contracts = new HtxContractScanner();

  constructor(symbols: SymbolTable<ScannedHtxBook>) {
    this.#symbols = symbols;
  }

  /** See `FeedDecoder.scan`. */
  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    const name = literal(bytes, 0, HEAD);
    if (name < 0) return false;
    let nameEnd = name;
    while (bytes[nameEnd] !== POINT) {
      nameEnd += 1;
      if (nameEnd > name + SYMBOL_BYTES_MAX) return false;
    }
    const tick = this.#contracts.channel(bytes, nameEnd);
    if (tick >= 0) {
      const book = this.#symbols.find(bytes, name, nameEnd);
      if (book === undefined) return false;
      return this.#contracts.scan(bytes, tick, book, receivedTimeUs, emit, takeTick);
    }
    const whole = literal(bytes, nameEnd, WHOLE);
    const time = whole < 0 ? this.#changes(bytes, nameEnd) : whole;
    if (time < 0) return false;
    const book = this.#symbols.find(bytes, name, nameEnd);
    if (book === undefined || !this.#tick(bytes, time, book)) return false;
    return this.#book(book, whole >= 0, receivedTimeUs, emit, takeTick);
  }

  /** Behind the name of a channel of changes, where its time begins. */
  #changes(bytes: Uint8Array, nameEnd: number): number {
    const depth = literal(bytes, nameEnd, CHANGES);
    const depthEnd = wholeNumber(bytes, depth, this.#numbers, At.Depth);
    const levels = this.#numbers[At.Depth]!;
    if (depthEnd < 0 || levels === 0 || levels > DEPTH_MAX) return -1;
    return literal(bytes, depthEnd, CHANGES_TIME);
  }

  /** Reads the time and the tick, behind which the frame ends. */
  #tick(bytes: Uint8Array, time: number, { scales }: ScannedHtxBook): boolean {
    this.#levels.begin(scales);
    this.#seen.begin();
    let at = wholeNumber(bytes, time, this.#numbers, At.Time);
    at = this.#member(bytes, literal(bytes, at, TICK));
    while (at >= 0 && bytes[at] === COMMA) at = this.#member(bytes, at + 1);
    return literal(bytes, at, TAIL) === bytes.length;
  }

  #member(bytes: Uint8Array, at: number): number {
    const bids = literal(bytes, at, BIDS);
    if (bids >= 0) return this.#side(bytes, bids, this.#levels.bids, Seen.Bids);
    const asks = literal(bytes, at, ASKS);
    if (asks >= 0) return this.#side(bytes, asks, this.#levels.asks, Seen.Asks);
    const version = literal(bytes, at, VERSION);
    if (version >= 0) return this.#number(bytes, version, At.Version, Seen.Version);
    const time = literal(bytes, at, OWN_TIME);
    if (time >= 0) return this.#number(bytes, time, At.OwnTime, Seen.Time);
    const sequence = literal(bytes, at, SEQUENCE);
    if (sequence >= 0) return this.#number(bytes, sequence, At.Sequence, Seen.Sequence);
    const previous = literal(bytes, at, PREVIOUS_SEQUENCE);
    return this.#number(bytes, previous, At.PreviousSequence, Seen.PreviousSequence);
  }

  #side(bytes: Uint8Array, at: number, levels: ScannedLevels, member: number): number {
    return this.#seen.isFirst(member) ? levels.bare(bytes, at, this.#levels.form) : -1;
  }

  #number(bytes: Uint8Array, at: number, place: number, member: number): number {
    return this.#seen.number(bytes, at, this.#numbers, place, member);
  }

  /** Where a tick has both numbers it is not clear which of them counts. */
  #isComplete(isWhole: boolean): boolean {
    const seen = this.#seen;
    if (isWhole) return seen.has(WHOLE_MEMBERS) && !seen.has(Seen.Sequence);
    return seen.has(CHANGE_MEMBERS) && !seen.has(Seen.Version);
  }

  #book(
    book: ScannedHtxBook,
    isWhole: boolean,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    if (!this.#isComplete(isWhole)) return false;
    const numbers = this.#numbers;
    const ownTimeUs = this.#seen.has(Seen.Time) ? epochTimeUs(numbers[At.OwnTime]) : undefined;
    const venueTimeUs = ownTimeUs ?? epochTimeUs(numbers[At.Time]);
    if (!isWhole) {
      const changed = this.#changed;
      changed.numbers[BookAt.LastId] = numbers[At.Sequence]!;
      changed.numbers[BookAt.PreviousId] = numbers[At.PreviousSequence]!;
      changed.depth = numbers[At.Depth]!;
      changed.emit(book, venueTimeUs, receivedTimeUs, emit, takeTick);
      return true;
    }
    const { instrument, scales } = book;
    const columns = this.#levels.take(scales);
    const form = { snapshot: true, lastUpdateId: numbers[At.Version] };
    emit(bookEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, columns, form));
    return true;
  }
}

const CONTRACT_CHANGES = bytesOf(".depth.size_");
const CONTRACT_TICK = bytesOf('.high_freq","tick":{');
const UPDATE = bytesOf('"event":"update"');
const NAME = bytesOf('"ch":"');
const UNREAD = ['"id":', '"mrid":'].map(bytesOf);
const MESSAGE_TIME = bytesOf('},"ts":');

const CLOSE_BRACE = 0x7d;

/** Levels of a side that a channel names, of which the decoder reads four digits. */
const CONTRACT_DEPTH_MAX = 9_999;

/** Members that were seen, as bits. */
const ContractSeen = { Bids: 1, Asks: 2, Event: 4, Time: 8, Version: 16, Name: 32 } as const;
const CONTRACT_MEMBERS =
  ContractSeen.Bids | ContractSeen.Asks | ContractSeen.Event | ContractSeen.Version;

/** Places of numbers in the scanner's column. */
const ContractAt = { Depth: 0, Time: 1, MessageTime: 2 } as const;

/** Reads changes of books of contracts in their bytes. */
class HtxContractScanner {
  readonly #numbers = new Float64Array(3);
  readonly #changed = new ScannedChange();
  readonly #seen = new SeenMembers();

  /** Behind the name of the channel, where a tick begins; negative if it is another channel. */
  channel(bytes: Uint8Array, nameEnd: number): number {
    const depth = literal(bytes, nameEnd, CONTRACT_CHANGES);
    const at = wholeNumber(bytes, depth, this.#numbers, ContractAt.Depth);
    const levels = this.#numbers[ContractAt.Depth]!;
    return at < 0 || levels === 0 || levels > CONTRACT_DEPTH_MAX
      ? NOT_SO
      : literal(bytes, at, CONTRACT_TICK);
  }

  /** Reads from the first member of a tick on, to the end of the frame. */
  scan(
    bytes: Uint8Array,
    start: number,
    book: ScannedHtxBook,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): boolean {
    const numbers = this.#numbers;
    this.#changed.levels.begin(book.scales);
    this.#seen.begin();
    let at = this.#member(bytes, start);
    while (at >= 0 && bytes[at] === COMMA) at = this.#member(bytes, at + 1);
    at = wholeNumber(bytes, literal(bytes, at, MESSAGE_TIME), numbers, ContractAt.MessageTime);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || at + 1 !== bytes.length) return false;
    if (!this.#seen.has(CONTRACT_MEMBERS)) return false;
    const ids = this.#changed.numbers;
    ids[BookAt.PreviousId] = ids[BookAt.LastId]! - 1;
    this.#changed.depth = numbers[ContractAt.Depth]!;
    const ownTimeUs = this.#seen.has(ContractSeen.Time)
      ? epochTimeUs(numbers[ContractAt.Time])
      : undefined;
    const venueTimeUs = ownTimeUs ?? epochTimeUs(numbers[ContractAt.MessageTime]);
    this.#changed.emit(book, venueTimeUs, receivedTimeUs, emit, takeTick);
    return true;
  }

  #member(bytes: Uint8Array, at: number): number {
    const { levels, numbers } = this.#changed;
    const bids = literal(bytes, at, BIDS);
    if (bids >= 0) return this.#side(bytes, bids, levels.bids, ContractSeen.Bids);
    const asks = literal(bytes, at, ASKS);
    if (asks >= 0) return this.#side(bytes, asks, levels.asks, ContractSeen.Asks);
    const time = literal(bytes, at, OWN_TIME);
    if (time >= 0) {
      return this.#seen.number(bytes, time, this.#numbers, ContractAt.Time, ContractSeen.Time);
    }
    const version = literal(bytes, at, VERSION);
    if (version >= 0) {
      return this.#seen.number(bytes, version, numbers, BookAt.LastId, ContractSeen.Version);
    }
    const update = literal(bytes, at, UPDATE);
    if (update >= 0) return this.#seen.isFirst(ContractSeen.Event) ? update : NOT_SO;
    const name = textEnd(bytes, literal(bytes, at, NAME));
    if (name >= 0) return this.#seen.isFirst(ContractSeen.Name) ? name + 1 : NOT_SO;
    for (const unread of UNREAD) {
      const value = literal(bytes, at, unread);
      if (value >= 0) return skipScalar(bytes, value);
    }
    return NOT_SO;
  }

  #side(bytes: Uint8Array, at: number, levels: ScannedLevels, member: number): number {
    return this.#seen.isFirst(member) ? levels.bare(bytes, at, this.#changed.levels.form) : NOT_SO;
  }
}
