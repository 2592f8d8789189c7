// https://www.htx.com/en-us/opend/newApiPages/?id=8cb7de1c-77b5-11ed-9966-0242ac110003
import { BookAt } from "#core/market-tick.ts";
import type { Emit, TakeTick } from "../../reading/emit.ts";
import {
  bytesOf,
  literal,
  NOT_SO,
  skipScalar,
  textEnd,
  wholeNumber,
} from "../../reading/frame-bytes.ts";
import { ScannedChange } from "../../reading/scanned-change.ts";
import type { ScannedLevels } from "../../reading/scanned-levels.ts";
import { SeenMembers } from "../../reading/seen-members.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import type { ScannedHtxBook } from "./scanner.ts";

const CHANNEL = bytesOf(".depth.size_");
const TICK = bytesOf('.high_freq","tick":{');
const BIDS = bytesOf('"bids":');
const ASKS = bytesOf('"asks":');
const UPDATE = bytesOf('"event":"update"');
const TIME = bytesOf('"ts":');
const VERSION = bytesOf('"version":');
const NAME = bytesOf('"ch":"');
const UNREAD = ['"id":', '"mrid":'].map(bytesOf);
const MESSAGE_TIME = bytesOf('},"ts":');

const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** Levels of a side that a channel names, of which the decoder reads four digits. */
const DEPTH_MAX = 9_999;

/** Members that were seen, as bits. */
const Seen = { Bids: 1, Asks: 2, Event: 4, Time: 8, Version: 16, Name: 32 } as const;
const MEMBERS = Seen.Bids | Seen.Asks | Seen.Event | Seen.Version;

/** Places of numbers in the scanner's column. */
const At = { Depth: 0, Time: 1, MessageTime: 2 } as const;

/** Reads changes of books of contracts in their bytes. */
export class HtxContractScanner {
  readonly #numbers = new Float64Array(3);
  readonly #changed = new ScannedChange();
  readonly #seen = new SeenMembers();

  /** Behind the name of the channel, where a tick begins; negative if it is another channel. */
  channel(bytes: Uint8Array, nameEnd: number): number {
    const depth = literal(bytes, nameEnd, CHANNEL);
    const at = wholeNumber(bytes, depth, this.#numbers, At.Depth);
    const levels = this.#numbers[At.Depth]!;
    return at < 0 || levels === 0 || levels > DEPTH_MAX ? NOT_SO : literal(bytes, at, TICK);
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
    at = wholeNumber(bytes, literal(bytes, at, MESSAGE_TIME), numbers, At.MessageTime);
    if (at < 0 || bytes[at] !== CLOSE_BRACE || at + 1 !== bytes.length) return false;
    if (!this.#seen.has(MEMBERS)) return false;
    const ids = this.#changed.numbers;
    ids[BookAt.PreviousId] = ids[BookAt.LastId]! - 1;
    this.#changed.depth = numbers[At.Depth]!;
    const ownTimeUs = this.#seen.has(Seen.Time) ? epochTimeUs(numbers[At.Time]) : undefined;
    const venueTimeUs = ownTimeUs ?? epochTimeUs(numbers[At.MessageTime]);
    this.#changed.emit(book, venueTimeUs, receivedTimeUs, emit, takeTick);
    return true;
  }

  #member(bytes: Uint8Array, at: number): number {
    const { levels, numbers } = this.#changed;
    const bids = literal(bytes, at, BIDS);
    if (bids >= 0) return this.#side(bytes, bids, levels.bids, Seen.Bids);
    const asks = literal(bytes, at, ASKS);
    if (asks >= 0) return this.#side(bytes, asks, levels.asks, Seen.Asks);
    const time = literal(bytes, at, TIME);
    if (time >= 0) return this.#number(bytes, time, this.#numbers, At.Time, Seen.Time);
    const version = literal(bytes, at, VERSION);
    if (version >= 0) return this.#number(bytes, version, numbers, BookAt.LastId, Seen.Version);
    const update = literal(bytes, at, UPDATE);
    if (update >= 0) return this.#seen.isFirst(Seen.Event) ? update : NOT_SO;
    const name = textEnd(bytes, literal(bytes, at, NAME));
    if (name >= 0) return this.#seen.isFirst(Seen.Name) ? name + 1 : NOT_SO;
    for (const unread of UNREAD) {
      const value = literal(bytes, at, unread);
      if (value >= 0) return skipScalar(bytes, value);
    }
    return NOT_SO;
  }

  #side(bytes: Uint8Array, at: number, levels: ScannedLevels, member: number): number {
    return this.#seen.isFirst(member) ? levels.bare(bytes, at, this.#changed.levels.form) : NOT_SO;
  }

  #number(
    bytes: Uint8Array,
    at: number,
    column: Float64Array,
    place: number,
    member: number,
  ): number {
    return this.#seen.isFirst(member) ? wholeNumber(bytes, at, column, place) : NOT_SO;
  }
}
