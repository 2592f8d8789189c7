import { BATCH_EVENTS_MAX } from "../limits.ts";

/** Room of columns that nothing was written to yet: most topics are quiet. */
export const ROOM_MIN = 16;

/** Room for events that stays: what a burst took beyond it, the first smaller batch gives back. */
export const EVENTS_ROOM_KEPT_MAX = 256;

/** Room for levels that stays, in the same way. */
export const LEVELS_ROOM_KEPT_MAX = 1_024;

/** What an entry of `sides` says. */
export const SideCode = { None: 0, Buyer: 1, Seller: 2 } as const;

/** Times of events. Entries from `count` on mean nothing. */
class PendingEvents {
  /** Events that are whole. Whoever adds one writes its entries first, and then raises this. */
  count = 0;
  /** Safe integers. */
  receivedTimesUs = new Float64Array(ROOM_MIN);
  /** Safe integers; NaN where the venue gives no time. */
  venueTimesUs = new Float64Array(ROOM_MIN);
  /** Decimals of all prices, from 0 to SCALE_MAX. Whoever changes it brings the prices along. */
  priceScale = 0;
  /** Decimals of all sizes. */
  sizeScale = 0;

  /** Room for events; `receivedTimesUs` and the other columns may be other arrays afterwards. */
  protected resizeEvents(room: number): void {
    this.receivedTimesUs = resized(this.receivedTimesUs, room);
    this.venueTimesUs = resized(this.venueTimesUs, room);
  }

  /**
   * Makes room for one more event. Columns may be other arrays afterwards. Throws RangeError beyond
   * BATCH_EVENTS_MAX, because no batch could carry them.
   */
  reserve(): void {
    const { length } = this.receivedTimesUs;
    if (this.count < length) return;
    if (length >= BATCH_EVENTS_MAX) {
      const count = this.count + 1;
      throw new RangeError(`${count} events exceed BATCH_EVENTS_MAX ${BATCH_EVENTS_MAX}`);
    }
    this.resizeEvents(2 * length);
  }

  /**
   * Forgets the events. Scales stay, and so does the room if the events needed it: who always has
   * large batches would otherwise take it anew for each of them.
   */
  clear(): void {
    const { count } = this;
    this.count = 0;
    const isSpare = count <= EVENTS_ROOM_KEPT_MAX;
    if (isSpare && this.receivedTimesUs.length > EVENTS_ROOM_KEPT_MAX) {
      this.resizeEvents(EVENTS_ROOM_KEPT_MAX);
    }
  }
}

/**
 * Trades of one topic that wait for a batch, as columns that grow: entry i of each describes trade
 * i. Prices and sizes are mantissas, safe integers, at one scale for all. None is historical.
 */
export class PendingTrades extends PendingEvents {
  readonly kind = "trades";
  prices = new Float64Array(ROOM_MIN);
  /** From 0 on. */
  sizes = new Float64Array(ROOM_MIN);
  /** See SideCode. */
  sides = new Uint8Array(ROOM_MIN);
  /** Ids that are `String` of a safe integer from 0 on; NaN where `idTexts` has the id. */
  ids = new Float64Array(ROOM_MIN);
  /** Ids that are something else, at the indices of their trades. */
  readonly idTexts: string[] = [];

  protected override resizeEvents(room: number): void {
    super.resizeEvents(room);
    this.prices = resized(this.prices, room);
    this.sizes = resized(this.sizes, room);
    this.sides = resized(this.sides, room);
    this.ids = resized(this.ids, room);
  }

  override clear(): void {
    super.clear();
    // A length that is set is a call of V8's runtime, whatever the length was.
    if (this.idTexts.length > 0) this.idTexts.length = 0;
  }
}

/** Quotes of one topic that wait for a batch, in the same way. A side without orders has size 0. */
export class PendingQuotes extends PendingEvents {
  readonly kind = "quotes";
  bidPrices = new Float64Array(ROOM_MIN);
  bidSizes = new Float64Array(ROOM_MIN);
  askPrices = new Float64Array(ROOM_MIN);
  askSizes = new Float64Array(ROOM_MIN);

  protected override resizeEvents(room: number): void {
    super.resizeEvents(room);
    this.bidPrices = resized(this.bidPrices, room);
    this.bidSizes = resized(this.bidSizes, room);
    this.askPrices = resized(this.askPrices, room);
    this.askSizes = resized(this.askSizes, room);
  }
}

/**
 * Changes of one book that wait for a batch. `prices` and `sizes` hold the levels of all events:
 * the bids of event 0, its asks, the bids of event 1, and so on; a level of size 0 is removed. None
 * of the events is a snapshot.
 */
export class PendingBooks extends PendingEvents {
  readonly kind = "books";
  bidCounts = new Uint32Array(ROOM_MIN);
  askCounts = new Uint32Array(ROOM_MIN);
  /** Levels of the events that `count` counts. Raised like `count`, just before it. */
  levelCount = 0;
  prices = new Float64Array(ROOM_MIN);
  /** From 0 on. */
  sizes = new Float64Array(ROOM_MIN);

  protected override resizeEvents(room: number): void {
    super.resizeEvents(room);
    this.bidCounts = resized(this.bidCounts, room);
    this.askCounts = resized(this.askCounts, room);
  }

  /** Makes room for so many levels more. Columns may be other arrays afterwards. */
  reserveLevels(levels: number): void {
    const needed = this.levelCount + levels;
    if (needed <= this.prices.length) return;
    this.#resizeLevels(Math.max(needed, 2 * this.prices.length));
  }

  #resizeLevels(room: number): void {
    this.prices = resized(this.prices, room);
    this.sizes = resized(this.sizes, room);
  }

  override clear(): void {
    super.clear();
    const { levelCount } = this;
    this.levelCount = 0;
    const isSpare = levelCount <= LEVELS_ROOM_KEPT_MAX;
    if (isSpare && this.prices.length > LEVELS_ROOM_KEPT_MAX) {
      this.#resizeLevels(LEVELS_ROOM_KEPT_MAX);
    }
  }
}

/** Events of one topic that wait for a batch, as columns. */
export type PendingColumns = PendingTrades | PendingQuotes | PendingBooks;

function resized<T extends Float64Array | Uint32Array | Uint8Array>(column: T, room: number): T {
  const other = new (column.constructor as new (length: number) => T)(room);
  other.set(room < column.length ? column.subarray(0, room) : column);
  return other;
}
