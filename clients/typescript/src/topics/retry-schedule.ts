import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import type { ClientClock } from "../host/environment.ts";

/** A topic that was not asked for again for this long is asked for at once. */
const CALM_MS = 10_000;
/** After so many of the longest waits without trouble, waits are short again. */
const CALM_BACKOFFS = 2;
/** Of its wait, after which a topic goes with others that are due, so that few requests do. */
const JOINS_AFTER_SHARE = 0.5;

type Attempts = { readonly count: number; readonly lastUs: number };

/** When a topic is asked for again: with others from `joinsUs` on, by itself at `dueUs`. */
type Waiting = { readonly joinsUs: number; readonly dueUs: number };

/** What a schedule is made with. */
type RetryScheduleOptions = {
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly backoff: BackoffOptions;
  /** Called with every topic that is to be asked for now, each at most once. */
  readonly onDue: (topics: readonly string[]) => void;
};

/**
 * When topics are asked for again: each on its own, and the longer the more often it was. A topic
 * waits once, however often it is refused meanwhile, so there are never more waits than topics; and
 * those that are due at nearly the same time go together.
 */
export class RetrySchedule {
  readonly #options: RetryScheduleOptions;
  readonly #attempts = new Map<string, Attempts>();
  readonly #waiting = new Map<string, Waiting>();
  #cancelTimer: () => void = () => undefined;
  #timerUs = Number.POSITIVE_INFINITY;

  constructor(options: RetryScheduleOptions) {
    this.#options = options;
  }

  /** Topics that wait. */
  get waiting(): Iterable<string> {
    return this.#waiting.keys();
  }

  /** The topic is due now if it has been calm, else as `later` has it. */
  soon(topic: string): void {
    const last = this.#attempts.get(topic);
    const nowUs = this.#options.clock.nowUs();
    if (last !== undefined && nowUs - last.lastUs <= CALM_MS * 1_000) {
      this.later(topic);
      return;
    }
    this.#attempts.set(topic, { count: 0, lastUs: nowUs });
    this.#waiting.delete(topic);
    this.#options.onDue([topic]);
  }

  /** The topic is due after a back-off that grows with every use, if still connected. */
  later(topic: string): void {
    if (this.#waiting.has(topic)) return;
    const { clock, backoff, random } = this.#options;
    const last = this.#attempts.get(topic);
    const nowUs = clock.nowUs();
    const isCalm =
      last === undefined || nowUs - last.lastUs > CALM_BACKOFFS * backoff.maxMs * 1_000;
    const count = isCalm ? 0 : last.count;
    this.#attempts.set(topic, { count: count + 1, lastUs: nowUs });
    const waitUs = backoffDelayMs(count, backoff, random) * 1_000;
    const dueUs = nowUs + waitUs;
    this.#waiting.set(topic, { joinsUs: nowUs + waitUs * JOINS_AFTER_SHARE, dueUs });
    if (dueUs < this.#timerUs) this.#wakeAt(dueUs);
  }

  /** The topic is asked for in another way: it does not wait any more. */
  asked(topic: string): void {
    this.#waiting.delete(topic);
  }

  /** The topic is wanted no more. */
  forget(topic: string): void {
    this.#attempts.delete(topic);
    this.#waiting.delete(topic);
    if (this.#waiting.size === 0) this.#stop();
  }

  /** Nothing of what waits becomes due. */
  cancelAll(): void {
    this.#waiting.clear();
    this.#stop();
  }

  #wakeAt(dueUs: number): void {
    this.#stop();
    this.#timerUs = dueUs;
    const { clock } = this.#options;
    this.#cancelTimer = clock.after((dueUs - clock.nowUs()) / 1_000, () => this.#wake());
  }

  #wake(): void {
    this.#timerUs = Number.POSITIVE_INFINITY;
    const nowUs = this.#options.clock.nowUs();
    const due: string[] = [];
    let isDue = false;
    for (const [topic, { joinsUs, dueUs }] of this.#waiting) {
      if (joinsUs <= nowUs) due.push(topic);
      if (dueUs <= nowUs) isDue = true;
    }
    if (isDue) {
      for (const topic of due) this.#waiting.delete(topic);
      this.#options.onDue(due);
    }
    this.#wakeForNext();
  }

  #wakeForNext(): void {
    let nextUs = Number.POSITIVE_INFINITY;
    for (const { dueUs } of this.#waiting.values()) nextUs = Math.min(nextUs, dueUs);
    if (nextUs < this.#timerUs) this.#wakeAt(nextUs);
  }

  #stop(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => undefined;
    this.#timerUs = Number.POSITIVE_INFINITY;
  }
}
