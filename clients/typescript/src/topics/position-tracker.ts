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
  /** Of the first event; of a snapshot, where all its events stand. */
  readonly firstSequence: number;
  readonly count: number;
  /** Events conflated away before the first, as the client asked: no loss. */
  readonly skipped: number;
  readonly snapshot: boolean;
};

/**
 * What a batch is to its topic. `next`: continues without loss; the first `skip` events are already
 * known. `state`: a snapshot that replaces what is known. `duplicate`: nothing new in it. `loss`:
 * events before it will not come, see `lostTo`. `restart`: the first batch of a new epoch. All but
 * `duplicate` move the position.
 */
type Observation = "next" | "state" | "duplicate" | "loss" | "restart";

/** Proves that the batches of one topic follow each other. Pure. */
export class PositionTracker {
  #epoch = 0;
  #sequence = 0;
  #known = false;
  #skip = 0;
  #announcedFirst = 0;
  #announcedLast = 0;
  #lostTo = 0;
  #epochBefore = 0;
  #sequenceBefore = 0;
  #wasKnown = false;

  /** Undefined before anything was received. */
  get position(): Position | undefined {
    return this.#known ? { epoch: this.#epoch, sequence: this.#sequence } : undefined;
  }

  /** The position before the batch that was last observed. */
  get before(): Position | undefined {
    return this.#wasKnown
      ? { epoch: this.#epochBefore, sequence: this.#sequenceBefore }
      : undefined;
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

  /** Last of the events lost before the batch last observed as `loss`. */
  get lostTo(): number {
    return this.#lostTo;
  }

  /** Up to where the gateway said that what follows the position will not come; 0 if nowhere. */
  get announcedFromHere(): number {
    return this.#announcedFirst <= this.#sequence + 1 ? this.#announcedLast : 0;
  }

  /** News follows after this position. */
  start(position: Position): void {
    this.#epoch = position.epoch;
    this.#sequence = position.sequence;
    this.#known = true;
    this.#announcedFirst = 0;
    this.#announcedLast = 0;
  }

  /** The gateway says that these events will not come. The batch after them then shows no loss. */
  announceMissing(first: number, last: number): void {
    const extends_ = this.#announcedLast !== 0 && first <= this.#announcedLast + 1;
    this.#announcedFirst = extends_ ? Math.min(this.#announcedFirst, first) : first;
    this.#announcedLast = extends_ ? Math.max(this.#announcedLast, last) : last;
  }

  /**
   * Judges a batch that follows its chain and, unless it is a duplicate, moves to its end. The
   * cases are those of the specification of the wire.
   */
  observe(batch: BatchPosition): Observation {
    this.#skip = 0;
    this.#epochBefore = this.#epoch;
    this.#sequenceBefore = this.#sequence;
    this.#wasKnown = this.#known;
    const { epoch, firstSequence, count, skipped } = batch;
    if (batch.snapshot) return this.#observeSnapshot(batch);
    const base = firstSequence - 1 - skipped;
    const last = firstSequence + count - 1;
    if (!this.#known || epoch !== this.#epoch) {
      const observation = this.#known ? "restart" : "next";
      this.start({ epoch, sequence: last });
      return observation;
    }
    const position = this.#sequence;
    if (last <= position) return "duplicate";
    this.#sequence = last;
    if (base > position && !this.#isAnnounced(position, base)) {
      this.#lostTo = base;
      return "loss";
    }
    this.#skip = Math.max(0, position + 1 - firstSequence);
    return "next";
  }

  #observeSnapshot({ epoch, firstSequence }: BatchPosition): Observation {
    const isBehind = this.#known && epoch === this.#epoch && firstSequence < this.#sequence;
    if (isBehind) return "duplicate";
    this.start({ epoch, sequence: firstSequence });
    return "state";
  }

  #isAnnounced(position: number, base: number): boolean {
    return this.#announcedFirst <= position + 1 && this.#announcedLast >= base;
  }
}
