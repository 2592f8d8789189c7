import { assert } from "#core/assert.ts";
import { SharedBatch, UNMEASURED } from "./shared-batch.ts";
import type { SharedTopic } from "./shared-batch.ts";

/** A batch, and the sequence that it goes on from. */
export type RingEntry = { readonly batch: SharedBatch; readonly baseSequence: number };

const PLACES_MIN = 16;
const ARENA_BYTES_MIN = 512;
/** Rooms grow by this factor: growing seldom costs less than having little in vain. */
const GROWTH = 1.125;
/** A room of which less than this part is used is made smaller. */
const USED_PART_MIN = 1 / 4;
/** What was made of the bytes is let go when so many batches have come since it was asked for. */
const MADE_PART = 1 / 4;
const MADE_BATCHES_MIN = 16;
/** Up to here, bytes are copied one by one, which is faster than by a view of them. */
const SHORT_BYTES = 128;
/** Numbers of a batch, one after the other, so that they are fetched together. */
const Row = { Sequence: 0, Start: 1, Length: 2, EventsAndBase: 3 } as const;
const NUMBERS = 4;
/** Events and the length of the base share a number. */
const HALF_BITS = 16;
const HALF_MAX = 0xffff;
const NUMBER_MAX = 0xffff_ffff;

/**
 * Batches of one topic, oldest first, of which nothing is an object: their bytes lie one after the
 * other in one arena, which is used in a circle, and what is known of them is a row of four
 * numbers. An object is made of a batch when it is asked for, and stays for a while, because who
 * comes back seldom comes alone. A batch that a row cannot say is kept as the object that it is.
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
  /** For how many batches there are rows. */
  #places = 0;
  #rows = new Uint32Array(0);
  /** What the sequences of rows count from. */
  #origin = 0;
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
    return this.#arena.length + this.#rows.byteLength;
  }

  /** Copies the batch behind the others. It goes on from `baseSequence`. */
  push(batch: SharedBatch, baseSequence: number): void {
    const place = this.#take(baseSequence);
    this.#bytes += batch.keptBytes;
    if (this.#isOdd(batch, baseSequence)) {
      this.#odd.set(place, { batch, baseSequence });
      this.#put(place, 0, 0);
      return;
    }
    const { topic } = batch;
    const { chunk, start: from, length, baseLength } = batch.place;
    assert((this.#topic ?? topic).id === topic.id, "the batches of a ring are of one topic");
    this.#topic = topic;
    const start = this.#put(place, length, baseLength);
    const row = place * NUMBERS;
    this.#rows[row + Row.Sequence] = batch.lastSequence - this.#origin;
    this.#rows[row + Row.EventsAndBase] = (batch.events << HALF_BITS) | baseLength;
    const whole = length + baseLength;
    const arena = this.#arena;
    if (whole > SHORT_BYTES) arena.set(chunk.bytes.subarray(from, from + whole), start);
    else for (let at = 0; at < whole; at += 1) arena[start + at] = chunk.bytes[from + at] as number;
  }

  /** The oldest goes. */
  dropOldest(): void {
    const place = this.#placeOf(0);
    this.#bytes -= this.#keptBytesOf(place);
    this.#used -= this.#arenaBytesOf(place);
    this.#odd.delete(place);
    if (this.#made !== undefined) this.#made[place] = undefined;
    this.#oldest = place + 1 === this.#places ? 0 : place + 1;
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
    const isLoose = this.#count < this.#places * USED_PART_MIN;
    if (this.#places > PLACES_MIN && isLoose) this.#resizePlaces();
  }

  /** Those of another ring, behind the others. */
  pushAll(other: BatchRing): void {
    for (let index = 0; index < other.length; index += 1) {
      this.push(other.at(index), other.baseSequenceAt(index));
    }
  }

  lastSequenceAt(index: number): number {
    const place = this.#placeOf(index);
    const odd = this.#odd.get(place);
    return odd === undefined ? this.#sequenceOf(place) : odd.batch.lastSequence;
  }

  /** The sequence that the batch goes on from. */
  baseSequenceAt(index: number): number {
    const place = this.#placeOf(index);
    const odd = this.#odd.get(place);
    if (odd !== undefined) return odd.baseSequence;
    return this.#sequenceOf(place) - this.#eventsOf(place);
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

  /** Whether a row cannot say what the batch is. */
  #isOdd(batch: SharedBatch, baseSequence: number): boolean {
    const { events, lastSequence, firstSequence } = batch;
    const { length, baseLength } = batch.place;
    const isPlain = !batch.isState && !batch.endsChain && batch.skipped === 0;
    const isCounted = firstSequence === baseSequence + 1 && baseSequence === lastSequence - events;
    const isShort = events <= HALF_MAX && baseLength <= HALF_MAX && length <= NUMBER_MAX;
    const offset = lastSequence - this.#origin;
    return !(isPlain && isCounted && isShort && offset >= 0 && offset <= NUMBER_MAX);
  }

  #make(place: number): SharedBatch {
    const topic = this.#topic;
    assert(topic !== undefined, "a batch that is kept is of a topic");
    const start = this.#rows[place * NUMBERS + Row.Start] as number;
    const end = start + this.#arenaBytesOf(place);
    const baseStart = start + (this.#rows[place * NUMBERS + Row.Length] as number);
    const events = this.#eventsOf(place);
    const lastSequence = this.#sequenceOf(place);
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

  /** A place for one more, which goes on from `baseSequence`. */
  #take(baseSequence: number): number {
    if (this.#count === this.#places) this.#resizePlaces();
    if (this.#count === this.#odd.size) this.#origin = baseSequence;
    else if (baseSequence - this.#origin > NUMBER_MAX / 2) this.#moveOrigin();
    const next = this.#oldest + this.#count;
    const place = next >= this.#places ? next - this.#places : next;
    this.#count += 1;
    if (this.#made !== undefined) {
      this.#made[place] = undefined;
      this.#madeLeft -= 1;
      if (this.#madeLeft <= 0) this.#made = undefined;
    }
    return place;
  }

  /** Rows count from the oldest of them, so that they can say what comes for a long time. */
  #moveOrigin(): void {
    let oldest = Infinity;
    for (let index = 0; index < this.#count; index += 1) {
      const place = this.#placeOf(index);
      if (this.#odd.has(place)) continue;
      const sequence = this.#sequenceOf(place);
      if (oldest === Infinity) oldest = sequence;
      this.#rows[place * NUMBERS + Row.Sequence] = sequence - oldest;
    }
    this.#origin = oldest;
  }

  /** Notes where the bytes of the batch belong, and says so. */
  #put(place: number, length: number, baseLength: number): number {
    // Before it is counted: room that is made has what is there already.
    const start = this.#placeFor(length + baseLength);
    const row = place * NUMBERS;
    this.#rows[row + Row.Sequence] = 0;
    this.#rows[row + Row.Start] = start;
    this.#rows[row + Row.Length] = length;
    this.#rows[row + Row.EventsAndBase] = 0;
    this.#write = start + length + baseLength;
    this.#used += length + baseLength;
    return start;
  }

  /** Where so many bytes have room, for the newest, which has its place and nothing in it. */
  #placeFor(length: number): number {
    const size = this.#arena.length;
    if (this.#used === 0) {
      this.#write = 0;
      if (length > 0) this.#stepBack();
      if (length <= size) return 0;
    } else {
      const oldest = this.#rows[this.#oldest * NUMBERS + Row.Start] as number;
      if (this.#write > oldest) {
        if (length <= size - this.#write) return this.#write;
        // What is left at the end stays empty this time.
        if (length <= oldest) return 0;
      } else if (length <= oldest - this.#write) return this.#write;
    }
    this.#resizeArena(length, this.#count - 1);
    return this.#write;
  }

  /** The arena begins anew: batches without bytes in it lie before the first that has some. */
  #stepBack(): void {
    for (let index = 0; index < this.#count - 1; index += 1) {
      this.#rows[this.#placeOf(index) * NUMBERS + Row.Start] = 0;
    }
  }

  /** Moves the first batches together into an arena with room for so many bytes behind them. */
  #resizeArena(roomBytes: number, count: number = this.#count): void {
    const needed = this.#used + roomBytes;
    const arena = new Uint8Array(Math.max(ARENA_BYTES_MIN, Math.ceil(needed * GROWTH)));
    let at = 0;
    for (let index = 0; index < count; index += 1) {
      const place = this.#placeOf(index);
      const length = this.#arenaBytesOf(place);
      const start = this.#rows[place * NUMBERS + Row.Start] as number;
      arena.set(this.#arena.subarray(start, start + length), at);
      this.#rows[place * NUMBERS + Row.Start] = at;
      at += length;
    }
    this.#arena = arena;
    this.#write = at;
  }

  /** Moves the rows to where there is room for more, the oldest first. */
  #resizePlaces(): void {
    const grown = Math.ceil((this.#count + 1) * GROWTH);
    const bounded = Math.max(this.#count + 1, Math.min(grown, this.#placesMax));
    const places = Math.max(PLACES_MIN, bounded);
    const [before, first] = [this.#places, this.#oldest];
    const rows = new Uint32Array(places * NUMBERS);
    const straight = Math.min(this.#count, before - first);
    rows.set(this.#rows.subarray(first * NUMBERS, (first + straight) * NUMBERS));
    const rest = this.#rows.subarray(0, (this.#count - straight) * NUMBERS);
    rows.set(rest, straight * NUMBERS);
    this.#rows = rows;
    this.#places = places;
    this.#oldest = 0;
    if (this.#made !== undefined) {
      this.#made.length = before;
      this.#made = [...this.#made.slice(first), ...this.#made.slice(0, first)];
    }
    const odd = [...this.#odd];
    this.#odd.clear();
    for (const [place, entry] of odd) {
      this.#odd.set(place >= first ? place - first : place + before - first, entry);
    }
  }

  #keptBytesOf(place: number): number {
    const odd = this.#odd.get(place);
    if (odd !== undefined) return odd.batch.keptBytes;
    return this.#arenaBytesOf(place);
  }

  /** The sequence of the last event of a batch that has a row. */
  #sequenceOf(place: number): number {
    return this.#origin + (this.#rows[place * NUMBERS + Row.Sequence] as number);
  }

  #eventsOf(place: number): number {
    return (this.#rows[place * NUMBERS + Row.EventsAndBase] as number) >>> HALF_BITS;
  }

  #arenaBytesOf(place: number): number {
    const row = place * NUMBERS;
    const base = (this.#rows[row + Row.EventsAndBase] as number) & HALF_MAX;
    return (this.#rows[row + Row.Length] as number) + base;
  }

  #placeOf(index: number): number {
    assert(index >= 0 && index < this.#count, "what is asked for is kept");
    const place = this.#oldest + index;
    return place >= this.#places ? place - this.#places : place;
  }
}
