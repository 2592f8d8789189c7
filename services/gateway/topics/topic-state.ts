import type { SharedBatch } from "./shared-batch.ts";

/** A place in a topic's sequence of events. */
export type TopicPosition = { readonly epoch: number; readonly sequence: number };

/** The scalar head of a batch, as far as order matters. */
export type BatchOrder = {
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  /** 0 means firstSequence - 1. */
  readonly previousSequence: number;
};

/** What a batch from the bus is, given what came before. */
export type Appended =
  | { readonly kind: "appended" }
  /** Already contained in what we have. */
  | { readonly kind: "duplicate" }
  /** Events between are missing. */
  | { readonly kind: "gap"; readonly missingFirst: number; readonly missingLast: number }
  /** The publisher started anew. */
  | { readonly kind: "epoch" };

/** Batches to send, and the position that they continue from. */
export type TopicStart = {
  readonly position: TopicPosition;
  readonly batches: readonly SharedBatch[];
};

/** How much a topic remembers. */
export type RingLimits = { readonly ringBytesMax: number; readonly ringBatchesMax: number };

type RingEntry = { readonly batch: SharedBatch; readonly previousSequence: number };

const APPENDED: Appended = { kind: "appended" };
const DUPLICATE: Appended = { kind: "duplicate" };
const EPOCH: Appended = { kind: "epoch" };

/**
 * The recent past of one topic, already encoded: a snapshot at some sequence and the batches since,
 * so that a subscription starts without asking anybody; and the ring of batches, so that a client
 * resumes. When the ring is full the oldest batch goes, and the snapshot with it once batches after
 * it are gone.
 */
export class TopicState {
  readonly #limits: RingLimits;
  readonly #ring: RingEntry[] = [];
  #ringBytes = 0;
  #epoch = 0;
  #lastSequence = 0;
  #snapshot: { readonly sequence: number; readonly batch: SharedBatch | undefined } | undefined;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  get position(): TopicPosition {
    return { epoch: this.#epoch, sequence: this.#lastSequence };
  }

  get ringBatches(): number {
    return this.#ring.length;
  }

  get ringBytes(): number {
    return this.#ringBytes;
  }

