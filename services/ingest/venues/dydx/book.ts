/** Requests under way beyond which numbers are not waited for: something else is wrong. */
const REQUESTS_MAX = 256;

/** After so long the venue has given up on a request, and something else took its number. */
const ANSWER_US_MAX = 30_000_000;

/**
 * The numbers that the venue gives to all messages of a connection. The answer to a subscription
 * has the number that its request took, and comes when the venue has fetched what it holds: later
 * than messages with higher numbers. A number may therefore be missing for as long as a request is
 * under way, and no longer.
 */
export class DydxSequence {
  #last: number | undefined;
  #requests = 0;
  /** A request left since the last message. */
  #hasAsked = false;
  /** When the first message came after the last request. */
  #askedUs = 0;
  readonly #missing = new Set<number>();

  /** A request left that takes a number for its answer. */
  requested(): void {
    this.#requests = Math.min(this.#requests + 1, REQUESTS_MAX);
    this.#hasAsked = true;
  }

  /**
   * Places a message. A `hole` says that a number is missing which no answer can have; what is
   * `late` came after that was said, or twice. Of damage nobody knows when it came.
   */
  place(
    number: number,
    {
      isAnswer,
      receivedTimeUs,
    }: { readonly isAnswer: boolean; readonly receivedTimeUs: number | undefined },
  ): "next" | "late" | "hole" {
    const last = this.#last;
    if (receivedTimeUs !== undefined) this.#expire(receivedTimeUs);
    if (isAnswer && this.#requests > 0) this.#requests -= 1;
    if (last !== undefined && number <= last) {
      return this.#missing.delete(number) ? this.#judge() : "late";
    }
    this.#last = number;
    if (last === undefined) return "next";
    const skipped = number - last - 1;
    if (skipped > this.#requests) {
      this.#missing.clear();
      return "hole";
    }
    for (let each = last + 1; each < number; each += 1) this.#missing.add(each);
    return this.#judge();
  }

  #expire(receivedTimeUs: number): void {
    if (this.#hasAsked) this.#askedUs = receivedTimeUs;
    this.#hasAsked = false;
    if (receivedTimeUs - this.#askedUs > ANSWER_US_MAX) this.#requests = 0;
  }

  /** More numbers are missing than answers: one of them was something else. */
  #judge(): "next" | "hole" {
    if (this.#missing.size <= this.#requests) return "next";
    this.#missing.clear();
    return "hole";
  }
}
