import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { VenueContext } from "../venue-context.ts";

type InBandResyncOptions = VenueContext & {
  /** Renews the subscription of one book, or asks for its snapshot on the connection. */
  readonly ask: (instrument: Instrument) => void;
};

type Attempt = { count: number; startedUs: number; cancelTimer: CancelTimer | undefined };

/**
 * Starts single books anew where the snapshot comes on the connection, after a new subscription or
 * on request. The first request goes out at once. If the book breaks again soon, or no snapshot
 * comes, the next one follows after a wait that grows.
 */
export class InBandResync {
  readonly #options: InBandResyncOptions;
  readonly #attempts = new Map<Instrument, Attempt>();

  constructor(options: InBandResyncOptions) {
    this.#options = options;
  }

  /** Does nothing while an earlier request of the same book is under way. */
  request(instrument: Instrument): void {
    const { clock, policy, random } = this.#options;
    let attempt = this.#attempts.get(instrument);
    if (attempt === undefined) {
      attempt = { count: 0, startedUs: Number.NEGATIVE_INFINITY, cancelTimer: undefined };
      this.#attempts.set(instrument, attempt);
    }
    if (attempt.cancelTimer !== undefined) return;
    if (clock.monotonicUs() - attempt.startedUs > policy.bookStableMs * 1000) attempt.count = 0;
    const waitMs = backoffDelayMs({
      attempt: attempt.count - 1,
      limits: { baseMs: policy.snapshotBackoffBaseMs, maxMs: policy.snapshotBackoffMsMax },
      random,
    });
    attempt.count += 1;
    if (attempt.count === 1) {
      this.#start(instrument, attempt);
    } else {
      // Asked again at once, the venue would answer with the same old book.
      const delayMs = Math.max(waitMs, policy.snapshotBackoffBaseMs / 2);
      attempt.cancelTimer = clock.after(delayMs, () => this.#start(instrument, attempt));
    }
  }

  /** The snapshot came. */
  onSnapshot(instrument: Instrument): void {
    const attempt = this.#attempts.get(instrument);
    attempt?.cancelTimer?.();
    if (attempt !== undefined) attempt.cancelTimer = undefined;
  }

  /** The book is not wanted any more. */
  forget(instrument: Instrument): void {
    this.#attempts.get(instrument)?.cancelTimer?.();
    this.#attempts.delete(instrument);
  }

  /** Forgets what is under way: a new connection subscribes everything anyway. */
  clear(): void {
    for (const attempt of this.#attempts.values()) {
      attempt.cancelTimer?.();
      attempt.cancelTimer = undefined;
    }
  }

  #start(instrument: Instrument, attempt: Attempt): void {
    const { clock, policy } = this.#options;
    attempt.startedUs = clock.monotonicUs();
    attempt.cancelTimer = clock.after(policy.inBandSnapshotTimeoutMs, () => {
      attempt.cancelTimer = undefined;
      this.request(instrument);
    });
    this.#options.ask(instrument);
  }
}
