import { backoffDelayMs } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";
import type { SyncActions } from "./sync-parts.ts";

/** Topics that lost one ingestor do not all ask again at once. */
const RETRY_BACKOFF = { baseMs: 250, maxMs: 5_000 };

type QueryRetryParts = {
  /** In [0, 1). */
  readonly random: () => number;
  readonly actions: Pick<SyncActions, "retryAfter" | "cancelRetry">;
};

/** When a topic's publisher that did not answer is asked again. */
export class QueryRetry {
  readonly #parts: QueryRetryParts;
  #isArmed = false;
  /** Since the last success, for the time between retries. */
  #failures = 0;
  /** A batch has shown since the last success that the publisher is there. */
  #isHeard = false;

  constructor(parts: QueryRetryParts) {
    this.#parts = parts;
  }

  get isArmed(): boolean {
    return this.#isArmed;
  }

  /** After a failure: each wait is longer than the one before. */
  arm(): void {
    this.cancel();
    this.#isArmed = true;
    const { random, actions } = this.#parts;
    const attempt = this.#failures;
    this.#failures += 1;
    actions.retryAfter(backoffDelayMs({ attempt, limits: RETRY_BACKOFF, random }));
  }

  /** Idempotent. */
  cancel(): void {
    if (!this.#isArmed) return;
    this.#isArmed = false;
    this.#parts.actions.cancelRetry();
  }

  due(): void {
    assert(this.#isArmed, "a retry that is due was asked for");
    this.#isArmed = false;
  }

  /** There was an answer. */
  answered(): void {
    this.#failures = 0;
    this.#isHeard = false;
  }

  /**
   * A publisher that did not answer is there again. True if it is to be asked at once, where the
   * next retry may be seconds away: once until it answers, so that one that never does is not asked
   * for each of its batches.
   */
  heard(): boolean {
    if (!this.#isArmed || this.#isHeard) return false;
    this.#isHeard = true;
    this.#failures = 0;
    return true;
  }
}
