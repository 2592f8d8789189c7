import { compareIds } from "./trade-fields.ts";

/** The numbers of one message, as `BookSequencing` compares them. */
type LinkedIds = { readonly lastUpdateId: number; readonly previousUpdateId: number };

/**
 * Small numbers in place of those of a book's messages, where a double does not hold theirs. Each
 * message names the one before it, so it is enough to know the last one: what follows it has the
 * next number, what does not has one that leaves a hole, and what is older keeps behind.
 */
export class LinkedNumbers {
  #last: string | undefined;
  #count = 0;

  /** The number of a whole book, from which changes go on. */
  begin(number: string): number {
    this.#last = number;
    this.#count += 1;
    return this.#count;
  }

  /**
   * The numbers of a change and of the one that it follows. A venue that begins its numbers anew
   * names the last of the old ones, so that is no hole.
   */
  follow(number: string, previous: string): LinkedIds {
    const count = this.#count;
    if (previous === this.#last) {
      // The venue repeats a number to say that nothing has changed.
      if (number !== previous) this.#count += 1;
      this.#last = number;
      return { lastUpdateId: this.#count, previousUpdateId: count };
    }
    if (this.#last !== undefined && compareIds(number, this.#last) <= 0) {
      return { lastUpdateId: count, previousUpdateId: -1 };
    }
    this.#last = number;
    this.#count += 2;
    return { lastUpdateId: this.#count, previousUpdateId: this.#count - 1 };
  }
}
