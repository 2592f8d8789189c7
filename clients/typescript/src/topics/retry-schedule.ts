import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import type { ClientClock } from "../host/environment.ts";

/** A topic that was not asked for again for this long is asked for at once. */
const CALM_MS = 10_000;
/** After so many of the longest waits without trouble, waits are short again. */
const CALM_BACKOFFS = 2;

type Attempts = { readonly count: number; readonly lastUs: number };

/** What a schedule is made with. */
type RetryScheduleOptions = {
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly backoff: BackoffOptions;
};

/** When topics are asked for again: each on its own, and the longer the more often it was. */
export class RetrySchedule {
  readonly #options: RetryScheduleOptions;
  readonly #attempts = new Map<string, Attempts>();
  readonly #timers = new Set<() => void>();

  constructor(options: RetryScheduleOptions) {
    this.#options = options;
  }

  /** Runs `action` now if the topic has been calm, else as `later` does. */
  soon(topic: string, action: () => void): void {
    const last = this.#attempts.get(topic);
    const nowUs = this.#options.clock.nowUs();
    if (last !== undefined && nowUs - last.lastUs <= CALM_MS * 1_000) {
      this.later(topic, action);
      return;
    }
    this.#attempts.set(topic, { count: 0, lastUs: nowUs });
    action();
  }

  /**
   * Runs `action` after a back-off that grows with every use for the same topic, if still
   * connected.
   */
  later(topic: string, action: () => void): void {
    const { clock, backoff, random } = this.#options;
    const last = this.#attempts.get(topic);
    const nowUs = clock.nowUs();
    const isCalm =
      last === undefined || nowUs - last.lastUs > CALM_BACKOFFS * backoff.maxMs * 1_000;
    const count = isCalm ? 0 : last.count;
    this.#attempts.set(topic, { count: count + 1, lastUs: nowUs });
    const cancel = clock.after(backoffDelayMs(count, backoff, random), () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }

  /** The topic is wanted no more. */
  forget(topic: string): void {
    this.#attempts.delete(topic);
  }

  /** Runs nothing of what waits. */
  cancelAll(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
