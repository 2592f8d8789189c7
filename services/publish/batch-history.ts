import { assert } from "#core/assert.ts";
import type { ByteBudget } from "#core/byte-budget.ts";

/** How much of the batches of one topic is kept, and of all topics together. */
export type HistoryLimits = {
  /** Of one topic; 0 keeps nothing. */
  readonly historyBytesMax: number;
  /** A batch of this age makes room for a new one; younger ones go only for want of memory. */
  readonly historyAgeMs: number;
};

/** The smallest memory of a history that has a batch. */
const CAPACITY_BYTES_MIN = 1_024;

/** Before each batch: its length, its events, the sequence of its last event, and its time. */
const HEAD_BYTES = 24;
const COUNT_OFFSET = 4;
const SEQUENCE_OFFSET = 8;
const TIME_OFFSET = 16;

/** No batch begins here: the next one is at the beginning of the memory. */
const WRAP_MARK = 0xff_ff_ff_ff;

/** Where a batch stands in its topic, and when it was published. */
type BatchPlace = {
  readonly count: number;
  /** Of its last event. */
  readonly lastSequence: number;
  /** Of a clock that is never set. */
  readonly nowMs: number;
};

/**
 * The last batches of one topic as they were published, in one ring of bytes: no object is kept for
 * a batch. The ring grows while its oldest batch is young, up to its limit and the budget that all
 * topics share; after that the oldest make room.
 *
 * Invariants, asserted where they could break:
 * 1. batches follow each other without a hole (`append`);
 * 2. a ring of bytes never grows beyond `historyBytesMax` (`#grow`);
 * 3. a head lies where a batch begins (`#step`).
 */
export class BatchHistory {
  readonly #limits: HistoryLimits;
  readonly #budget: ByteBudget;
  #bytes = new Uint8Array(0);
  /** The same memory. */
  #memory = new DataView(this.#bytes.buffer);
  /** Where the oldest batch begins, and where the next one would. */
  #begin = 0;
  #end = 0;
  #batches = 0;
  /** Of the last event that was appended, kept or not. */
  #sequence = 0;

  /** The first batch goes on from `sequence`. */
  constructor(limits: HistoryLimits, budget: ByteBudget, sequence: number = 0) {
    this.#limits = limits;
    this.#budget = budget;
    this.#sequence = sequence;
  }

  /** Keeps nothing any more, and gives its memory back. */
  release(): void {
    this.#forget();
    this.#budget.giveBack(this.#memory.byteLength);
    this.#bytes = new Uint8Array(0);
    this.#memory = new DataView(this.#bytes.buffer);
  }

  /** Keeps nothing of what was: the next batch goes on from `sequence`. */
  restart(sequence: number): void {
    this.#forget();
    this.#sequence = sequence;
  }

  /** Batches that are kept. */
  get batches(): number {
    return this.#batches;
  }

  /** Bytes of memory that are held. */
  get capacityBytes(): number {
    return this.#memory.byteLength;
  }

