// https://docs.bitfinex.com/reference/ws-public-books
// https://docs.bitfinex.com/docs/ws-websocket-checksum
import { BookAt, BookTick } from "#core/market-tick.ts";
import { type Emit, emitTick, heartbeat, type TakeTick } from "../../reading/emit.ts";
import { bytesOf, decimal, literal, NOT_SO, wholeNumber } from "../../reading/frame-bytes.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { beginTick } from "../../reading/scanned-ticks.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import type { BitfinexChannels } from "./answers.ts";

const CHECKSUM = bytesOf(',"cs",');
const HEARTBEAT = bytesOf(',"hb",');

const COMMA = 0x2c;
const MINUS = 0x2d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Places of numbers in the scanner's column. */
const At = { Channel: 0, Sequence: 1, Sent: 2, Price: 3, Count: 4, Amount: 5 } as const;

const NO_LEVELS = { prices: new Float64Array(0), sizes: new Float64Array(0), count: 0 };

type BitfinexScannerOptions = {
  readonly channels: BitfinexChannels;
  /** Takes note of a message's number; false for a message that was there before. */
  readonly continues: (sequence: number, emit: Emit) => boolean;
};

/**
 * Reads single levels and checksums of books, and signs of life, in their bytes, on a connection
 * whose messages are numbered.
 */
export class BitfinexScanner {
  readonly #options: BitfinexScannerOptions;
  readonly #numbers = new Float64Array(6);
  readonly #tick = new BookTick();
  /** The side of the level that was read last. */
  readonly #side = { prices: new Float64Array(1), sizes: new Float64Array(1), count: 1 };

  constructor(options: BitfinexScannerOptions) {
    this.#options = options;
  }

  /** See `FeedDecoder.scan`. Where `isTimed`, messages end with the time of their sending. */
  scan(
    bytes: Uint8Array,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
    isTimed: boolean,
  ): boolean {
    if (bytes[0] !== OPEN_BRACKET) return false;
    const numbers = this.#numbers;
    const payload = wholeNumber(bytes, 1, numbers, At.Channel);
    const level = behind(bytes, behind(bytes, payload, COMMA), OPEN_BRACKET);
    const checksum = level < 0 ? literal(bytes, payload, CHECKSUM) : NOT_SO;
    if (checksum < 0 && level < 0) return this.#heartbeat(bytes, payload, emit, isTimed);
    const { channels, continues } = this.#options;
    const channel = channels.ofNumber(numbers[At.Channel]!);
    if (channel?.kind !== "book") return false;
    const { instrument, scales } = channel;
    if (instrument === undefined || scales === undefined) return false;
    const end = level < 0 ? this.#checksum(bytes, checksum) : this.#level(bytes, level, scales);
    if (!this.#isEnd(bytes, end, isTimed)) return false;
    const venueTimeUs = isTimed ? epochTimeUs(numbers[At.Sent]) : undefined;
    // What such a time says is for the decoder to tell.
    if (isBadTime(venueTimeUs)) return false;
    if (!continues(numbers[At.Sequence]!, emit)) return true;
    const tick = this.#tick;
    beginTick(tick, { instrument, scales }, receivedTimeUs, venueTimeUs);
    tick.bids = NO_LEVELS;
    tick.asks = NO_LEVELS;
    tick.numbers[BookAt.Checksum] = level < 0 ? numbers[At.Amount]! : Number.NaN;
    if (level >= 0) this.#setLevel(tick);
    emitTick(tick, emit, takeTick);
    return true;
  }

  /** Takes a sign of life of whichever channel. */
  #heartbeat(bytes: Uint8Array, payload: number, emit: Emit, isTimed: boolean): boolean {
    if (!this.#isEnd(bytes, literal(bytes, payload, HEARTBEAT), isTimed)) return false;
    if (this.#options.continues(this.#numbers[At.Sequence]!, emit)) heartbeat(emit);
    return true;
  }

  /** Behind the comma that follows a checksum, which may be negative. */
  #checksum(bytes: Uint8Array, start: number): number {
    const digits = behindSign(bytes, start);
    const end = wholeNumber(bytes, digits, this.#numbers, At.Amount);
    if (digits > start) this.#numbers[At.Amount] = -this.#numbers[At.Amount]!;
    return behind(bytes, end, COMMA);
  }

  /** Behind the comma that follows `price,count,amount]`. */
  #level(bytes: Uint8Array, start: number, { form }: ScaleTracker): number {
    const numbers = this.#numbers;
    const price = decimal(bytes, start, form.price, numbers, At.Price);
    if (price < 0 || numbers[At.Price] === 0) return NOT_SO;
    const count = wholeNumber(bytes, behind(bytes, price, COMMA), numbers, At.Count);
    const at = behind(bytes, count, COMMA);
    const digits = behindSign(bytes, at);
    const amount = decimal(bytes, digits, form.size, numbers, At.Amount);
    if (amount < 0 || numbers[At.Amount] === 0) return NOT_SO;
    if (digits > at) numbers[At.Amount] = -numbers[At.Amount]!;
    return behind(bytes, behind(bytes, amount, CLOSE_BRACKET), COMMA);
  }

  /** True if the number of the message, and its time where it has one, are what is left. */
  #isEnd(bytes: Uint8Array, start: number, isTimed: boolean): boolean {
    let at = wholeNumber(bytes, start, this.#numbers, At.Sequence);
    if (isTimed) at = wholeNumber(bytes, behind(bytes, at, COMMA), this.#numbers, At.Sent);
    return behind(bytes, at, CLOSE_BRACKET) === bytes.length;
  }

  /** Puts the level in: of bids if its amount is positive, gone if its count is 0. */
  #setLevel(tick: BookTick): void {
    const numbers = this.#numbers;
    const amount = numbers[At.Amount]!;
    this.#side.prices[0] = numbers[At.Price]!;
    this.#side.sizes[0] = numbers[At.Count] === 0 ? 0 : Math.abs(amount);
    if (amount > 0) tick.bids = this.#side;
    else tick.asks = this.#side;
  }
}

/** Behind this byte. */
function behind(bytes: Uint8Array, at: number, expected: number): number {
  return at >= 0 && bytes[at] === expected ? at + 1 : NOT_SO;
}

/** Behind a minus, if there is one. */
function behindSign(bytes: Uint8Array, start: number): number {
  return start >= 0 && bytes[start] === MINUS ? start + 1 : start;
}
