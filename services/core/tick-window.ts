import { assert } from "./assert.ts";

const WORD_BITS = 32;

/**
 * Sizes of a run of neighbouring prices, by their place in it: place 0 is the worst price, and the
 * best level is the highest place that has a size. Setting a level costs one store and one bit,
 * however many levels there are; finding the next best after one is gone walks words of 32 places.
 */
export class TickWindow {
  /** Places, a multiple of 32. */
  readonly length: number;
  readonly #sizes: Float64Array;
  /** One bit for each place that has a size. */
  readonly #bits: Int32Array;
  #count = 0;
  #best = -1;

  constructor(length: number) {
    assert(length > 0 && length % WORD_BITS === 0, "a window is made of whole words");
    this.length = length;
    this.#sizes = new Float64Array(length);
    this.#bits = new Int32Array(length / WORD_BITS);
  }

  /** Places that have a size. */
  get count(): number {
    return this.#count;
  }

  /** The highest place that has a size; -1 if none has. */
  get best(): number {
    return this.#best;
  }

  /** The size at a place; 0 if it has none. */
  sizeAt(place: number): number {
    return this.#sizes[place]!;
  }

  /** Sets the size of a place from 0 to `length` - 1; 0 empties it. */
  set(place: number, size: number): void {
    const before = this.#sizes[place]!;
    this.#sizes[place] = size;
    if (size !== 0) {
      if (before !== 0) return;
      this.#bits[place >>> 5]! |= 1 << (place & 31);
      this.#count += 1;
      if (place > this.#best) this.#best = place;
    } else if (before !== 0) {
      this.#bits[place >>> 5]! &= ~(1 << (place & 31));
      this.#count -= 1;
      if (place === this.#best) this.#best = this.before(place);
    }
  }

  /** The next lower place that has a size; -1 if there is none. */
  before(place: number): number {
    let word = place >>> 5;
    let bits = this.#bits[word]! & ((1 << (place & 31)) - 1);
    while (bits === 0) {
      if (word === 0) return -1;
      word -= 1;
      bits = this.#bits[word]!;
    }
    return word * WORD_BITS + 31 - Math.clz32(bits);
  }

  clear(): void {
    this.#sizes.fill(0);
    this.#bits.fill(0);
    this.#count = 0;
    this.#best = -1;
  }
}