  /** The position that the oldest batch goes on from: what follows it is kept. */
  get keptAfter(): number {
    if (this.#batches === 0) return this.#sequence;
    return this.#sequenceAt(this.#begin) - this.#countAt(this.#begin);
  }

  /**
   * Keeps a copy of the next batch of the topic. A batch that is larger than all that may be held
   * is not kept, and what was before it goes too.
   */
  append(batch: Uint8Array, place: BatchPlace): void {
    const { count, lastSequence, nowMs } = place;
    assert(lastSequence - count === this.#sequence, "the next batch of a history follows the last");
    this.#sequence = lastSequence;
    const size = HEAD_BYTES + batch.byteLength;
    let at = this.#placeFor(size);
    while (at === undefined) {
      if (!this.#growFor(size, nowMs)) {
        if (this.#batches === 0) return;
        this.#dropOldest();
      }
      at = this.#placeFor(size);
    }
    if (at === 0 && this.#end !== 0) this.#markWrap();
    this.#write(at, batch, place);
    this.#end = at + size;
    this.#batches += 1;
  }

  /**
   * What follows the event with this sequence, in order: copies of as many whole batches as
   * `bytesMax` has room for, and of one in any case; none if nothing follows. Undefined if part of
   * what follows is not kept, if there is no such event, or if a batch begins before and ends
   * behind it. Of batches that end behind `lastSequence` it gives none.
   */
  after(
    sequence: number,
    bytesMax: number,
    lastSequence: number = this.#sequence,
  ): readonly Uint8Array[] | undefined {
    if (sequence > this.#sequence || sequence < this.keptAfter) return undefined;
    const batches: Uint8Array[] = [];
    let bytes = 0;
    let at = this.#begin;
    for (let index = 0; index < this.#batches; index += 1) {
      at = this.#unwrapped(at);
      const length = this.#memory.getUint32(at);
      const last = this.#sequenceAt(at);
      if (last > lastSequence) break;
      if (last > sequence) {
        if (batches.length === 0 && last - this.#countAt(at) !== sequence) return undefined;
        if (batches.length > 0 && bytes + length > bytesMax) break;
        bytes += length;
        batches.push(this.#bytes.slice(at + HEAD_BYTES, at + HEAD_BYTES + length));
      }
      at = this.#step(at);
    }
    return batches;
  }

  /** Where a batch of this size can be put now; undefined if it has no room. */
  #placeFor(size: number): number | undefined {
    const capacity = this.#memory.byteLength;
    if (this.#batches === 0) return size <= capacity ? 0 : undefined;
    if (this.#begin < this.#end) {
      if (this.#end + size <= capacity) return this.#end;
      return size <= this.#begin ? 0 : undefined;
    }
    return this.#end + size <= this.#begin ? this.#end : undefined;
  }

  /** More memory, if the limits allow it and the oldest batch is still young. */
  #growFor(size: number, nowMs: number): boolean {
    const { historyBytesMax, historyAgeMs } = this.#limits;
    const held = this.#memory.byteLength;
    if (size > historyBytesMax) return this.#forget();
    const isYoung = this.#batches === 0 || nowMs - this.#timeAt(this.#begin) < historyAgeMs;
    if (!isYoung && size <= held) return false;
    const wanted = Math.max(CAPACITY_BYTES_MIN, held * 2, held + size);
    const capacity = Math.min(wanted, historyBytesMax);
    if (capacity <= held || !this.#budget.take(capacity - held)) {
      return size > held ? this.#forget() : false;
    }
    this.#grow(capacity);
    return true;
  }

  /** A batch that cannot be kept leaves nothing before it. */
  #forget(): false {
    this.#batches = 0;
    this.#begin = 0;
    this.#end = 0;
    return false;
  }

  /** Moves the batches into a larger memory, the oldest first. */
  #grow(capacity: number): void {
    assert(capacity <= this.#limits.historyBytesMax, "a history stays below its limit");
    const grown = new Uint8Array(capacity);
    let end = 0;
    let at = this.#begin;
    for (let index = 0; index < this.#batches; index += 1) {
      at = this.#unwrapped(at);
      const next = this.#step(at);
      grown.set(this.#bytes.subarray(at, next), end);
      end += next - at;
      at = next;
    }
    this.#bytes = grown;
    this.#memory = new DataView(grown.buffer);
    this.#begin = 0;
    this.#end = end;
  }

  #dropOldest(): void {
    this.#batches -= 1;
    if (this.#batches === 0) {
      this.#begin = 0;
      this.#end = 0;
      return;
    }
    this.#begin = this.#unwrapped(this.#step(this.#begin));
  }

  #markWrap(): void {
    if (this.#end + 4 <= this.#memory.byteLength) this.#memory.setUint32(this.#end, WRAP_MARK);
  }

  #write(at: number, batch: Uint8Array, place: BatchPlace): void {
    const memory = this.#memory;
    memory.setUint32(at, batch.byteLength);
    memory.setUint32(at + COUNT_OFFSET, place.count);
    memory.setFloat64(at + SEQUENCE_OFFSET, place.lastSequence);
    memory.setFloat64(at + TIME_OFFSET, place.nowMs);
    this.#bytes.set(batch, at + HEAD_BYTES);
  }

  /** Where the batch behind this one begins, or the gap at the end of the memory. */
  #step(at: number): number {
    const next = at + HEAD_BYTES + this.#memory.getUint32(at);
    assert(next <= this.#memory.byteLength, "a batch of a history ends within its memory");
    return next;
  }

  /** The beginning of the memory if no batch begins here. */
  #unwrapped(at: number): number {
    const isEnd = at + 4 > this.#memory.byteLength || this.#memory.getUint32(at) === WRAP_MARK;
    return isEnd ? 0 : at;
  }

  #countAt(at: number): number {
    return this.#memory.getUint32(at + COUNT_OFFSET);
  }

  #sequenceAt(at: number): number {
    return this.#memory.getFloat64(at + SEQUENCE_OFFSET);
  }

  #timeAt(at: number): number {
    return this.#memory.getFloat64(at + TIME_OFFSET);
  }
}
