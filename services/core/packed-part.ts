/** Bytes that share a mask, which says by bits which of them differ. */
const GROUP = 8;
/** Memory is taken in steps of this. */
const STEP_BYTES = 16;

/**
 * A part of batches that resemble each other, as the last one was that was written or read. It is
 * packed as the bytes that differ from that, eight at a time behind a mask; a part that is longer
 * than may be remembered lies as it is and changes nothing, and neither does an empty one.
 */
export class PackedPart {
  readonly #bytesMax: number;
  /** Of the part before, and 0 behind its end. */
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The part that was read last, from its first byte on. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** There was none before. */
  reset(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 0;
  }

  /** Whether a part of this length is packed; others lie as they are. */
  isPacked(length: number): boolean {
    return length <= this.#bytesMax;
  }

  /**
   * Packs a part, which lies in `source`. Returns the position behind it. (Numbers and no object:
   * it is called twice for each batch.)
   */
  put(
    target: Uint8Array,
    position: number,
    source: Uint8Array,
    start: number,
    length: number,
  ): number {
    let at = position;
    if (length > this.#bytesMax) {
      target.set(source.subarray(start, start + length), at);
      return at + length;
    }
    if (length === 0) return at;
    this.#setLength(length);
    const known = this.#bytes;
    for (let group = 0; group < length; group += GROUP) {
      const maskAt = at;
      const end = Math.min(group + GROUP, length);
      let mask = 0;
      at += 1;
      for (let index = group; index < end; index += 1) {
        const byte = source[start + index] as number;
        if (byte === known[index]) continue;
        mask |= 1 << (index - group);
        known[index] = byte;
        target[at] = byte;
        at += 1;
      }
      target[maskAt] = mask;
    }
    return at;
  }

  /** Reads a packed part of this length into `bytes`. Returns the position behind it. */
  take(source: Uint8Array, position: number, length: number): number {
    if (length === 0) return position;
    this.#setLength(length);
    const known = this.#bytes;
    let at = position;
    for (let group = 0; group < length; group += GROUP) {
      let mask = source[at] as number;
      at += 1;
      for (let index = group; mask !== 0; index += 1) {
        if ((mask & 1) !== 0) {
          known[index] = source[at] as number;
          at += 1;
        }
        mask >>>= 1;
      }
    }
    return at;
  }

  #setLength(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.ceil(length / STEP_BYTES) * STEP_BYTES);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }
}

/** The most bytes that a part of this length takes. */
export function packedPartMax(length: number): number {
  return length + Math.ceil(length / GROUP);
}
