import type { TopicPosition } from "./batch-order.ts";

/** Epochs of one topic whose end is remembered; the one that ended first makes room. */
export const ENDED_EPOCHS_MAX = 8;

/**
 * How far the earlier epochs of a topic came, as far as anybody here heard: so that whoever has a
 * position in one of them learns how much of it is missing.
 */
export class EpochEnds {
  readonly #sequences = new Map<number, number>();

  /** The epoch is over, and this was its last event that was received or announced. */
  ended({ epoch, sequence }: TopicPosition): void {
    const known = this.#sequences.get(epoch) ?? 0;
    this.#sequences.delete(epoch);
    this.#sequences.set(epoch, Math.max(known, sequence));
    const [first] = this.#sequences.keys();
    if (this.#sequences.size > ENDED_EPOCHS_MAX && first !== undefined) {
      this.#sequences.delete(first);
    }
  }

  /** The last position of the epoch; undefined if that is not known here. */
  endOf(epoch: number): TopicPosition | undefined {
    const sequence = this.#sequences.get(epoch);
    return sequence === undefined ? undefined : { epoch, sequence };
  }
}
