import { assert } from "#core/assert.ts";
import { lastSequenceOf, relationOf } from "./batch-order.ts";
import type { BatchOrder, TopicPosition } from "./batch-order.ts";
import { BatchRing } from "./batch-ring.ts";
import type { RingEntry } from "./batch-ring.ts";
import type { SharedBatch } from "./shared-batch.ts";

/** Batches to send, and the position that they continue from. */
export type TopicStart = {
  readonly position: TopicPosition;
  readonly batches: readonly SharedBatch[];
  /** What follows these in the epoch that goes on from where theirs ended. */
  readonly next?: { readonly ended: TopicPosition; readonly batches: readonly SharedBatch[] };
};

/** How much a topic remembers. */
export type RingLimits = { readonly ringBytesMax: number; readonly ringBatchesMax: number };

type HeldSnapshot = { readonly sequence: number; readonly batch: SharedBatch | undefined };

/**
 * The recent past of one topic, already encoded: a snapshot at some sequence and the batches since,
 * so that a subscription starts without asking anybody; and the ring of batches, so that a client
 * resumes. When the ring is full the oldest batch goes, and the snapshot with it once batches after
 * it are gone. Batches go in and come out by sequence; how they lie in between is the business of
 * BatchRing alone: what comes out is made of their bytes.
 */
export class TopicHistory implements TopicPosition {
  readonly #limits: RingLimits;
  /** Besides the limits, for what was fetched and stands before the rest. */
  #room = { bytes: 0, batches: 0 };
  #ring: BatchRing;
  #epoch = 0;
  /** Where the epoch before ended, if this one goes on from there with the same sequences. */
  #past: TopicPosition | undefined;
  #sequence = 0;
  #snapshot: HeldSnapshot | undefined;
  /** What of the ring lies after the snapshot; 0 if there is no snapshot. */
  #bytesAfterSnapshot = 0;
  #batchesAfterSnapshot = 0;
  /** The sequence that the next batch of the chain goes on from; undefined if there is no chain. */
  #chainedTo: number | undefined;

  constructor(limits: RingLimits) {
    this.#limits = limits;
    this.#ring = new BatchRing();
  }

  /** 0 before the first `reset`. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The last event that is here. */
  get sequence(): number {
    return this.#sequence;
  }

