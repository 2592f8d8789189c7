import type { BatchReading, ChainReader, DecodedBatch } from "@tickwire/proto/codec";
import type { Position } from "./position-tracker.ts";

/** Batches of a topic that may wait for the answer of the other gateway; one more ends the wait. */
export const HELD_BATCHES_MAX = 1_000;

/** A batch as it came: bytes[start..end). */
type HeldBatch = { readonly bytes: Uint8Array; readonly start: number; readonly end: number };

/** What is known of the topic on this client; nothing of a state that is void. */
export type TopicStand = {
  readonly position: Position;
  readonly isBook: boolean;
  /** Its levels are not those that are asked for, so that only a whole state can take over. */
  readonly needsWhole: boolean;
};

/**
 * A topic while it moves: the old connection goes on to bring it, and the new one takes over once
 * it has come as far. Pure.
 */
export class TopicMove {
  /** The chain of the old connection. */
  readonly reader: ChainReader;
  /** What the old connection has brought since the view was asked for; undefined: nothing waits. */
  held: HeldBatch[] | undefined;
  /** How far the new connection has come; undefined before its answer. */
  #reach: Position | undefined;
  /** Something came on the new connection that cannot be made up for. */
  #isBroken = false;

  constructor(reader: ChainReader) {
    this.reader = reader;
  }

  /** The new connection goes on after this position. */
  answered(reach: Position | undefined): void {
    this.#reach = reach;
    this.#isBroken = reach === undefined;
  }

  /** The new connection will not bring these, which the old one may still do. */
  announceMissing(first: number, last: number): void {
    const reach = this.#reach;
    if (reach === undefined || first > reach.sequence + 1 || last <= reach.sequence) return;
    this.#reach = { epoch: reach.epoch, sequence: last };
  }

  /** Whether the new connection has come exactly as far as the topic. */
  isAt(stand: TopicStand | undefined): boolean {
    return this.#lead(stand) === 0 && stand?.needsWhole === false;
  }

  /** Whether the new connection brings everything that follows the topic's position. */
  continues(stand: TopicStand | undefined): boolean {
    return this.#lead(stand) <= 0 && stand?.needsWhole === false;
  }

  /** How far the new connection is ahead of the topic; NaN if that cannot be said. */
  #lead(stand: TopicStand | undefined): number {
    const reach = this.#reach;
    if (this.#isBroken || reach === undefined || reach.epoch !== stand?.position.epoch) return NaN;
    return reach.sequence - stand.position.sequence;
  }

  /** What came on the new connection, and whether the topic goes on with it from now on. */
  takesOver(
    reading: BatchReading | { readonly outcome: "lost" },
    stand: TopicStand | undefined,
  ): boolean {
    if (reading.outcome !== "read") {
      this.#isBroken = true;
      return false;
    }
    const { batch } = reading;
    const { base, last } = spanOf(batch);
    this.#reach = { epoch: batch.epoch, sequence: last };
    if (stand === undefined || stand.position.epoch !== batch.epoch) return false;
    const { sequence } = stand.position;
    const isWhole = batch.snapshot || !stand.needsWhole;
    // Of the state that is asked for, nothing comes again.
    if (!isWhole || (stand.needsWhole && last < sequence)) this.#isBroken = true;
    const isOf = !stand.isBook || isFit(batch, stand.position);
    return !this.#isBroken && isOf && base <= sequence && last >= sequence;
  }

  /** Keeps a batch of the old connection; false if there is no room for it. */
  hold(batch: HeldBatch): boolean {
    if (this.held === undefined || this.held.length >= HELD_BATCHES_MAX) return false;
    this.held.push(batch);
    return true;
  }
}

/** Whether a change of a book can be made to the book as it is at the position. */
export function isFit(batch: DecodedBatch, position: Position | undefined): boolean {
  const { base, last } = spanOf(batch);
  const isNext = position === undefined || position.epoch !== batch.epoch;
  // A net change fits the state that it was made for, and no other.
  return isNext || batch.skipped === 0 || base >= position.sequence || last <= position.sequence;
}

/** Which sequences a batch follows, and the last one that it brings. */
function spanOf({ firstSequence, count, skipped, snapshot }: DecodedBatch) {
  if (snapshot) return { base: firstSequence, last: firstSequence };
  return { base: firstSequence - 1 - skipped, last: firstSequence + count - 1 };
}
