/** Where a client stands in a topic. */
export type Position = {
  /** Changes when sequences start anew. */
  readonly epoch: number;
  /** Of the last event received; 0 before the first. */
  readonly sequence: number;
};

/** The fields of a batch that say what it continues. */
export type BatchPosition = {
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  /** 0 means firstSequence - 1. */
  readonly previousSequence: number;
  readonly snapshot: boolean;
};

/**
 * What a batch is to its topic. `next`: continues without loss; the first `skip` events are already
 * known. `state`: a snapshot that replaces what is known. `duplicate`: nothing new in it. `gap`:
 * events are missing before it. `restart`: the first batch of a new epoch. Only `next`, `state` and
 * `restart` advance the position.
 */
type Observation = "next" | "state" | "duplicate" | "gap" | "restart";

/** Proves that the batches of one topic follow each other. Pure. */
export class PositionTracker {
  #epoch = 0;
  #sequence = 0;
  #known = false;
  #skip = 0;
  #announcedFirst = 0;
  #announcedLast = 0;

  /** Undefined before anything was received. */
  get position(): Position | undefined {
    return this.#known ? { epoch: this.#epoch, sequence: this.#sequence } : undefined;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Events at the head of the batch last observed as `next` that were received before. */
  get skip(): number {
    return this.#skip;
  }

  /** News follows after this position. */
  start(position: Position): void {
    this.#epoch = position.epoch;
    this.#sequence = position.sequence;
    this.#known = true;
    this.#announcedFirst = 0;
    this.#announcedLast = 0;
  }

  /** The gateway says that these events will not come. The batch after them is then not a gap. */
  announceMissing(first: number, last: number): void {
    const extends_ = this.#announcedLast !== 0 && first <= this.#announcedLast + 1;
    this.#announcedFirst = extends_ ? Math.min(this.#announcedFirst, first) : first;
    this.#announcedLast = extends_ ? Math.max(this.#announcedLast, last) : last;
  }

  /** Judges a batch and, unless it is a gap or a duplicate, moves to its end. */
  observe(batch: BatchPosition): Observation {
    this.#skip = 0;
    if (batch.snapshot) return this.#observeSnapshot(batch);
    const last = batch.firstSequence + batch.count - 1;
    const previous =
      batch.previousSequence === 0 ? batch.firstSequence - 1 : batch.previousSequence;
    if (!this.#known || batch.epoch !== this.#epoch) {
      if (this.#known && previous !== 0) return "gap";
      const observation = this.#known ? "restart" : "next";
      this.start({ epoch: batch.epoch, sequence: last });
      return observation;
    }
    if (last <= this.#sequence) return "duplicate";
    if (previous > this.#sequence && !this.#isAnnounced(previous)) return "gap";
    this.#skip = Math.max(0, this.#sequence + 1 - batch.firstSequence);
    this.#sequence = last;
    return "next";
  }

  #observeSnapshot(batch: BatchPosition): Observation {
    const behind = this.#known && batch.epoch === this.#epoch;
    if (behind && batch.firstSequence < this.#sequence) return "duplicate";
    // A snapshot is the state at its first sequence, however many rows it needs to say it.
    this.start({ epoch: batch.epoch, sequence: batch.firstSequence });
    return "state";
  }

  #isAnnounced(previous: number): boolean {
    return this.#announcedFirst <= this.#sequence + 1 && this.#announcedLast >= previous;
  }
}
