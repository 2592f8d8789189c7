import { assert } from "#core/assert.ts";
import { PackedBatches } from "#core/packed-batches.ts";
import type { PackedBatch } from "#core/packed-batches.ts";
import { SharedBatch, UNMEASURED } from "./shared-batch.ts";
import type { SharedTopic } from "./shared-batch.ts";

/** A batch, and the sequence that it goes on from. */
export type RingEntry = { readonly batch: SharedBatch; readonly baseSequence: number };

/** What was made of the bytes is let go when so many batches have come since it was asked for. */
const MADE_PART = 1 / 4;
const MADE_BATCHES_MIN = 16;
const EMPTY = new Uint8Array(0);

// Where the batch lies that is pushed; pushing is never re-entered.
const parts = { start: 0, firstLength: 0, secondLength: 0 };

/**
 * Batches of one topic, oldest first, of which nothing is an object: they are packed. An object is
 * made of a batch when it is asked for, and stays for a while, because who comes back seldom comes
 * alone. A batch of which its bytes do not say all is kept as the object that it is, and has a
 * place without bytes among the others.
 *
 * What holds, and what enforces it:
 * 1. What is asked for is there: `PackedBatches` asserts that each index is below `length`.
 * 2. A batch that comes out is as it went in: only what `isPlain` says is packed.
 */
export class BatchRing {
  readonly #packed = new PackedBatches();
  #topic: SharedTopic | undefined;
  /** By how many came before them since there is this ring. */
  readonly #odd = new Map<number, RingEntry>();
  #oddBytes = 0;
  /** In the same way, what was asked for lately. */
  #made: Map<number, SharedBatch> | undefined;
  #madeLeft = 0;

  get length(): number {
    return this.#packed.length;
  }

  /** Bytes of the batches as they are sent, with their bases. */
  get bytes(): number {
    return this.#packed.bytes + this.#oddBytes;
  }

  /** Memory that is held for batches, those that are kept as objects left out. */
  get heldBytes(): number {
    return this.#packed.heldBytes;
  }

  /** Copies the batch behind the others. It goes on from `baseSequence`. */
  push(batch: SharedBatch, baseSequence: number): void {
    const { topic, place, lastSequence } = batch;
    const packed = this.#packed;
    let source: Uint8Array = EMPTY;
    parts.start = 0;
    parts.firstLength = 0;
    parts.secondLength = 0;
    if (isPlain(batch, baseSequence)) {
      assert((this.#topic ?? topic).id === topic.id, "the batches of a ring are of one topic");
      this.#topic = topic;
      source = place.chunk.bytes;
      parts.start = place.start;
      parts.firstLength = place.length;
      parts.secondLength = place.baseLength;
    } else {
      batch.keep();
      this.#odd.set(packed.dropped + packed.length, { batch, baseSequence });
      this.#oddBytes += batch.keptBytes;
    }
    if (packed.needsPage(parts, baseSequence)) {
      packed.addPage(packed.pageBytes(parts), baseSequence);
    }
    packed.push(source, parts, lastSequence);
    if (this.#made === undefined) return;
    this.#madeLeft -= 1;
    if (this.#madeLeft <= 0) this.#made = undefined;
  }

  /** The oldest goes. Returns the sequence of its last event. */
  dropOldest(): number {
    const packed = this.#packed;
    const ordinal = packed.dropped;
    const odd = this.#odd.get(ordinal);
    if (odd !== undefined) {
      this.#odd.delete(ordinal);
      this.#oddBytes -= odd.batch.keptBytes;
    }
    this.#made?.delete(ordinal);
    return packed.dropOldest();
  }

  /** Those of another ring, behind the others. */
  pushAll(other: BatchRing): void {
    other.#read(0, (batch, { baseSequence }) => {
      this.push(batch, baseSequence);
      return true;
    });
  }

  lastSequenceAt(index: number): number {
    return this.#packed.lastSequenceAt(index);
  }

  /** The sequence that the batch goes on from. */
  baseSequenceAt(index: number): number {
    return this.#packed.baseSequenceAt(index);
  }

  firstSequenceAt(index: number): number {
    const odd = this.#odd.get(this.#packed.dropped + index);
    return odd === undefined ? this.baseSequenceAt(index) + 1 : odd.batch.firstSequence;
  }

  /** Where the batches begin that have an event after `sequence`; `length` if none has. */
  indexAfter(sequence: number): number {
    return this.#packed.indexAfter(sequence);
  }

  /** Bytes of the batches from an index on, as `bytes` counts them. */
  bytesFrom(index: number): number {
    let bytes = this.#packed.bytesFrom(index);
    for (const [ordinal, { batch }] of this.#odd) {
      if (ordinal >= this.#packed.dropped + index) bytes += batch.keptBytes;
    }
    return bytes;
  }

  /** The batch, the same for all who ask for it soon after each other. */
  at(index: number): SharedBatch {
    assert(index >= 0 && index < this.length, "what is asked for is kept");
    const known = this.#known(this.#packed.dropped + index);
    if (known !== undefined) return known;
    let found: SharedBatch | undefined;
    this.#read(index, (batch) => {
      found = batch;
      return false;
    });
    assert(found !== undefined, "a batch that is kept can be read");
    return found;
  }

  /** The batches from an index on that end at `lastSequence` or before it. */
  from(index: number, lastSequence: number): SharedBatch[] {
    const batches: SharedBatch[] = [];
    this.#read(index, (batch) => {
      if (batch.lastSequence > lastSequence) return false;
      batches.push(batch);
      return true;
    });
    return batches;
  }

  /** Reads batches, which stay for others who ask for them. */
  #read(index: number, take: (batch: SharedBatch, packed: PackedBatch) => boolean): void {
    const made = (this.#made ??= new Map());
    this.#madeLeft = Math.max(MADE_BATCHES_MIN, Math.floor(this.length * MADE_PART));
    let ordinal = this.#packed.dropped + index;
    this.#packed.readFrom(index, (packed) => {
      const batch = this.#known(ordinal) ?? this.#make(packed);
      made.set(ordinal, batch);
      ordinal += 1;
      return take(batch, packed);
    });
  }

  #known(ordinal: number): SharedBatch | undefined {
    return this.#made?.get(ordinal) ?? this.#odd.get(ordinal)?.batch;
  }

  #make(packed: PackedBatch): SharedBatch {
    const topic = this.#topic;
    assert(topic !== undefined, "a batch that is kept is of a topic");
    const { baseSequence, lastSequence } = packed;
    const { firstBytes, firstStart, firstLength, secondBytes, secondStart, secondLength } = packed;
    const extent = {
      events: lastSequence - baseSequence,
      skipped: 0,
      firstSequence: baseSequence + 1,
      lastSequence,
      isState: false,
      endsChain: false,
      receivedAtUs: UNMEASURED,
    };
    const bytes = firstBytes.slice(firstStart, firstStart + firstLength);
    const base =
      secondLength === 0 ? undefined : secondBytes.slice(secondStart, secondStart + secondLength);
    return SharedBatch.of(topic, extent, { bytes, base });
  }
}

/** Whether the bytes of a batch, and its sequences, say all of it. */
function isPlain(batch: SharedBatch, baseSequence: number): boolean {
  const { events, lastSequence, firstSequence, isState, endsChain, skipped } = batch;
  const isCounted = firstSequence === baseSequence + 1 && baseSequence === lastSequence - events;
  return isCounted && !isState && !endsChain && skipped === 0;
}