  /** Whether `startFromSnapshot` has something to give. */
  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  /**
   * Half of the ring lies after the snapshot: time to ask for a newer one, before the ring outgrows
   * it.
   */
  get wantsSnapshot(): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return true;
    if (
      this.#ringBytes * 2 <= this.#limits.ringBytesMax &&
      this.#ring.length * 2 <= this.#limits.ringBatchesMax
    ) {
      return false;
    }
    let bytes = 0;
    let batches = 0;
    for (let index = this.#ring.length - 1; index >= 0; index -= 1) {
      const entry = this.#ring[index];
      if (entry === undefined || entry.batch.lastSequence <= snapshot.sequence) break;
      bytes += entry.batch.bytes.byteLength;
      batches += 1;
    }
    return bytes * 2 > this.#limits.ringBytesMax || batches * 2 > this.#limits.ringBatchesMax;
  }

  /**
   * Forgets everything and starts at `position`; `snapshot` is the state there, undefined if there
   * is none.
   */
  reset(position: TopicPosition, snapshot: SharedBatch | undefined): void {
    this.#epoch = position.epoch;
    this.#lastSequence = position.sequence;
    this.#ring.length = 0;
    this.#ringBytes = 0;
    this.#snapshot = { sequence: position.sequence, batch: snapshot };
  }

  /**
   * Takes a newer snapshot for the batches that are here. False (and nothing changes) if it belongs
   * to another epoch, lies ahead of what we have, or before what the ring still holds.
   */
  installSnapshot(position: TopicPosition, snapshot: SharedBatch | undefined): boolean {
    if (position.epoch !== this.#epoch || position.sequence > this.#lastSequence) return false;
    if (!this.#reachesBackTo(position.sequence)) return false;
    this.#snapshot = { sequence: position.sequence, batch: snapshot };
    return true;
  }

  /** Adds the next batch, or says why it is not the next. Only `appended` changes anything. */
  append(order: BatchOrder, batch: SharedBatch): Appended {
    // Epochs rise with the publisher's clock: an older one is a publisher that is about to go.
    if (order.epoch < this.#epoch) return DUPLICATE;
    if (order.epoch > this.#epoch) return EPOCH;
    if (batch.lastSequence <= this.#lastSequence) return DUPLICATE;
    const previousSequence = continuesFrom(order);
    if (previousSequence > this.#lastSequence) {
      return {
        kind: "gap",
        missingFirst: this.#lastSequence + 1,
        missingLast: order.firstSequence - 1,
      };
    }
    this.#push(batch, Math.min(previousSequence, this.#lastSequence));
    return APPENDED;
  }

  /**
   * Goes on after a gap as if nothing were missing: for channels whose past cannot be had again.
   */
  skipTo(order: BatchOrder, batch: SharedBatch): void {
    this.#epoch = order.epoch;
    this.#ring.length = 0;
    this.#ringBytes = 0;
    this.#snapshot = undefined;
    this.#push(batch, continuesFrom(order));
  }

  /** The snapshot and everything after it; undefined if there is no snapshot. */
  startFromSnapshot(): TopicStart | undefined {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return undefined;
    const batches = snapshot.batch === undefined ? [] : [snapshot.batch];
    this.#collectAfter(snapshot.sequence, batches);
    return { position: { epoch: this.#epoch, sequence: snapshot.sequence }, batches };
  }

  /** The newest batch; undefined if the ring is empty. */
  get lastBatch(): SharedBatch | undefined {
    return this.#ring.at(-1)?.batch;
  }

  /** Exactly what follows `position`; undefined if part of it is gone. */
  resume(position: TopicPosition): TopicStart | undefined {
    if (position.epoch !== this.#epoch || position.sequence > this.#lastSequence) return undefined;
    if (!this.#reachesBackTo(position.sequence)) return undefined;
    const batches: SharedBatch[] = [];
    this.#collectAfter(position.sequence, batches);
    return { position, batches };
  }

  /** Whether the ring continues without loss, and without repeating events, from `sequence`. */
  #reachesBackTo(sequence: number): boolean {
    if (sequence === this.#lastSequence) return true;
    for (let index = this.#ring.length - 1; index >= 0; index -= 1) {
      const entry = this.#ring[index];
      if (entry === undefined || entry.batch.lastSequence <= sequence) return false;
      if (entry.previousSequence <= sequence) return entry.batch.firstSequence > sequence;
    }
    return false;
  }

  #collectAfter(sequence: number, into: SharedBatch[]): void {
    let index = this.#ring.length;
    while (index > 0 && (this.#ring[index - 1]?.batch.lastSequence ?? 0) > sequence) index -= 1;
    for (; index < this.#ring.length; index += 1) {
      const entry = this.#ring[index];
      if (entry !== undefined) into.push(entry.batch);
    }
  }

  #push(batch: SharedBatch, previousSequence: number): void {
    this.#lastSequence = batch.lastSequence;
    this.#ring.push({ batch, previousSequence });
    this.#ringBytes += batch.bytes.byteLength;
  }

  /** Drops the oldest batches while a limit is exceeded. Returns how many went. */
  trim(): number {
    let dropped = 0;
    let lastDropped = 0;
    while (
      this.#ring.length - dropped > this.#limits.ringBatchesMax ||
      this.#ringBytes > this.#limits.ringBytesMax
    ) {
      const oldest = this.#ring[dropped];
      if (oldest === undefined) break;
      this.#ringBytes -= oldest.batch.bytes.byteLength;
      lastDropped = oldest.batch.lastSequence;
      dropped += 1;
    }
    if (dropped === 0) return 0;
    this.#ring.splice(0, dropped);
    const snapshot = this.#snapshot;
    if (snapshot !== undefined && snapshot.sequence < lastDropped) this.#snapshot = undefined;
    return dropped;
  }
}

function continuesFrom(order: BatchOrder): number {
  return order.previousSequence === 0 ? order.firstSequence - 1 : order.previousSequence;
}
