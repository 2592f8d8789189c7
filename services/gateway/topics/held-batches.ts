import { assert } from "#core/assert.ts";
import { orderOf } from "./batch-order.ts";
import type { BatchOrder } from "./batch-order.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { RingLimits } from "./topic-history.ts";

/** A batch that waits, with its place in the order. */
export type HeldBatch = { readonly order: BatchOrder; readonly batch: SharedBatch };

/**
 * Batches of one epoch that wait until it is known what is missing before them, at most as many as
 * a history keeps.
 */
export class HeldBatches {
  readonly #limits: RingLimits;
  #held: HeldBatch[] = [];
  #bytes = 0;
  /** Those at the head that were here before the publisher was asked. */
  #heldBeforeQuery = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  get batches(): number {
    return this.#held.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** More is held than there is room for: the caller says what becomes of it. */
  get isOverfull(): boolean {
    const { ringBatchesMax, ringBytesMax } = this.#limits;
    return this.#held.length > ringBatchesMax || this.#bytes > ringBytesMax;
  }

  /** Takes nothing of `order` but its numbers. */
  add(order: BatchOrder, batch: SharedBatch): void {
    batch.keep();
    this.#held.push({ order: orderOf(order), batch });
    this.#bytes += batch.keptBytes;
  }

  /** The publisher is asked now: what it answers comes after everything that is here. */
  queryBegins(): void {
    this.#heldBeforeQuery = this.#held.length;
  }

  /** Drops the oldest until there is room. Returns how many went. */
  trim(): number {
    let dropped = 0;
    while (this.isOverfull) {
      const oldest = this.#held.shift();
      assert(oldest !== undefined, "batches that hold bytes can be dropped");
      this.#bytes -= oldest.batch.keptBytes;
      dropped += 1;
    }
    this.#heldBeforeQuery = Math.max(0, this.#heldBeforeQuery - dropped);
    return dropped;
  }

  /**
   * Drops what was here before the publisher was asked and ends after the sequence that it answers:
   * it has published nothing of the kind. Returns how many went.
   */
  dropIncredible(answeredSequence: number): number {
    const credible = this.#held.filter(({ batch }, index) => {
      return index >= this.#heldBeforeQuery || batch.lastSequence <= answeredSequence;
    });
    const dropped = this.#held.length - credible.length;
    if (dropped > 0) this.#keep(credible);
    return dropped;
  }

  /** Gives everything away, in the order of its sequences. */
  take(): HeldBatch[] {
    const held = this.#held.toSorted((one, other) => {
      return one.order.baseSequence - other.order.baseSequence;
    });
    this.clear();
    return held;
  }

  clear(): void {
    this.#keep([]);
  }

  #keep(held: HeldBatch[]): void {
    this.#held = held;
    this.#bytes = held.reduce((sum, { batch }) => sum + batch.keptBytes, 0);
    this.#heldBeforeQuery = 0;
  }
}
