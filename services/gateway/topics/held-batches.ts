import { assert } from "#core/assert.ts";
import { relationOf } from "./batch-order.ts";
import type { BatchOrder, TopicPosition } from "./batch-order.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { RingLimits } from "./topic-history.ts";

/** A batch that waits, with its place in the order. */
export type HeldBatch = { readonly order: BatchOrder; readonly batch: SharedBatch };

/**
 * Batches that wait for the snapshot that they follow, as many as a history keeps. The oldest go
 * first: the snapshot that comes is newer than they are.
 */
export class HeldBatches {
  readonly #limits: RingLimits;
  readonly #held: HeldBatch[] = [];
  #bytes = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  get batches(): number {
    return this.#held.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns how many of the oldest had to go. */
  add(order: BatchOrder, batch: SharedBatch): number {
    const { ringBatchesMax, ringBytesMax } = this.#limits;
    this.#held.push({ order, batch });
    this.#bytes += batch.keptBytes;
    let dropped = 0;
    while (this.#held.length > ringBatchesMax || this.#bytes > ringBytesMax) {
      const oldest = this.#held.shift();
      assert(oldest !== undefined, "batches that hold bytes can be dropped");
      this.#bytes -= oldest.batch.keptBytes;
      dropped += 1;
    }
    return dropped;
  }

  /**
   * Those that bring somebody at `position` to the newest event, without repetitions; undefined if
   * one does not continue what is before it.
   */
  following(position: TopicPosition): HeldBatch[] | undefined {
    const following: HeldBatch[] = [];
    let { sequence } = position;
    for (const held of this.#held) {
      switch (relationOf({ epoch: position.epoch, sequence }, held.order)) {
        case "next":
          following.push(held);
          sequence = held.batch.lastSequence;
          break;
        case "duplicate":
          break;
        case "gap":
        case "epoch":
          return undefined;
      }
    }
    return following;
  }

  clear(): void {
    this.#held.length = 0;
    this.#bytes = 0;
  }
}
