import { assert } from "#core/assert.ts";
import { SharedBatch, UNMEASURED } from "./shared-batch.ts";
import type { SharedTopic } from "./shared-batch.ts";

/** A batch, and the sequence that it goes on from. */
export type RingEntry = { readonly batch: SharedBatch; readonly baseSequence: number };

const PLACES_MIN = 16;
const ARENA_BYTES_MIN = 512;
/** Rooms grow by this factor: growing seldom costs less than having little in vain. */
const GROWTH = 1.25;
/** A room of which less than this part is used is made smaller. */
const USED_PART_MIN = 1 / 4;
/** What was made of the bytes is let go when so many batches have come since it was asked for. */
const MADE_PART = 1 / 4;
const MADE_BATCHES_MIN = 16;
/** Up to here, bytes are copied one by one, which is faster than by a view of them. */
const SHORT_BYTES = 128;
const BASE_BYTES_MAX = 0xffff;
const EVENTS_MAX = 0xffff_ffff;

/**
 * Batches of one topic, oldest first, of which nothing is an object: their bytes lie one after the
 * other in one arena, which is used in a circle, and what is known of them stands in columns. An
 * object is made of a batch when it is asked for, and stays for a while, because who comes back
 * seldom comes alone. A batch that the columns cannot say is kept as the object that it is.
 *
 * What holds, and what enforces it:
 * 1. The bytes of a batch lie in one piece, and no two lie over each other: `#placeFor` gives room
 *    between the newest and the oldest, and grows the arena where there is none.
 * 2. What is asked for is there: each index is asserted to be below `length`.
 */
export class BatchRing {
  /** So many places are never exceeded while growing in steps would not need to. */
  readonly #placesMax: number;
  #arena = new Uint8Array(0);
  /** Where the next batch begins, if there is room. */
  #write = 0;
  /** Bytes of the arena that belong to a batch. */
  #used = 0;
  #bytes = 0;
  #count = 0;
  #oldest = 0;
  #lastSequences = new Float64Array(0);
  #events = new Uint32Array(0);
  #starts = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #baseLengths = new Uint16Array(0);
  #topic: SharedTopic | undefined;
  /** By their place. */
  readonly #odd = new Map<number, RingEntry>();
  /** By their place, what was asked for lately. */
  #made: (SharedBatch | undefined)[] | undefined;
  #madeLeft = 0;

  /** `batchesMax` is what its owner lets it have, and is not enforced. */
  constructor(batchesMax = Infinity) {
    // One more than that is here before the oldest goes.
    this.#placesMax = batchesMax + 1;
  }

  get length(): number {
    return this.#count;
  }

  /** Bytes of the batches. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory that is held for batches, those that are kept as objects left out. */
  get heldBytes(): number {
    const places = this.#lastSequences.length;
    const { BYTES_PER_ELEMENT: wide } = Float64Array;
    return this.#arena.length + places * (wide + 3 * Uint32Array.BYTES_PER_ELEMENT + 2);
  }

