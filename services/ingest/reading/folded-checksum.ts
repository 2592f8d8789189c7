import type { Mantissa } from "@tickwire/proto/model";
import { updateCrc32 } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";
import type { BestLevels, TickLevels } from "#core/tick-levels.ts";

/** Texts of more characters are not shifted by. */
export const SHIFTED_CHARACTERS_MAX = 64;

/** Digits are summed in groups of three. */
const GROUP_DIGITS = 3;
const GROUP = 1e3;
const TWO_GROUPS = 1e6;
const THREE_GROUPS = 1e9;

/** What groups of digits come to, beginning with nothing. Made with the first sum. */
type GroupSums = {
  /** By the number that three digits are: `007` is the seventh. */
  readonly inside: Int32Array;
  /** Of those that a number begins with, whose zeros are left out. */
  readonly first: Int32Array;
};

/**
 * CRC-32 over the digits of numbers. A CRC is linear: what a text adds to it does not depend on
 * what came before, but for a shift by the text's length. So the sum of each group of digits is in
 * a table, and the sums are put together, without a text of the number.
 */
export class FoldedChecksum {
  /** Most processes have no venue that needs them. */
  #groups: GroupSums | undefined;

  /** Digits of the number that was added last. */
  #length = 0;

  /** The state after the digits of a number from 0 on, in plain decimal notation. */
  update(state: number, mantissa: Mantissa): number {
    if (typeof mantissa !== "number") return updateCrc32(state, String(mantissa));
    const sum = this.#sumOf(mantissa);
    return shiftCrc32(state, this.#length) ^ sum;
  }

  /** Puts what both numbers come to, beginning with nothing, and their digits into columns. */
  putPair(one: number, other: number, sums: Int32Array, lengths: Uint8Array, place: number): void {
    const sum = this.#sumOf(one);
    const length = this.#length;
    const otherSum = this.#sumOf(other);
    sums[place] = shiftCrc32(sum, this.#length) ^ otherSum;
    lengths[place] = length + this.#length;
  }

  /** Of a safe integer. */
  #sumOf(mantissa: number): number {
    const groups = (this.#groups ??= createGroupSums());
    const high = Math.floor(mantissa / THREE_GROUPS);
    if (high === 0) return this.#sumOfSmall(groups, mantissa | 0);
    const low = (mantissa - high * THREE_GROUPS) | 0;
    const begin = this.#sumOfSmall(groups, high | 0);
    this.#length += 3 * GROUP_DIGITS;
    const { inside } = groups;
    const first = (low / TWO_GROUPS) | 0;
    const rest = low - first * TWO_GROUPS;
    const second = (rest / GROUP) | 0;
    let sum = shiftCrc32(begin, GROUP_DIGITS) ^ inside[first]!;
    sum = shiftCrc32(sum, GROUP_DIGITS) ^ inside[second]!;
    return shiftCrc32(sum, GROUP_DIGITS) ^ inside[rest - second * GROUP]!;
  }

  /** Of a number of at most nine digits. */
  #sumOfSmall({ first, inside }: GroupSums, number: number): number {
    if (number < GROUP) {
      this.#length = number < 10 ? 1 : number < 100 ? 2 : 3;
      return first[number]!;
    }
    const head = (number / GROUP) | 0;
    const last = number - head * GROUP;
    if (head < GROUP) {
      this.#length = head < 10 ? 4 : head < 100 ? 5 : 6;
      return shiftCrc32(first[head]!, GROUP_DIGITS) ^ inside[last]!;
    }
    const begin = (head / GROUP) | 0;
    this.#length = begin < 10 ? 7 : begin < 100 ? 8 : 9;
    const sum = shiftCrc32(first[begin]!, GROUP_DIGITS) ^ inside[head - begin * GROUP]!;
    return shiftCrc32(sum, GROUP_DIGITS) ^ inside[last]!;
  }
}

function createGroupSums(): GroupSums {
  const numbers = Array.from({ length: GROUP }, (_, number) => String(number));
  return {
    inside: Int32Array.from(numbers, (text) => updateCrc32(0, text.padStart(GROUP_DIGITS, "0"))),
    first: Int32Array.from(numbers, (text) => updateCrc32(0, text)),
  };
}

/**
 * CRC-32 over the best levels of one side of a book, price then size. It remembers what each of
 * them came to when the side was summed last, and all of them up to each place: only what has
 * changed is summed, from the first place that differs on.
 */
export class FoldedLevels {
  readonly #digits: FoldedChecksum;
  readonly #levelsMax: number;
  // Each level from place 1 on; NaN stands where there is none.
  readonly #prices: Float64Array;
  readonly #sizes: Float64Array;
  /** Of price and size, beginning with nothing. */
  readonly #sums: Int32Array;
  /** Their digits. */
  readonly #lengths: Uint8Array;
  /** Of all levels up to this place, beginning with nothing, and their digits. */
  readonly #states: Int32Array;
  readonly #ends: Uint32Array;
  /** Of the side as it stands, from index 0 on. */
  readonly #newPrices: Float64Array;
  readonly #newSizes: Float64Array;
  /** Levels that were summed last; -1 if what they came to was not kept. */
  #count = -1;
  /** What the state before these levels was last, over how many digits, and what it became. */
  #start = 0;
  #startDigits = 0;
  #startShifted = 0;

