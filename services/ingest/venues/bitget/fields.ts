/** Where a message stands among those of its book. */
export type BookPosition = {
  readonly lastUpdateId: number;
  readonly previousUpdateId: number | undefined;
};

/**
 * The numbers of one book, which may be beyond 2^53, as their distance from where they began: that
 * is exact as a number. Numbers that go back, or too far, begin again behind the last one, so that
 * they never look like what was there before. Only up to the first update that follows a snapshot
 * may lower numbers come: those of updates that the snapshot contains.
 */
export class BookNumbers {
  #base = 0n;
  #last = 1;
  #isBridged = false;

  /** A snapshot: everything before it is forgotten. */
  start(sequence: bigint): BookPosition {
    this.#base = sequence - 1n;
    this.#last = 1;
    this.#isBridged = false;
    return { lastUpdateId: 1, previousUpdateId: undefined };
  }

  /** An update, with the number that it names of the one before it; 0 if it names none. */
  proceed(sequence: bigint, previous: bigint): BookPosition {
    const lastUpdateId = Number(sequence - this.#base);
    // After a restart the venue names no message before.
    const previousUpdateId = previous === 0n ? undefined : Number(previous - this.#base);
    const isBack = lastUpdateId < this.#last;
    if (isBack && !this.#isBridged && previous !== 0n) return { lastUpdateId, previousUpdateId };
    this.#isBridged = true;
    if (isBack || !Number.isSafeInteger(lastUpdateId)) {
      this.#last += 2;
      this.#base = sequence - BigInt(this.#last);
      return { lastUpdateId: this.#last, previousUpdateId: undefined };
    }
    this.#last = lastUpdateId;
    return { lastUpdateId, previousUpdateId };
  }
}