  /** Copies the batch behind the others. It goes on from `baseSequence`. */
  push(batch: SharedBatch, baseSequence: number): void {
    const place = this.#take();
    this.#bytes += batch.keptBytes;
    if (this.#isOdd(batch, baseSequence)) {
      this.#odd.set(place, { batch, baseSequence });
      this.#put(place, batch, 0, 0);
      return;
    }
    const { topic } = batch;
    const { chunk, start: from, length, baseLength } = batch.place;
    assert((this.#topic ?? topic).id === topic.id, "the batches of a ring are of one topic");
    this.#topic = topic;
    const start = this.#put(place, batch, length, baseLength);
    const whole = length + baseLength;
    const arena = this.#arena;
    if (whole > SHORT_BYTES) arena.set(chunk.bytes.subarray(from, from + whole), start);
    else for (let at = 0; at < whole; at += 1) arena[start + at] = chunk.bytes[from + at] as number;
  }

  /** The oldest goes. */
  dropOldest(): void {
    const place = this.#placeOf(0);
    this.#bytes -= this.#keptBytesOf(place);
    this.#used -= (this.#lengths[place] as number) + (this.#baseLengths[place] as number);
    this.#odd.delete(place);
    if (this.#made !== undefined) this.#made[place] = undefined;
    this.#oldest = place + 1 === this.#lastSequences.length ? 0 : place + 1;
    this.#count -= 1;
    assert(
      this.#bytes >= 0 && this.#used >= 0,
      "a ring counts no more bytes than its batches have",
    );
  }

  /** Gives back room that is hardly used, after many went. */
  fit(): void {
    const size = this.#arena.length;
    if (size > ARENA_BYTES_MIN && this.#used < size * USED_PART_MIN) this.#resizeArena(0);
    const places = this.#lastSequences.length;
    if (places > PLACES_MIN && this.#count < places * USED_PART_MIN) this.#resizePlaces();
  }

  /** Those of another ring, behind the others. */
  pushAll(other: BatchRing): void {
    for (let index = 0; index < other.length; index += 1) {
      this.push(other.at(index), other.baseSequenceAt(index));
    }
  }

  lastSequenceAt(index: number): number {
    return this.#lastSequences[this.#placeOf(index)] as number;
  }

  /** The sequence that the batch goes on from. */
  baseSequenceAt(index: number): number {
    const place = this.#placeOf(index);
    const odd = this.#odd.get(place);
    if (odd !== undefined) return odd.baseSequence;
    return (this.#lastSequences[place] as number) - (this.#events[place] as number);
  }

  firstSequenceAt(index: number): number {
    const odd = this.#odd.get(this.#placeOf(index));
    return odd === undefined ? this.baseSequenceAt(index) + 1 : odd.batch.firstSequence;
  }

  /** Bytes that keeping the batch costs. */
  keptBytesAt(index: number): number {
    return this.#keptBytesOf(this.#placeOf(index));
  }

  /** The batch, the same for all who ask for it soon after each other. */
  at(index: number): SharedBatch {
    const place = this.#placeOf(index);
    this.#made ??= [];
    this.#madeLeft = Math.max(MADE_BATCHES_MIN, Math.floor(this.#count * MADE_PART));
    const made = this.#made[place] ?? this.#odd.get(place)?.batch ?? this.#make(place);
    this.#made[place] = made;
    return made;
  }

  /** Whether the columns cannot say what the batch is. */
  #isOdd(batch: SharedBatch, baseSequence: number): boolean {
    const { events, lastSequence } = batch;
    const isPlain = !batch.isState && !batch.endsChain && batch.skipped === 0;
    const isCounted = events <= EVENTS_MAX && baseSequence === lastSequence - events;
    const isShort = batch.place.baseLength <= BASE_BYTES_MAX;
    return !(isPlain && isCounted && isShort && batch.firstSequence === baseSequence + 1);
  }

  #make(place: number): SharedBatch {
    const topic = this.#topic;
    assert(topic !== undefined, "a batch that is kept is of a topic");
    const start = this.#starts[place] as number;
    const baseStart = start + (this.#lengths[place] as number);
    const end = baseStart + (this.#baseLengths[place] as number);
    const events = this.#events[place] as number;
    const lastSequence = this.#lastSequences[place] as number;
    const extent = {
      events,
      skipped: 0,
      firstSequence: lastSequence - events + 1,
      lastSequence,
      isState: false,
      endsChain: false,
      receivedAtUs: UNMEASURED,
    };
    const base = end === baseStart ? undefined : this.#arena.slice(baseStart, end);
    return SharedBatch.of(topic, extent, { bytes: this.#arena.slice(start, baseStart), base });
  }

  /** A place for one more. */
  #take(): number {
    if (this.#count === this.#lastSequences.length) this.#resizePlaces();
    const places = this.#lastSequences.length;
    const next = this.#oldest + this.#count;
    const place = next >= places ? next - places : next;
    this.#count += 1;
    if (this.#made !== undefined) {
      this.#made[place] = undefined;
      this.#madeLeft -= 1;
      if (this.#madeLeft <= 0) this.#made = undefined;
    }
    return place;
  }

  /** Notes the batch in the columns; says where its bytes belong. */
  #put(place: number, batch: SharedBatch, length: number, baseLength: number): number {
    // Before it is counted: room that is made has what is there already.
    const start = this.#placeFor(length + baseLength);
    this.#lastSequences[place] = batch.lastSequence;
    this.#events[place] = batch.events;
    this.#starts[place] = start;
    this.#lengths[place] = length;
    this.#baseLengths[place] = baseLength;
    this.#write = start + length + baseLength;
    this.#used += length + baseLength;
    return start;
  }

  /** Where so many bytes have room, for the newest, which has its place and nothing in it. */
  #placeFor(length: number): number {
    const size = this.#arena.length;
    if (this.#used === 0) {
      this.#write = 0;
      if (length <= size) return 0;
    } else {
      const oldest = this.#starts[this.#oldest] as number;
      if (this.#write > oldest) {
        if (length <= size - this.#write) return this.#write;
        // What is left at the end stays empty this time.
        if (length <= oldest) return 0;
      } else if (length <= oldest - this.#write) return this.#write;
    }
    this.#resizeArena(length, this.#count - 1);
    return this.#write;
  }

  /** Moves the first batches together into an arena with room for so many bytes behind them. */
  #resizeArena(roomBytes: number, count: number = this.#count): void {
    const needed = this.#used + roomBytes;
    const arena = new Uint8Array(Math.max(ARENA_BYTES_MIN, Math.ceil(needed * GROWTH)));
    let at = 0;
    for (let index = 0; index < count; index += 1) {
      const place = this.#placeOf(index);
      const length = (this.#lengths[place] as number) + (this.#baseLengths[place] as number);
      const start = this.#starts[place] as number;
      arena.set(this.#arena.subarray(start, start + length), at);
      this.#starts[place] = at;
      at += length;
    }
    this.#arena = arena;
    this.#write = at;
  }

  /** Moves the columns to where there is room for more, the oldest first. */
  #resizePlaces(): void {
    const grown = Math.ceil((this.#count + 1) * GROWTH);
    const bounded = Math.max(this.#count + 1, Math.min(grown, this.#placesMax));
    const places = Math.max(PLACES_MIN, bounded);
    const before = this.#lastSequences.length;
    const first = this.#oldest;
    const odd = [...this.#odd];
    this.#lastSequences = this.#unrolled(this.#lastSequences, new Float64Array(places));
    this.#events = this.#unrolled(this.#events, new Uint32Array(places));
    this.#starts = this.#unrolled(this.#starts, new Uint32Array(places));
    this.#lengths = this.#unrolled(this.#lengths, new Uint32Array(places));
    this.#baseLengths = this.#unrolled(this.#baseLengths, new Uint16Array(places));
    this.#oldest = 0;
    if (this.#made !== undefined) {
      this.#made.length = before;
      this.#made = [...this.#made.slice(first), ...this.#made.slice(0, first)];
    }
    this.#odd.clear();
    for (const [place, entry] of odd) {
      this.#odd.set(place >= first ? place - first : place + before - first, entry);
    }
  }

  /** Copies a column into a larger or smaller one, the oldest first. */
  #unrolled<Column extends Float64Array | Uint32Array | Uint16Array>(
    from: Column,
    into: Column,
  ): Column {
    const straight = Math.min(this.#count, from.length - this.#oldest);
    into.set(from.subarray(this.#oldest, this.#oldest + straight));
    into.set(from.subarray(0, this.#count - straight), straight);
    return into;
  }

  #keptBytesOf(place: number): number {
    const odd = this.#odd.get(place);
    if (odd !== undefined) return odd.batch.keptBytes;
    return (this.#lengths[place] as number) + (this.#baseLengths[place] as number);
  }

  #placeOf(index: number): number {
    assert(index >= 0 && index < this.#count, "what is asked for is kept");
    const place = this.#oldest + index;
    const places = this.#lastSequences.length;
    return place >= places ? place - places : place;
  }
}
