/** So many numbers behind, a message is late rather than the start of another numbering. */
export const LATE_MESSAGES_MAX = 64;

/**
 * How a message stands to the one before it on its connection. After a `hole` everything that the
 * connection carries is in doubt; what is `late` was told as missing when its number was passed
 * over.
 */
type SequencePlace = "next" | "repeated" | "late" | "hole";

/** Follows numbers that a venue gives to all messages of one connection. */
export class ConnectionSequence {
  #last: number | undefined;

  /** Places the next message, and goes on from it unless it is repeated or late. */
  place(sequence: number): SequencePlace {
    const last = this.#last;
    if (sequence === last) return "repeated";
    // Far behind, it is the number before that was wrong: waiting for it would stop the connection.
    if (last !== undefined && sequence < last && sequence > last - LATE_MESSAGES_MAX) return "late";
    this.#last = sequence;
    return last === undefined || sequence === last + 1 ? "next" : "hole";
  }

  /** A message whose number could not be read. */
  skip(): void {
    if (this.#last !== undefined) this.#last += 1;
  }

  /** The next message is taken wherever it stands. */
  forget(): void {
    this.#last = undefined;
  }
}
