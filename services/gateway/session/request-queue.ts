type Entry = { ready: boolean; readonly answer: () => void };

/**
 * Answers requests in the order in which they came, however long each takes to prepare: an answer
 * waits until every answer before it was given.
 */
export class RequestQueue {
  #entries: Entry[] = [];

  /** No answer waits. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Queues an answer that is ready. */
  add(answer: () => void): void {
    this.#entries.push({ ready: true, answer });
    this.#answerReady();
  }

  /** Queues an answer that becomes ready when the function that this returns is called. */
  addPending(answer: () => void): () => void {
    const entry: Entry = { ready: false, answer };
    this.#entries.push(entry);
    return () => {
      entry.ready = true;
      this.#answerReady();
    };
  }

  /** Gives every answer now, ready or not. */
  answerAll(): void {
    for (const entry of this.#entries) entry.ready = true;
    this.#answerReady();
  }

  #answerReady(): void {
    while (this.#entries[0]?.ready === true) this.#entries.shift()?.answer();
  }
}
