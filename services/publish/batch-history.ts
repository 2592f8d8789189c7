import { assert } from "#core/assert.ts";
import type { ByteBudget } from "#core/byte-budget.ts";
import { PAGE_BYTES_MIN, PackedBatches } from "#core/packed-batches.ts";
import type { BatchParts } from "#core/packed-batches.ts";
import { KeptMessages } from "./kept-messages.ts";

/** How much of the batches of one topic is kept, and of all topics together. */
export type HistoryLimits = {
  /** Of one topic; 0 keeps nothing. */
  readonly historyBytesMax: number;
  /** A batch of this age makes room for a new one; younger ones go only for want of memory. */
  readonly historyAgeMs: number;
};

/** A batch as it was published, and where its parts lie in its bytes. */
type PublishedBytes = {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** What lies before it is much the same in each batch. */
  readonly coreStart: number;
  /** Said where it may be kept as its core alone. */
  readonly coreEnd?: number;
};

/** Where a batch stands in its topic, and when it was published. */
type BatchPlace = {
  readonly count: number;
  /** Of its last event. */
  readonly lastSequence: number;
  /** Of a clock that is never set. */
  readonly nowMs: number;
  /** All that lies around its core follows from the batch before it: see `ChainMessages`. */
  readonly isChained?: boolean;
};

/** Batches in a row that are kept as their cores alone: to read one, all before it are read. */
const CORES_MAX = 63;

// Where the batch lies that is appended; appending is never re-entered.
const parts = { start: 0, firstLength: 0, secondLength: 0 };

/**
 * The last batches of one topic as they were published, packed: no object is kept for a batch, and
 * of most of them the core alone, of which the rest is told again when somebody asks. Its memory
 * grows by pages while the oldest of them is young, up to its limit and the budget that all topics
 * share; after that the oldest page makes room.
 *
 * Invariants, asserted where they could break:
 * 1. batches follow each other without a hole (`append`);
 * 2. the memory never grows beyond `historyBytesMax` (`#addPage`);
 * 3. before a core there is a whole batch in its page (`KeptMessages`).
 */
export class BatchHistory {
  readonly #limits: HistoryLimits;
  readonly #budget: ByteBudget;
  #packed: PackedBatches | undefined;
  /** Of the last event that was appended, kept or not. */
  #sequence = 0;
  /** Batches since the last one that was kept whole. */
  #cores = 0;

  /** The first batch goes on from `sequence`. */
  constructor(limits: HistoryLimits, budget: ByteBudget, sequence: number = 0) {
    this.#limits = limits;
    this.#budget = budget;
    this.#sequence = sequence;
  }

  /** Keeps nothing any more, and gives its memory back. */
  release(): void {
    this.#budget.giveBack(this.capacityBytes);
    this.#packed = undefined;
  }

  /** Keeps nothing of what was: the next batch goes on from `sequence`. */
  restart(sequence: number): void {
    this.release();
    this.#sequence = sequence;
  }

  /** Batches that are kept. */
  get batches(): number {
    return this.#packed?.length ?? 0;
  }

  /** Bytes of memory that are held. */
  get capacityBytes(): number {
    return this.#packed?.heldBytes ?? 0;
  }

  /** The position that the oldest batch goes on from: what follows it is kept. */
  get keptAfter(): number {
    const packed = this.#packed;
    return packed === undefined || packed.length === 0 ? this.#sequence : packed.baseSequenceAt(0);
  }

  /**
   * Keeps a copy of the next batch of the topic. A batch that is larger than all that may be held
   * is not kept, and what was before it goes too.
   */
  append(batch: PublishedBytes, place: BatchPlace): void {
    const { count, lastSequence, nowMs } = place;
    const baseSequence = lastSequence - count;
    assert(baseSequence === this.#sequence, "the next batch of a history follows the last");
    this.#sequence = lastSequence;
    if (!this.#canKeepCore(batch, place)) {
      this.#placeWhole(batch);
      const packed = this.#packed;
      if (packed === undefined || packed.needsPage(parts, baseSequence)) {
        if (!this.#addPage(parts, baseSequence, nowMs)) return;
      }
    }
    this.#packed?.push(batch.bytes, parts, lastSequence);
    this.#packed?.noteTime(nowMs);
  }

  /** Puts the core of a batch into `parts` if it is enough. The first of a page is whole. */
  #canKeepCore({ coreStart, coreEnd }: PublishedBytes, place: BatchPlace): boolean {
    const packed = this.#packed;
    if (place.isChained !== true || coreEnd === undefined || packed === undefined) return false;
    if (coreEnd === coreStart || this.#cores >= CORES_MAX) return false;
    parts.start = coreStart;
    parts.firstLength = 0;
    parts.secondLength = coreEnd - coreStart;
    if (packed.needsPage(parts, place.lastSequence - place.count)) return false;
    this.#cores += 1;
    return true;
  }

  /** Puts a whole batch into `parts`. What has no first part is a core. */
  #placeWhole({ start, end, coreStart }: PublishedBytes): void {
    this.#cores = 0;
    const middle = coreStart === start ? end : coreStart;
    parts.start = start;
    parts.firstLength = middle - start;
    parts.secondLength = end - middle;
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
    const packed = this.#packed;
    if (packed === undefined) return batches;
    let bytes = 0;
    let isWhole = true;
    const messages = new KeptMessages();
    packed.readFrom(
      packed.indexAfter(sequence),
      (batch) => {
        if (batch.lastSequence > lastSequence) return false;
        isWhole = batches.length > 0 || batch.baseSequence === sequence;
        if (!isWhole) return false;
        const message = messages.take(batch);
        if (batches.length > 0 && bytes + message.length > bytesMax) return false;
        bytes += message.length;
        batches.push(message);
        return true;
      },
      (batch) => messages.pass(batch),
    );
    return isWhole ? batches : undefined;
  }

  /** Memory for a batch that has no room; false, and nothing is kept, if it may not be had. */
  #addPage(place: BatchParts, baseSequence: number, nowMs: number): boolean {
    const { historyBytesMax, historyAgeMs } = this.#limits;
    const packed = (this.#packed ??= new PackedBatches());
    const isOld = nowMs - packed.oldestTimeMs >= historyAgeMs;
    if (isOld && packed.heldBytes > PAGE_BYTES_MIN) this.#dropPage(packed);
    for (;;) {
      const { heldBytes } = packed;
      const room = historyBytesMax - heldBytes;
      const bytes = packed.pageBytes(place, room);
      if (bytes <= room && this.#budget.take(bytes)) {
        packed.addPage(bytes, baseSequence);
        assert(packed.heldBytes <= historyBytesMax, "a history stays below its limit");
        return true;
      }
      if (heldBytes === 0) break;
      this.#dropPage(packed);
    }
    this.#packed = undefined;
    return false;
  }

  #dropPage(packed: PackedBatches): void {
    this.#budget.giveBack(packed.dropOldestPage());
  }
}