  get position(): TopicPosition {
    return { epoch: this.#epoch, sequence: this.#sequence };
  }

  get batches(): number {
    return this.#ring.length;
  }

  get bytes(): number {
    return this.#ring.bytes;
  }

  /** Memory that is held for the batches. */
  get heldBytes(): number {
    return this.#ring.heldBytes;
  }

  /** Whether `startFromSnapshot` has something to give. */
  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  /**
   * There is no snapshot, or half of the ring lies after it: time to ask for a newer one, before
   * the ring outgrows it.
   */
  get wantsSnapshot(): boolean {
    const { ringBytesMax, ringBatchesMax } = this.#limits;
    return (
      this.#snapshot === undefined ||
      this.#bytesAfterSnapshot * 2 > ringBytesMax ||
      this.#batchesAfterSnapshot * 2 > ringBatchesMax
    );
  }

  /** The newest batch; undefined if the ring is empty. */
  get lastBatch(): SharedBatch | undefined {
    const { length } = this.#ring;
    return length === 0 ? undefined : this.#ring.at(length - 1);
  }

  /**
   * Forgets everything and starts at `position`; `snapshot` is the state there, undefined if there
   * is none.
   */
  reset(position: TopicPosition, snapshot: SharedBatch | undefined): void {
    this.#clear(position.epoch);
    this.#sequence = position.sequence;
    this.#snapshot = { sequence: position.sequence, batch: snapshot };
  }

  /**
   * Takes a newer snapshot for the batches that are here. False (and nothing changes) if it belongs
   * to another epoch, lies ahead of what we have, or before what the ring still holds.
   */
  installSnapshot(position: TopicPosition, snapshot: SharedBatch | undefined): boolean {
    if (position.epoch !== this.#epoch || position.sequence > this.#sequence) return false;
    if (!this.#reachesBackTo(position.sequence)) return false;
    this.#snapshot = { sequence: position.sequence, batch: snapshot };
    const index = this.#ring.indexAfter(position.sequence);
    this.#bytesAfterSnapshot = this.#ring.bytesFrom(index);
    this.#batchesAfterSnapshot = this.#ring.length - index;
    return true;
  }

  /**
   * The topic goes on in another epoch with the same sequences. What was received stays, for those
   * who come from the old one.
   */
  continueIn(epoch: number): void {
    this.#past = { epoch: this.#epoch, sequence: this.#sequence };
    this.#epoch = epoch;
    // Its batches are of the old epoch.
    this.#snapshot = undefined;
    this.#bytesAfterSnapshot = 0;
    this.#batchesAfterSnapshot = 0;
    this.#chainedTo = undefined;
  }

  /** The publisher has said what its epoch goes on from. */
  notePast(past: TopicPosition): void {
    if (past.epoch !== this.#epoch && past.sequence <= this.#sequence) this.#past ??= past;
  }

  /** Where the epoch before ended; undefined if this one goes on from nothing that is known. */
  get past(): TopicPosition | undefined {
    return this.#past;
  }

  /** Adds a batch that continues from here: `relationOf` says so. */
  append(order: BatchOrder, batch: SharedBatch): void {
    assert(relationOf(this, order) === "next", "only the next batch is appended to a history");
    this.#push(order, batch);
  }

  /**
   * Forgets everything and goes on with this batch, as if nothing were missing before it: for
   * channels whose past cannot be had again.
   */
  continueAt(order: BatchOrder, batch: SharedBatch): void {
    this.#clear(order.epoch);
    this.#push(order, batch);
  }

  /** Whether `resume` has something to give. */
  reaches(position: TopicPosition): boolean {
    return this.#endOf(position) !== undefined && this.#reachesBackTo(position.sequence);
  }

  /** Where the oldest batch goes on from: what is before it is not here. */
  get keptAfter(): number {
    return this.batches === 0 ? this.#sequence : this.#ring.baseSequenceAt(0);
  }

  /** Bytes of older batches that there is room for. */
  get roomBytes(): number {
    return this.batches < this.#batchesMax ? Math.max(0, this.#bytesMax - this.bytes) : 0;
  }

  /** Lets so much more be here than the limits allow. What it is taken from goes with `trim`. */
  makeRoom(room: { readonly bytes: number; readonly batches: number }): void {
    this.#room = room;
  }

  /** Takes everything out of this history, which then is as new, into one of its own. */
  handOver(): TopicHistory {
    const taken = new TopicHistory(this.#limits);
    taken.#epoch = this.#epoch;
    taken.#sequence = this.#sequence;
    taken.#past = this.#past;
    taken.#ring = this.#ring;
    this.#clear(0);
    return taken;
  }

  get #bytesMax(): number {
    return this.#limits.ringBytesMax + this.#room.bytes;
  }

  get #batchesMax(): number {
    return this.#limits.ringBatchesMax + this.#room.batches;
  }

  /**
   * Adds older batches in front of those that are here, if there is room for all: they follow each
   * other, and the oldest that is here follows the last. False, and nothing changes, if not.
   */
  prepend(older: readonly RingEntry[]): boolean {
    const last = older.at(-1);
    if (last === undefined || last.batch.lastSequence !== this.keptAfter) return false;
    const bytes = older.reduce((sum, { batch }) => sum + batch.keptBytes, 0);
    if (bytes > this.roomBytes || older.length + this.batches > this.#batchesMax) return false;
    const ring = new BatchRing();
    for (const { batch, baseSequence } of older) ring.push(batch, baseSequence);
    ring.pushAll(this.#ring);
    this.#ring = ring;
    return true;
  }

  /** Drops the oldest batches while a limit is exceeded. Returns how many went. */
  trim(): number {
    const ring = this.#ring;
    let dropped = 0;
    let lastDropped = 0;
    while (ring.length > this.#batchesMax || ring.bytes > this.#bytesMax) {
      lastDropped = ring.dropOldest();
      dropped += 1;
    }
    if (dropped === 0) return 0;
    if (this.#snapshot !== undefined && this.#snapshot.sequence < lastDropped) {
      this.#snapshot = undefined;
      this.#bytesAfterSnapshot = 0;
      this.#batchesAfterSnapshot = 0;
    }
    return dropped;
  }

  /** The snapshot and everything after it; undefined if there is no snapshot. */
  startFromSnapshot(): TopicStart | undefined {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return undefined;
    const news = this.#collect(snapshot.sequence, this.#sequence);
    const batches = snapshot.batch === undefined ? news : [snapshot.batch, ...news];
    return { position: { epoch: this.#epoch, sequence: snapshot.sequence }, batches };
  }

  /** Exactly what follows `position`; undefined if part of it is gone. */
  resume(position: TopicPosition): TopicStart | undefined {
    const end = this.#endOf(position);
    if (end === undefined || !this.#reachesBackTo(position.sequence)) return undefined;
    const batches = this.#collect(position.sequence, end.sequence);
    if (end.epoch === this.#epoch) return { position, batches };
    const next = { ended: end, batches: this.#collect(end.sequence, this.#sequence) };
    return { position, batches, next };
  }

  /** Up to where the epoch of a position is here; undefined if there is no such position here. */
  #endOf({ epoch, sequence }: TopicPosition): TopicPosition | undefined {
    const past = this.#past;
    if (epoch === past?.epoch) return sequence <= past.sequence ? past : undefined;
    const start = past?.sequence ?? 0;
    return epoch === this.#epoch && sequence >= start && sequence <= this.#sequence
      ? this.position
      : undefined;
  }

  /** Batches from behind one sequence up to another, which batches end at. */
  #collect(after: number, last: number): SharedBatch[] {
    return this.#ring.from(this.#ring.indexAfter(after), last);
  }

  /** Whether the ring continues without loss, and without repeating events, from `sequence`. */
  #reachesBackTo(sequence: number): boolean {
    if (sequence === this.#sequence) return true;
    const index = this.#ring.indexAfter(sequence);
    if (index === this.#ring.length) return false;
    const isAfter = this.#ring.firstSequenceAt(index) > sequence;
    return isAfter && this.#ring.baseSequenceAt(index) <= sequence;
  }

  #push(order: BatchOrder, batch: SharedBatch): void {
    const { baseSequence } = order;
    const { lastSequence } = batch;
    assert(lastSequence === lastSequenceOf(order), "a batch ends where its head says");
    assert(lastSequence > this.#sequence, "a history only goes forward");
    // Whoever has what the ring has stands in the chain only if no batch of it is left out.
    if (baseSequence !== this.#chainedTo) batch.startChain();
    this.#chainedTo = lastSequence;
    this.#sequence = lastSequence;
    this.#ring.push(batch, baseSequence);
    if (this.#snapshot === undefined) return;
    this.#bytesAfterSnapshot += batch.keptBytes;
    this.#batchesAfterSnapshot += 1;
  }

  #clear(epoch: number): void {
    this.#epoch = epoch;
    this.#past = undefined;
    this.#sequence = 0;
    this.#chainedTo = undefined;
    this.#ring = new BatchRing();
    this.#snapshot = undefined;
    this.#bytesAfterSnapshot = 0;
    this.#batchesAfterSnapshot = 0;
  }
}
