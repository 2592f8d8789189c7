import type { Mantissa } from "@tickwire/proto/model";
import { updateCrc32 } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";

/** Texts of more characters are not shifted by. */
export const SHIFTED_CHARACTERS_MAX = 64;
/** Numbers that are remembered, a power of two; another one of the same slot takes its place. */
const SLOTS = 16_384;
const SLOT_BITS = 14;

/** Numbers by their slot. */
class NumberMemory {
  readonly numbers = new Float64Array(SLOTS).fill(Number.NaN);
  /** The sum of a number's digits, beginning with nothing. */
  readonly sums = new Int32Array(SLOTS);
  readonly lengths = new Uint8Array(SLOTS);

  learn(slot: number, mantissa: number): void {
    const digits = String(mantissa);
    this.numbers[slot] = mantissa;
    this.sums[slot] = updateCrc32(0, digits);
    this.lengths[slot] = digits.length;
  }
}

/**
 * CRC-32 over the digits of many numbers, of which most were summed before: those of a book's best
 * levels change one or two at a time. A CRC is linear: what a text adds to it does not depend on
 * what came before, but for a shift by the text's length. So the sum of each number is remembered
 * and the sums are put together, eight look-ups for the level of a book.
 */
export class FoldedChecksum {
  /** Made with the first sum, for most processes have none of the venue. */
  #memory: NumberMemory | undefined;

  /** The state after the digits of a number from 0 on, in plain decimal notation. */
  update(state: number, mantissa: Mantissa): number {
    if (typeof mantissa !== "number") return updateCrc32(state, String(mantissa));
    const memory = (this.#memory ??= new NumberMemory());
    const slot = Math.imul(mantissa | 0, 0x9e37_79b1) >>> (32 - SLOT_BITS);
    if (memory.numbers[slot] !== mantissa) memory.learn(slot, mantissa);
    return shiftCrc32(state, memory.lengths[slot]!) ^ memory.sums[slot]!;
  }
}

/** The sums of one side's best levels, from place 1 on; NaN stands where there is no level. */
class SummedLevels {
  readonly prices: Float64Array;
  readonly sizes: Float64Array;
  /** Of price and size, beginning with nothing. */
  readonly sums: Int32Array;
  readonly lengths: Uint8Array;

  constructor(levelsMax: number) {
    const places = levelsMax + 2;
    this.prices = new Float64Array(places).fill(Number.NaN);
    this.sizes = new Float64Array(places);
    this.sums = new Int32Array(places);
    this.lengths = new Uint8Array(places);
  }

  holds(place: number, price: number, size: number): boolean {
    return this.prices[place] === price && this.sizes[place] === size;
  }

  /** Where the level stands: at the place, or beside it since another one came or went. */
  find(place: number, price: number, size: number): number {
    if (this.holds(place, price, size)) return place;
    if (place > 0 && this.holds(place - 1, price, size)) return place - 1;
    return place + 1 < this.prices.length && this.holds(place + 1, price, size) ? place + 1 : -1;
  }
}

/**
 * CRC-32 over the best levels of one side of a book, price then size. It remembers what each of
 * them came to when the side was summed last, so that only those are summed that have changed.
 */
export class FoldedLevels {
  readonly #digits: FoldedChecksum;
  readonly #levelsMax: number;
  /** As the side was summed last, and what takes its place. */
  #known: SummedLevels;
  #spare: SummedLevels;

  /** `levelsMax` is how many levels are summed at most. */
  constructor(digits: FoldedChecksum, levelsMax: number) {
    this.#digits = digits;
    this.#levelsMax = levelsMax;
    this.#known = new SummedLevels(levelsMax);
    this.#spare = new SummedLevels(levelsMax);
  }

  /** The state after the levels, which are from the best on and no more than `levelsMax`. */
  update(start: number, prices: readonly Mantissa[], sizes: readonly Mantissa[]): number {
    const levels = prices.length;
    assert(levels <= this.#levelsMax, "no more levels are summed than there is room for");
    const known = this.#known;
    const next = this.#spare;
    let state = start;
    let place = 0;
    for (let index = 0; index < levels; index += 1) {
      const price = prices[index]!;
      const size = sizes[index]!;
      if (typeof price !== "number" || typeof size !== "number") {
        return this.#updateEach(start, prices, sizes);
      }
      const to = index + 1;
      const from = known.find(Math.min(place + 1, this.#levelsMax + 1), price, size);
      if (from < 0) {
        next.sums[to] = this.#digits.update(this.#digits.update(0, price), size);
        next.lengths[to] = digitsOf(price) + digitsOf(size);
        place += 1;
      } else {
        next.sums[to] = known.sums[from]!;
        next.lengths[to] = known.lengths[from]!;
        place = from;
      }
      next.prices[to] = price;
      next.sizes[to] = size;
      state = shiftCrc32(state, next.lengths[to]!) ^ next.sums[to]!;
    }
    next.prices.fill(Number.NaN, levels + 1);
    this.#known = next;
    this.#spare = known;
    return state;
  }

  #updateEach(start: number, prices: readonly Mantissa[], sizes: readonly Mantissa[]): number {
    let state = start;
    for (let index = 0; index < prices.length; index += 1) {
      state = this.#digits.update(state, prices[index]!);
      state = this.#digits.update(state, sizes[index]!);
    }
    return state;
  }
}

/** Digits of a whole number from 0 on. */
function digitsOf(mantissa: number): number {
  let digits = 1;
  for (let rest = mantissa; rest >= 10; rest /= 10) digits += 1;
  return digits;
}

/** What so many characters do to each byte of the state before them, by their number. */
const shifts: (Int32Array | undefined)[] = Array.from({ length: SHIFTED_CHARACTERS_MAX + 1 });

/** The state after so many characters of which the sum is added separately. */
export function shiftCrc32(state: number, characters: number): number {
  const shift = (shifts[characters] ??= createShift(characters));
  return (
    shift[state & 0xff]! ^
    shift[256 + ((state >>> 8) & 0xff)]! ^
    shift[512 + ((state >>> 16) & 0xff)]! ^
    shift[768 + (state >>> 24)]!
  );
}

function createShift(characters: number): Int32Array {
  const shift = new Int32Array(1024);
  const nothing = "\0".repeat(characters);
  for (let index = 0; index < shift.length; index += 1) {
    shift[index] = updateCrc32((index & 0xff) << (8 * (index >>> 8)), nothing);
  }
  return shift;
}
