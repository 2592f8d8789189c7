/** How a batch stands to what came before it. */
export type SequenceVerdict =
  /**
   * It continues (or starts) the sequence; some leading events may be known already, see `covered`.
   */
  | "in-order"
  /** Events are missing before it, or a new epoch has begun; see `missed`. */
  | "gap"
  /** Everything in it was seen. */
  | "duplicate"
  /** It belongs to an epoch that has ended. */
  | "stale-epoch";

/** Consecutive events of one topic: `firstSequence` ... `firstSequence + count - 1`. */
export type SequenceRange = {
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
};

/**
 * Proves that nothing of one topic was lost. After a gap it stands at the end of the batch that
 * showed it, so each loss is reported once. Duplicates and stale epochs change nothing.
 */
export class SequenceTracker {
  #epoch = 0;
  #sequence = 0;
  #started = false;
  #missed = 0;
  #covered = 0;

  /** Of the last event seen; 0 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Of the last event seen; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Events that the last gap skipped; 0 if the epoch changed, because nobody knows. */
  get missed(): number {
    return this.#missed;
  }

  /** Leading events of the last in-order batch that had been seen before. */
  get covered(): number {
    return this.#covered;
  }

  /** Puts the tracker after the event with this position, as a snapshot does. */
  reset(position: { readonly epoch: number; readonly sequence: number }): void {
    this.#epoch = position.epoch;
    this.#sequence = position.sequence;
    this.#started = true;
    this.#missed = 0;
    this.#covered = 0;
  }

  observe(range: SequenceRange): SequenceVerdict {
    const { epoch, firstSequence } = range;
    const last = firstSequence + range.count - 1;
    this.#missed = 0;
    this.#covered = 0;
    if (!this.#started) return this.#advance(epoch, last, "in-order");
    if (epoch < this.#epoch) return "stale-epoch";
    if (epoch > this.#epoch) return this.#advance(epoch, last, "gap");
    const expected = this.#sequence + 1;
    if (firstSequence > expected) {
      this.#missed = firstSequence - expected;
      return this.#advance(epoch, last, "gap");
    }
    if (last < expected) return "duplicate";
    this.#covered = expected - firstSequence;
    return this.#advance(epoch, last, "in-order");
  }

  #advance(epoch: number, last: number, verdict: SequenceVerdict): SequenceVerdict {
    this.#epoch = epoch;
    this.#sequence = last;
    this.#started = true;
    return verdict;
  }
}
