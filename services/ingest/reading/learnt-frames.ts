import type { InstrumentCatalog } from "#core/instrument-catalog.ts";

/** Frames that are remembered of a connection; with one more, all are learnt anew. */
export const LEARNT_FRAMES_MAX = 65_536;
/** Forms of one stream that are remembered; further ones are read as if they were new. */
export const LEARNT_FORMS_MAX = 4;
/** Values of a frame; one that has more of them is not learnt. */
export const LEARNT_VALUES_MAX = 32;
/** Bytes beside the values; a frame that has more of them is not learnt. */
const FIXED_BYTES_MAX = 1_024;

const SLOTS_MIN = 64;
const QUOTE = 0x22;

/** Who reads the values of a frame that was learnt, as it read them when the frame was new. */
export type ValueReader<Meaning> = {
  /** A frame begins that may be of this meaning. */
  beginLearnt(meaning: Meaning): void;
  /** Behind the value that begins here; negative if it is not of that sort. */
  readValue(bytes: Uint8Array, at: number, sort: number): number;
};

/** Bytes that stand in every frame of a form, and the values between them. */
class LearntFrame<Meaning> {
  readonly meaning: Meaning;
  /** All that lies between the values, in one piece. */
  readonly #fixed: Uint8Array;
  /** Before which of those bytes each value stands. */
  readonly #places: Uint16Array;
  readonly #sorts: Uint8Array;

  constructor(meaning: Meaning, bytes: Uint8Array, values: FoundValues) {
    this.meaning = meaning;
    const { count, starts, ends, sorts } = values;
    this.#sorts = sorts.slice(0, count);
    this.#places = new Uint16Array(count);
    this.#fixed = new Uint8Array(values.fixedLength(bytes.length));
    let place = 0;
    let from = 0;
    for (let index = 0; index <= count; index += 1) {
      const to = index < count ? starts[index]! : bytes.length;
      this.#fixed.set(bytes.subarray(from, to), place);
      place += to - from;
      if (index < count) this.#places[index] = place;
      from = ends[index] ?? to;
    }
  }

  /** True if the bytes are this frame, with whatever values. */
  read(bytes: Uint8Array, reader: ValueReader<Meaning>): boolean {
    const fixed = this.#fixed;
    const places = this.#places;
    const sorts = this.#sorts;
    let at = 0;
    let from = 0;
    for (let index = 0; index < sorts.length; index += 1) {
      const to = places[index]!;
      if (!isSame(bytes, at, fixed, from, to)) return false;
      at = reader.readValue(bytes, at + to - from, sorts[index]!);
      if (at < 0) return false;
      from = to;
    }
    const end = fixed.length;
    return bytes.length - at === end - from && isSame(bytes, at, fixed, from, end);
  }
}

/** True if the bytes from a position on are those of `fixed` from `from` to `to`. */
function isSame(
  bytes: Uint8Array,
  start: number,
  fixed: Uint8Array,
  from: number,
  to: number,
): boolean {
  const ahead = start - from;
  if (to + ahead > bytes.length) return false;
  let at = from;
  // Four at a time: most of a frame is compared here.
  for (const end = to - 3; at < end; at += 4) {
    const place = at + ahead;
    const difference =
      (bytes[place]! ^ fixed[at]!) |
      (bytes[place + 1]! ^ fixed[at + 1]!) |
      (bytes[place + 2]! ^ fixed[at + 2]!) |
      (bytes[place + 3]! ^ fixed[at + 3]!);
    if (difference !== 0) return false;
  }
  for (; at < to; at += 1) if (bytes[at + ahead] !== fixed[at]) return false;
  return true;
}

/** Where the values of a frame that is being read for the first time stand. */
export class FoundValues {
  readonly starts = new Uint32Array(LEARNT_VALUES_MAX);
  readonly ends = new Uint32Array(LEARNT_VALUES_MAX);
  readonly sorts = new Uint8Array(LEARNT_VALUES_MAX);
  /** Of values; more than LEARNT_VALUES_MAX for a frame that cannot be learnt. */
  count = 0;

  begin(): void {
    this.count = 0;
  }

