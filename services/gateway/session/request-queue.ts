import type { TurnLine, Work } from "../turns/turns.ts";

type Entry = { ready: boolean; readonly answer: () => Work };

/**
 * Answers requests in the order in which they came, however long each takes to prepare: an answer
 * waits until every answer before it was given. Giving one is work of the client's line.
 */
export class RequestQueue {
  readonly #line: TurnLine;
  #entries: Entry[] = [];

  constructor(line: TurnLine) {
    this.#line = line;
  }

  /** Queues an answer that is ready. */
  add(answer: () => Work): void {
    this.#entries.push({ ready: true, answer });
    this.#answerReady();
  }

  /** Queues an answer that becomes ready when the function that this returns is called. */
  addPending(answer: () => Work): () => void {
    const entry: Entry = { ready: false, answer };
    this.#entries.push(entry);
    return () => {
      entry.ready = true;
      this.#answerReady();
    };
  }

  /** Gives up every answer that was not begun. */
  clear(): void {
    this.#entries = [];
  }

  #answerReady(): void {
    for (let entry = this.#entries[0]; entry?.ready === true; entry = this.#entries[0]) {
      this.#entries.shift();
      this.#line.add(entry.answer());
    }
  }
}
