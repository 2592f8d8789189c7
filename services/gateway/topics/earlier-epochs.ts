import type { ByteBudget } from "#core/byte-budget.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { TopicHistory } from "./topic-history.ts";

/** What followed a position of an epoch that is over, up to its end. */
export type EarlierEvents = {
  readonly batches: readonly SharedBatch[];
  /** The last event of the epoch, as far as it was received or logged. */
  readonly ended: TopicPosition;
};

/** Epochs of one topic that are kept; the one that was taken first makes room. */
const EARLIER_EPOCHS_MAX = 4;

type Kept = {
  readonly history: TopicHistory;
  readonly bytes: number;
  readonly isLogged: boolean;
  readonly forget: CancelTimer;
};

/**
 * The ends of earlier epochs of one topic, for clients that were away while its publisher changed:
 * what the gateway had when it did, or the log has. Each is kept for a while, and counted against
 * what all topics may keep.
 */
export class EarlierEpochs {
  readonly #clock: Pick<Clock, "after">;
  readonly #budget: ByteBudget;
  readonly #kept = new Map<number, Kept>();

  constructor(parts: { readonly clock: Pick<Clock, "after">; readonly budget: ByteBudget }) {
    this.#clock = parts.clock;
    this.#budget = parts.budget;
  }

  /** Epochs that are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** Whether `eventsAfter` has something to give. */
  reaches(position: TopicPosition): boolean {
    return this.#kept.get(position.epoch)?.history.reaches(position) ?? false;
  }

  /** Whether what is kept of the epoch is of the log, and not of this gateway. */
  isLogged(epoch: number): boolean {
    return this.#kept.get(epoch)?.isLogged ?? false;
  }

  /** All that followed the position in its epoch; undefined if part of it is not here. */
  eventsAfter(position: TopicPosition): EarlierEvents | undefined {
    const history = this.#kept.get(position.epoch)?.history;
    const start = history?.resume(position);
    return history && start && { batches: start.batches, ended: history.position };
  }

  /**
   * Keeps the end of an epoch for so long, in place of what was kept of it, unless that goes
   * further or there is no memory for it.
   */
  keep(
    history: TopicHistory,
    { forMs, isLogged }: { readonly forMs: number; readonly isLogged: boolean },
  ): void {
    const { epoch, sequence, bytes } = history;
    const known = this.#kept.get(epoch);
    if (known !== undefined) {
      if (known.history.sequence > sequence) return;
      this.#forget(epoch);
    }
    if (!this.#budget.take(bytes)) return;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= EARLIER_EPOCHS_MAX && oldest !== undefined) this.#forget(oldest);
    const forget = this.#clock.after(forMs, () => this.#forget(epoch));
    this.#kept.set(epoch, { history, bytes, isLogged, forget });
  }

  /** Keeps nothing any more. Idempotent. */
  clear(): void {
    for (const epoch of this.#kept.keys()) this.#forget(epoch);
  }

  #forget(epoch: number): void {
    const kept = this.#kept.get(epoch);
    if (kept === undefined) return;
    kept.forget();
    this.#kept.delete(epoch);
    this.#budget.giveBack(kept.bytes);
  }
}
