import type { TopicPosition } from "./batch-order.ts";

type BackfillParts = {
  /** Whether the history goes back to the position by now, or never will. */
  readonly isSettled: (position: TopicPosition) => boolean;
  /** Brings what follows the position and is not here. It settles whether that worked or not. */
  readonly fetch: (position: TopicPosition) => Promise<void>;
};

type Waiting = { readonly position: TopicPosition; readonly done: () => void };

/**
 * Clients who come back to a gateway that was not there before, or not long enough: each waits
 * until what it missed has been fetched. One fetch runs at a time and goes back to the oldest
 * position that is wanted, so that it mostly serves all of them; each position is tried once.
 */
export class TopicBackfill {
  readonly #parts: BackfillParts;
  #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(parts: BackfillParts) {
    this.#parts = parts;
  }

  /** Positions that are waited for. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Calls back, at once if possible, when the position is reached or cannot be. */
  reach(position: TopicPosition, done: () => void): void {
    if (this.#parts.isSettled(position)) {
      done();
      return;
    }
    this.#waiting.push({ position, done });
    // It rejects only if we have a bug, and then the process ends.
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let oldest = this.#oldest(); oldest !== undefined; oldest = this.#oldest()) {
      await this.#parts.fetch(oldest);
      this.#answer(oldest);
    }
    this.#isRunning = false;
  }

  #oldest(): TopicPosition | undefined {
    let oldest: TopicPosition | undefined;
    for (const { position } of this.#waiting) {
      if (oldest === undefined || position.sequence < oldest.sequence) oldest = position;
    }
    return oldest;
  }

  /** Those whose position is reached, and those who wanted what was tried. */
  #answer(tried: TopicPosition): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      const isTried =
        each.position.epoch === tried.epoch && each.position.sequence === tried.sequence;
      if (isTried || this.#parts.isSettled(each.position)) each.done();
      else this.#waiting.push(each);
    }
  }
}
