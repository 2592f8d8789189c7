import type { Mantissa } from "@tickwire/proto/model";
import { updateCrc32 } from "@tickwire/proto/model";

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