  /** `levelsMax` is how many levels are summed at most. */
  constructor(digits: FoldedChecksum, levelsMax: number) {
    this.#digits = digits;
    this.#levelsMax = levelsMax;
    const places = levelsMax + 2;
    this.#prices = new Float64Array(places).fill(Number.NaN);
    this.#sizes = new Float64Array(places);
    this.#sums = new Int32Array(places);
    this.#lengths = new Uint8Array(places);
    this.#states = new Int32Array(places);
    this.#ends = new Uint32Array(places);
    this.#newPrices = new Float64Array(levelsMax);
    this.#newSizes = new Float64Array(levelsMax);
  }

  /**
   * True if none of these changes is of a level that was summed last, or comes before one. Higher
   * prices are better where `sign` is 1, lower ones where it is -1.
   */
  isBeside({ prices, count }: TickLevels, sign: 1 | -1): boolean {
    if (this.#count < 0) return false;
    if (count === 0) return true;
    if (this.#count < this.#levelsMax) return false;
    const worst = this.#prices[this.#levelsMax]!;
    for (let index = 0; index < count; index += 1) {
      if ((prices[index]! - worst) * sign >= 0) return false;
    }
    return true;
  }

  /** The state after the levels that were summed last, which `isBeside` says are the same. */
  again(start: number): number {
    assert(this.#count >= 0, "what is summed again was summed before");
    const digits = this.#ends[this.#count]!;
    if (start !== this.#start || digits !== this.#startDigits) {
      this.#start = start;
      this.#startDigits = digits;
      this.#startShifted = shiftFar(start, digits);
    }
    return this.#startShifted ^ this.#states[this.#count]!;
  }

  /** The state after the levels, which are from the best on and no more than `levelsMax`. */
  update(start: number, prices: readonly Mantissa[], sizes: readonly Mantissa[]): number {
    const levels = prices.length;
    assert(levels <= this.#levelsMax, "no more levels are summed than there is room for");
    for (let index = 0; index < levels; index += 1) {
      const price = prices[index]!;
      const size = sizes[index]!;
      if (typeof price !== "number" || typeof size !== "number") {
        this.#prices.fill(Number.NaN);
        this.#count = -1;
        return this.#updateEach(start, prices, sizes);
      }
      this.#newPrices[index] = price;
      this.#newSizes[index] = size;
    }
    return this.#updateNumbers(start, levels);
  }

  /** The same for the best levels of a side as it stands. */
  updateBest(start: number, side: BestLevels): number {
    const levels = side.readBest(this.#levelsMax, this.#newPrices, this.#newSizes);
    if (levels >= 0) return this.#updateNumbers(start, levels);
    const { prices, sizes } = side.levels(this.#levelsMax);
    return this.update(start, prices, sizes);
  }

  /** The same for the first of the new levels. */
  #updateNumbers(start: number, levels: number): number {
    const prices = this.#newPrices;
    const sizes = this.#newSizes;
    let same = 0;
    while (same < levels && prices[same] === this.#prices[same + 1]) {
      if (sizes[same] !== this.#sizes[same + 1]) break;
      same += 1;
    }
    if (same < levels) this.#fold(same, levels);
    if (levels !== this.#count) {
      this.#prices.fill(Number.NaN, levels + 1);
      this.#count = levels;
    }
    return this.again(start);
  }

  /**
   * Sums anew from an index on. A level that stands where it stood, or beside that since another
   * one came or went, is not summed again.
   */
  #fold(first: number, levels: number): void {
    const prices = this.#prices;
    const sizes = this.#sizes;
    const sums = this.#sums;
    const lengths = this.#lengths;
    const states = this.#states;
    const ends = this.#ends;
    let [priceBefore, sizeBefore, sumBefore, lengthBefore] = [Number.NaN, 0, 0, 0];
    for (let place = first + 1; place <= levels; place += 1) {
      const price = this.#newPrices[place - 1]!;
      const size = this.#newSizes[place - 1]!;
      const knownPrice = prices[place]!;
      const knownSize = sizes[place]!;
      const knownSum = sums[place]!;
      const knownLength = lengths[place]!;
      if (knownPrice !== price || knownSize !== size) {
        if (prices[place + 1] === price && sizes[place + 1] === size) {
          sums[place] = sums[place + 1]!;
          lengths[place] = lengths[place + 1]!;
        } else if (priceBefore === price && sizeBefore === size) {
          sums[place] = sumBefore;
          lengths[place] = lengthBefore;
        } else {
          this.#digits.putPair(price, size, sums, lengths, place);
        }
        prices[place] = price;
        sizes[place] = size;
      }
      const length = lengths[place]!;
      states[place] = shiftCrc32(states[place - 1]!, length) ^ sums[place]!;
      ends[place] = ends[place - 1]! + length;
      priceBefore = knownPrice;
      sizeBefore = knownSize;
      sumBefore = knownSum;
      lengthBefore = knownLength;
    }
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

/** What so many characters do to each byte of the state before them, by their number. */
const shifts: (Int32Array | undefined)[] = Array.from({ length: SHIFTED_CHARACTERS_MAX + 1 });

/** The same for any number of characters. */
function shiftFar(state: number, characters: number): number {
  let shifted = state;
  let left = characters;
  for (; left > SHIFTED_CHARACTERS_MAX; left -= SHIFTED_CHARACTERS_MAX) {
    shifted = shiftCrc32(shifted, SHIFTED_CHARACTERS_MAX);
  }
  return shiftCrc32(shifted, left);
}

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