  /** Notes a value, and returns where it ends. Values come in the order of the bytes. */
  add(start: number, end: number, sort: number): number {
    const index = this.count;
    if (index < LEARNT_VALUES_MAX) {
      this.starts[index] = start;
      this.ends[index] = end;
      this.sorts[index] = sort;
    }
    if (end >= 0) this.count = index + 1;
    return end;
  }

  /** Bytes of a frame of this length that are no value. */
  fixedLength(length: number): number {
    let fixed = length;
    for (let index = 0; index < this.count; index += 1) {
      fixed -= this.ends[index]! - this.starts[index]!;
    }
    return fixed;
  }
}

/**
 * Frames of a connection as they came before. A venue writes the messages of a stream in one form,
 * so that between two of them only the values change: those that were read member by member once
 * are compared with what is known from then on, and their values are read where they stand. What is
 * taken so is exactly what would be taken member by member; anything else is left to that.
 */
export class LearntFrames<Meaning> {
  readonly #catalog: InstrumentCatalog;
  /** A frame means what it did for as long as the catalog is the same. */
  #version: number;
  /** Open addressing by the name of the stream; at most half of the slots are used. */
  #slots: (LearntFrame<Meaning> | undefined)[] = emptySlots(SLOTS_MIN);
  #hashes = new Int32Array(SLOTS_MIN);
  #count = 0;

  constructor(catalog: InstrumentCatalog) {
    this.#catalog = catalog;
    this.#version = catalog.version;
  }

  /** What a frame means whose stream's name begins at `nameAt`; undefined if it is not known. */
  find(bytes: Uint8Array, nameAt: number, reader: ValueReader<Meaning>): Meaning | undefined {
    if (this.#version !== this.#catalog.version) this.#forget();
    const slots = this.#slots;
    const mask = slots.length - 1;
    const hash = hashOfName(bytes, nameAt);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const frame = slots[slot];
      if (frame === undefined) return undefined;
      if (this.#hashes[slot] === hash) {
        reader.beginLearnt(frame.meaning);
        if (frame.read(bytes, reader)) return frame.meaning;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** The frame was read for the first time, and is known from now on. */
  learn(bytes: Uint8Array, nameAt: number, values: FoundValues, meaning: Meaning): void {
    if (values.count > LEARNT_VALUES_MAX) return;
    if (values.fixedLength(bytes.length) > FIXED_BYTES_MAX) return;
    if (this.#count === LEARNT_FRAMES_MAX || this.#version !== this.#catalog.version) {
      this.#forget();
    }
    const frame = new LearntFrame(meaning, bytes, values);
    if (!this.#put(frame, hashOfName(bytes, nameAt))) return;
    this.#count += 1;
    if (2 * this.#count > this.#slots.length) this.#grow();
  }

  /** False if as many of its forms are known as may be. */
  #put(frame: LearntFrame<Meaning>, hash: number): boolean {
    const mask = this.#slots.length - 1;
    let forms = 0;
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#slots[slot] !== undefined) {
      if (this.#hashes[slot] === hash) forms += 1;
      if (forms === LEARNT_FORMS_MAX) return false;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = frame;
    this.#hashes[slot] = hash;
    return true;
  }

  #grow(): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    this.#slots = emptySlots(2 * slots.length);
    this.#hashes = new Int32Array(2 * slots.length);
    for (const [slot, frame] of slots.entries()) {
      if (frame !== undefined) this.#put(frame, hashes[slot]!);
    }
  }

  #forget(): void {
    this.#version = this.#catalog.version;
    if (this.#count === 0) return;
    this.#slots = emptySlots(SLOTS_MIN);
    this.#hashes = new Int32Array(SLOTS_MIN);
    this.#count = 0;
  }
}

function emptySlots<Frame>(length: number): (Frame | undefined)[] {
  return Array.from({ length }, () => undefined);
}

/** Of the bytes up to the next quote, or to the end where there is none. */
function hashOfName(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let hash = 0;
  for (let at = start; at < length; at += 1) {
    const code = bytes[at]!;
    if (code === QUOTE) break;
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  return hash;
}
