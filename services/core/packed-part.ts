/** Bytes that share a mask, which says by bits which of them differ. */
const GROUP = 8;
/** Bytes whose masks share a byte, which says which of these are new. */
const GROUPS = GROUP * 8;
/** Memory is taken in steps of this. */
const STEP_BYTES = 32;
/** Half of a group is a word of four bytes, the lowest first. */
const WORD = 4;
const LITTLE = true;

/** The words of the bytes that were packed last, which are mostly those of the next ones too. */
let sourceWords = new DataView<ArrayBufferLike>(new ArrayBuffer(0));

/**
 * A part of batches that resemble each other, as the last one was that was written or read. It is
 * packed as the bytes that differ from that, eight at a time under a mask. The places that differ
 * are mostly the same ones from part to part, so a mask is written only where it is not the one of
 * before: a byte for every eight masks says where. A part that is longer than may be remembered
 * lies as it is and changes nothing, and neither does an empty one.
 */
export class PackedPart {
  readonly #bytesMax: number;
  /** The part before with 0 behind its end, and from `#room` on the masks: one array is less. */
  #bytes = new Uint8Array(0);
  /** The same as words, since a second part was packed. */
  #words: DataView | undefined;
  #room = 0;
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
    this.#bytes.fill(0, this.#room);
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
    const isFirst = this.#length === 0;
    this.#setLength(length);
    const known = this.#bytes;
    const room = this.#room;
    const knownWords = this.#words ?? new DataView(known.buffer);
    // Most topics are quiet: what has one batch keeps no view for a next one.
    if (!isFirst) this.#words = knownWords;
    const words = wordsOf(source);
    const wordsStart = source.byteOffset + start;
    let newMasksAt = 0;
    for (let group = 0; group < length; group += GROUP) {
      const number = group >>> 3;
      if (group % GROUPS === 0) {
        newMasksAt = at;
        target[at] = 0;
        at += 1;
      }
      if (length - group < GROUP) {
        return this.#putEnd(target, { at, newMasksAt }, source, start + group, group);
      }
      const low = words.getInt32(wordsStart + group, LITTLE);
      const high = words.getInt32(wordsStart + group + WORD, LITTLE);
      const lowMask = maskOf(low ^ knownWords.getInt32(group, LITTLE));
      const highMask = maskOf(high ^ knownWords.getInt32(group + WORD, LITTLE));
      let mask = lowMask | (highMask << WORD);
      const before = known[room + number] as number;
      const spare = before & ~mask;
      // The mask of before does as well if it has all that differs, and one byte more at most.
      if ((mask & ~before) === 0 && (spare & (spare - 1)) === 0) mask = before;
      else {
        target[newMasksAt] = (target[newMasksAt] as number) | (1 << (number & 7));
        target[at] = mask;
        known[room + number] = mask;
        at += 1;
      }
      if (mask === 0) continue;
      knownWords.setInt32(group, low, LITTLE);
      knownWords.setInt32(group + WORD, high, LITTLE);
      at = putMasked(target, at, low, mask);
      at = putMasked(target, at, high, mask >>> WORD);
    }
    return at;
  }

  /** Packs the last bytes, fewer than a group. Returns the position behind them. */
  #putEnd(
    target: Uint8Array,
    place: { readonly at: number; readonly newMasksAt: number },
    source: Uint8Array,
    start: number,
    group: number,
  ): number {
    let { at } = place;
    const known = this.#bytes;
    const size = this.#length - group;
    const maskAt = this.#room + (group >>> 3);
    let mask = 0;
    for (let index = 0; index < size; index += 1) {
      if (source[start + index] !== known[group + index]) mask |= 1 << index;
    }
    const before = known[maskAt] as number;
    const spare = before & ~mask;
    if ((mask & ~before) === 0 && (spare & (spare - 1)) === 0 && before >>> size === 0) {
      mask = before;
    } else {
      target[place.newMasksAt] = (target[place.newMasksAt] as number) | (1 << ((group >>> 3) & 7));
      target[at] = mask;
      known[maskAt] = mask;
      at += 1;
    }
    for (let index = 0; mask !== 0; index += 1, mask >>>= 1) {
      if ((mask & 1) === 0) continue;
      const byte = source[start + index] as number;
      known[group + index] = byte;
      target[at] = byte;
      at += 1;
    }
    return at;
  }

  /** Reads a packed part of this length into `bytes`. Returns the position behind it. */
  take(source: Uint8Array, position: number, length: number): number {
    if (length === 0) return position;
    this.#setLength(length);
    const known = this.#bytes;
    const room = this.#room;
    let at = position;
    let newMasks = 0;
    for (let group = 0; group < length; group += GROUP) {
      const number = group >>> 3;
      if (group % GROUPS === 0) {
        newMasks = source[at] as number;
        at += 1;
      }
      if ((newMasks & (1 << (number & 7))) !== 0) {
        known[room + number] = source[at] as number;
        at += 1;
      }
      let mask = known[room + number] as number;
      for (let index = group; mask !== 0; index += 1, mask >>>= 1) {
        if ((mask & 1) === 0) continue;
        known[index] = source[at] as number;
        at += 1;
      }
    }
    return at;
  }

  #setLength(length: number): void {
    if (length > this.#room) {
      const room = Math.ceil(length / STEP_BYTES) * STEP_BYTES;
      const grown = new Uint8Array(room + room / GROUP);
      grown.set(this.#bytes.subarray(0, this.#room));
      grown.set(this.#bytes.subarray(this.#room), room);
      this.#bytes = grown;
      this.#words = undefined;
      this.#room = room;
    }
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }
}

/** The most bytes that a part of this length takes. */
export function packedPartMax(length: number): number {
  return length + Math.ceil(length / GROUP) + Math.ceil(length / GROUPS);
}

function wordsOf({ buffer }: Uint8Array): DataView {
  if (sourceWords.buffer !== buffer) sourceWords = new DataView(buffer);
  return sourceWords;
}

/** A bit for each byte of a word that is not 0. */
function maskOf(word: number): number {
  const highBits = (((word & 0x7f7f7f7f) + 0x7f7f7f7f) | word) & 0x80808080;
  // Moves bits 0, 8, 16 and 24 to 24, 25, 26 and 27.
  return (Math.imul(highBits >>> 7, 0x01020408) >>> 24) & 0xf;
}

/**
 * Writes the bytes of a word whose bits are set. Each is written, and the next one over it if its
 * bit is not: which bits are set is what no processor can guess.
 */
function putMasked(target: Uint8Array, position: number, word: number, mask: number): number {
  let at = position;
  target[at] = word;
  at += mask & 1;
  target[at] = word >>> 8;
  at += (mask >>> 1) & 1;
  target[at] = word >>> 16;
  at += (mask >>> 2) & 1;
  target[at] = word >>> 24;
  return at + ((mask >>> 3) & 1);
}
