import { assert } from "#core/assert.ts";
import type { SharedBatch } from "./shared-batch.ts";

/** Numbers are 16 bits, so that a list of them is small. */
const BATCHES_MAX = 0x1_0000;
const NUMBER_MASK = BATCHES_MAX - 1;
const PLACES_MIN = 64;
const WORD_BYTES = 4;
const ARENA_WORDS_MIN = 4_096;
/** Of one arena. */
const ARENA_BYTES_MAX = 8 * 1024 * 1024;
/** Batches of up to so many bytes are copied by words; of longer ones a view is worth making. */
const WORDWISE_BYTES_MAX = 512;
/** The order of bytes in which words are read. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Where a frame is put together, by bytes and by words. */
type FrameTarget = { readonly bytes: Uint8Array; readonly view: DataView };

/** Bytes one after the other, each batch at a whole word. */
type Arena = { bytes: Uint8Array; words: Int32Array; used: number };

function arenaOf(words: number): Arena {
  const buffer = new ArrayBuffer(words * WORD_BYTES);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), used: 0 };
}

/**
 * The batches that wait in some list, by number, the oldest first. Their bytes are copied to where
 * those lie that came just before: who puts frames together goes through these again and again, and
 * finds them in the processor's cache.
 *
 * What holds, and what enforces it:
 * 1. A number names one batch from `add` until `forget` or `endRound` leaves it out: there are
 *    never more than `capacity`. Asserted.
 * 2. Bytes stay where they are while their batch is here: what came before a round lies in another
 *    arena than what comes during it, and an arena is used anew when nothing in it is left.
 */
export class WaitingBatches {
  readonly #capacity: number;
  /** Larger ones are not copied, because they are in no frame of a list. */
  readonly #bytesMax: number;
  /** By number, as far as places go: the rest of its bits is left out. */
  #batches: (SharedBatch | undefined)[] = Array.from({ length: PLACES_MIN });
  /** The word where a batch begins; one below zero and less in the second arena. */
  #starts = new Int32Array(PLACES_MIN);
  #lengths = new Int32Array(PLACES_MIN);
  #places = PLACES_MIN;
  /** How many have ever come and gone. */
  #gone = 0;
  #come = 0;
  /** What had come when the round began that is under way. */
  #roundEnd = 0;
  #arenas: readonly [Arena, Arena] = [arenaOf(ARENA_WORDS_MIN), arenaOf(ARENA_WORDS_MIN)];
  /** Where batches are copied to now. */
  #current: 0 | 1 = 0;

  constructor({ capacity, bytesMax }: { readonly capacity: number; readonly bytesMax: number }) {
    assert(capacity <= BATCHES_MAX, "the number of a batch fits into a list");
    this.#capacity = capacity;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#come - this.#gone;
  }

  /** Whether there is no room for one more. */
  get isFull(): boolean {
    const arena = this.#arenas[this.#current];
    return this.count >= this.#capacity || arena.used * WORD_BYTES >= ARENA_BYTES_MAX;
  }

  /** Takes one more, and says its number. */
  add(batch: SharedBatch): number {
    const { count } = this;
    assert(count < this.#capacity, "no more batches wait than have a number");
    if (count === this.#places) this.#grow();
    const number = this.#come & NUMBER_MASK;
    const place = number & (this.#places - 1);
    this.#come += 1;
    this.#batches[place] = batch;
    this.#lengths[place] = batch.byteLength;
    this.#starts[place] = batch.byteLength > this.#bytesMax ? 0 : this.#copy(batch);
    return number;
  }

  at(number: number): SharedBatch {
    return this.#batches[number & (this.#places - 1)] as SharedBatch;
  }

  lengthOf(number: number): number {
    return this.#lengths[number & (this.#places - 1)] as number;
  }

  /** Copies a batch into a frame; behind it up to three bytes are written in vain. */
  put(number: number, frame: FrameTarget, position: number): void {
    const place = number & (this.#places - 1);
    const start = this.#starts[place] as number;
    const length = this.#lengths[place] as number;
    const { words, bytes } = this.#arenas[start < 0 ? 1 : 0];
    let word = start < 0 ? -1 - start : start;
    if (length > WORDWISE_BYTES_MAX) {
      const from = word * WORD_BYTES;
      frame.bytes.set(bytes.subarray(from, from + length), position);
      return;
    }
    const { view } = frame;
    const end = position + length;
    for (let at = position; at < end; at += WORD_BYTES, word += 1) {
      view.setInt32(at, words[word] as number, IS_LITTLE_ENDIAN);
    }
  }

  /** A round begins, in which each list that is not empty has its turn. */
  beginRound(): void {
    this.#roundEnd = this.#come;
    const other = this.#current === 0 ? 1 : 0;
    // After a round that was not whole, the other arena has what that has left.
    if (this.#arenas[other].used === 0) this.#current = other;
  }

  /** No list has anything any more that came before the round began. */
  endRound(): void {
    while (this.#gone < this.#roundEnd) {
      this.#batches[this.#gone & (this.#places - 1)] = undefined;
      this.#gone += 1;
    }
    this.#arenas[this.#current === 0 ? 1 : 0].used = 0;
  }

  /** No list has anything. */
  forget(): void {
    this.#roundEnd = this.#come;
    this.endRound();
    this.#arenas[this.#current].used = 0;
  }

  #copy(batch: SharedBatch): number {
    const { chunk, start, length } = batch.place;
    const arena = this.#arenas[this.#current];
    const count = Math.ceil(length / WORD_BYTES);
    const first = arena.used;
    if (first + count > arena.words.length) growArena(arena, first + count);
    arena.used = first + count;
    const { words } = chunk;
    if (words === undefined || length > WORDWISE_BYTES_MAX) {
      arena.bytes.set(chunk.bytes.subarray(start, start + length), first * WORD_BYTES);
    } else {
      const from = start / WORD_BYTES;
      for (let at = 0; at < count; at += 1) arena.words[first + at] = words[from + at] as number;
    }
    return this.#current === 0 ? first : -1 - first;
  }

  /** There is room for twice as many; each has its number still. */
  #grow(): void {
    const before = this.#places;
    const places = before * 2;
    const batches: (SharedBatch | undefined)[] = Array.from({ length: places });
    const [starts, lengths] = [new Int32Array(places), new Int32Array(places)];
    for (let counted = this.#gone; counted < this.#come; counted += 1) {
      const [from, to] = [counted & (before - 1), counted & (places - 1)];
      batches[to] = this.#batches[from];
      starts[to] = this.#starts[from] as number;
      lengths[to] = this.#lengths[from] as number;
    }
    this.#batches = batches;
    this.#starts = starts;
    this.#lengths = lengths;
    this.#places = places;
  }
}

function growArena(arena: Arena, words: number): void {
  const larger = arenaOf(Math.max(words, arena.words.length * 2));
  larger.words.set(arena.words.subarray(0, arena.used));
  arena.bytes = larger.bytes;
  arena.words = larger.words;
}
