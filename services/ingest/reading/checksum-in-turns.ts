import { CRC32_START, finishCrc32, updateCrc32 } from "@tickwire/proto/model";
import type { Mantissa, OrderBook } from "@tickwire/proto/model";
import { shiftCrc32, SHIFTED_CHARACTERS_MAX } from "./folded-checksum.ts";

/** How a venue writes a level into the text that its checksum is made of. */
type LevelText = (book: OrderBook, price: Mantissa, size: Mantissa, isBid: boolean) => string;

/** Levels that are remembered, a power of two; another one of the same slot takes its place. */
const SLOTS = 8_192;
const SLOT_BITS = 13;

/** Levels by their slot. */
class LevelMemory {
  readonly prices = new Float64Array(SLOTS).fill(Number.NaN);
  readonly sizes = new Float64Array(SLOTS);
  /** Scales and side, which the text depends on too. */
  readonly kinds = new Float64Array(SLOTS);
  /** Of a colon and the level's text, beginning with nothing. */
  readonly sums = new Int32Array(SLOTS);
  readonly lengths = new Uint8Array(SLOTS);
}

/** What a sum begins with, so that the colon before the first level is as if it were not there. */
const START_BEFORE_COLON = stateBefore(":", CRC32_START);

/**
 * Sums the best levels of a book as CRC-32, as a signed integer, over the best bids and asks in
 * turns, joined by colons; a side that has ended is left out. The sum of each level is remembered,
 * since most levels are as they were when the book was summed last: see `FoldedChecksum`.
 */
export class ChecksumInTurns {
  readonly #textOf: LevelText;
  /** Made with the first sum, for most processes have none of the venue. */
  #memory: LevelMemory | undefined;

  constructor(textOf: LevelText) {
    this.#textOf = textOf;
  }

  /** Over at most so many levels of each side. */
  of(book: OrderBook, levelsMax: number): number {
    const bids = book.bids(levelsMax);
    const asks = book.asks(levelsMax);
    const levels = Math.max(bids.prices.length, asks.prices.length);
    if (levels === 0) return 0;
    let state = START_BEFORE_COLON;
    for (let level = 0; level < levels; level += 1) {
      state = this.#update(state, book, bids.prices[level], bids.sizes[level], true);
      state = this.#update(state, book, asks.prices[level], asks.sizes[level], false);
    }
    return finishCrc32(state) | 0;
  }

  #update(
    state: number,
    book: OrderBook,
    price: Mantissa | undefined,
    size: Mantissa | undefined,
    isBid: boolean,
  ): number {
    if (price === undefined || size === undefined) return state;
    if (typeof price !== "number" || typeof size !== "number") {
      return updateCrc32(state, `:${this.#textOf(book, price, size, isBid)}`);
    }
    const memory = (this.#memory ??= new LevelMemory());
    const kind = (book.priceScale * 4_096 + book.sizeScale) * 2 + (isBid ? 1 : 0);
    const hash = Math.imul(price | 0, 0x9e37_79b1) ^ Math.imul(size | 0, 0x85eb_ca6b);
    const slot = Math.imul(hash ^ kind, 0x27d4_eb2d) >>> (32 - SLOT_BITS);
    const isKnown = memory.prices[slot] === price && memory.sizes[slot] === size;
    if (!isKnown || memory.kinds[slot] !== kind) {
      const text = `:${this.#textOf(book, price, size, isBid)}`;
      if (text.length > SHIFTED_CHARACTERS_MAX) return updateCrc32(state, text);
      memory.prices[slot] = price;
      memory.sizes[slot] = size;
      memory.kinds[slot] = kind;
      memory.sums[slot] = updateCrc32(0, text);
      memory.lengths[slot] = text.length;
    }
    return shiftCrc32(state, memory.lengths[slot]!) ^ memory.sums[slot]!;
  }
}

/** The state from which a character leads to `after`. */
function stateBefore(character: string, after: number): number {
  for (let index = 0; index < 256; index += 1) {
    // What the lowest byte of a state becomes when it is taken out.
    const taken = updateCrc32(index, "\0");
    const rest = after ^ taken;
    if (rest >>> 24 === 0) return (rest << 8) | (index ^ character.charCodeAt(0));
  }
  throw new Error("each state has one before it");
}
