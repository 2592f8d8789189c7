import type { CancelTimer, Clock } from "#core/clock.ts";
import type { RateLimit } from "../feed-adapter.ts";

/**
 * `background` waits for everything `normal`, and only ever uses half of the limit, so that what
 * is urgent always finds room.
 */
export type RequestPriority = "normal" | "background";

type RequestPacerOptions = {
  readonly limit: RateLimit;
  readonly clock: Clock;
  /** Requests of each priority that may wait; the next one is refused. */
  readonly waitingMax: number;
};

type Waiting = { readonly weight: number; readonly run: () => void };

/**
 * Keeps requests to a venue within its limit: never more than `count` of weight in any
 * `intervalMs`, in the order in which they were submitted. A request heavier than the whole limit
 * goes out alone. Pausing holds everything back, which is what a venue's 418 asks for.
 */
export class RequestPacer {
  #limit: RateLimit;
  readonly #clock: Clock;
  readonly #waitingMax: number;
  /** What was spent in the last interval, oldest first. */
  #spent: { readonly atUs: number; readonly weight: number }[] = [];
  #spentWeight = 0;
  #waiting: Waiting[] = [];
  #background: Waiting[] = [];
  #pausedUntilUs = 0;
  #cancelTimer: CancelTimer | undefined;
  #closed = false;

  constructor(options: RequestPacerOptions) {
    this.#limit = options.limit;
    this.#clock = options.clock;
    this.#waitingMax = options.waitingMax;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** When the pause ends, in microseconds since 1970; in the past if there is none. */
  get pausedUntilUs(): number {
    return this.#pausedUntilUs;
  }

  /**
   * Runs `run` now or as soon as the limit allows. False, and never run, if too many wait or it is
   * closed.
   */
  submit(weight: number, run: () => void, priority: RequestPriority = "normal"): boolean {
    const queue = priority === "normal" ? this.#waiting : this.#background;
    if (this.#closed || queue.length >= this.#waitingMax) return false;
    queue.push({ weight: Math.min(weight, this.#countOf(priority)), run });
    if (queue.length === 1) this.#runAllowed();
    return true;
  }

  /** Counts what goes out at once, without waiting: what is submitted then waits for longer. */
  spend(weight: number): void {
    if (this.#closed) return;
    const nowUs = this.#clock.monotonicUs();
    this.#forgetExpired(nowUs);
    this.#spent.push({ atUs: nowUs, weight });
    this.#spentWeight += weight;
  }

  /** Lets nothing out before this time; a shorter pause does not end a longer one. */
  pauseUntil(timeUs: number): void {
    if (timeUs <= this.#pausedUntilUs) return;
    this.#pausedUntilUs = timeUs;
    this.#runAllowed();
  }

  /** From now on the lower of the two rates holds. */
  tighten(limit: RateLimit): void {
    const rateOf = ({ count, intervalMs }: RateLimit): number => count / intervalMs;
    if (rateOf(limit) < rateOf(this.#limit)) this.#limit = limit;
  }

  /** Forgets what waits. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#background = [];
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #runAllowed(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (;;) {
      const priority = this.#waiting.length > 0 ? "normal" : "background";
      const queue = priority === "normal" ? this.#waiting : this.#background;
      const next = queue[0];
      if (next === undefined) return;
      const nowUs = this.#clock.monotonicUs();
      const waitUs = this.#waitUs(next.weight, this.#countOf(priority), nowUs);
      if (waitUs > 0) {
        this.#cancelTimer = this.#clock.after(Math.ceil(waitUs / 1000), () => this.#runAllowed());
        return;
      }
      queue.shift();
      this.#spent.push({ atUs: nowUs, weight: next.weight });
      this.#spentWeight += next.weight;
      next.run();
    }
  }

  #countOf(priority: RequestPriority): number {
    const { count } = this.#limit;
    return priority === "normal" ? count : Math.max(1, Math.floor(count / 2));
  }

  /** How long a request of this weight has to wait under a limit; 0 if it may go now. */
  #waitUs(weight: number, count: number, nowUs: number): number {
    if (nowUs < this.#pausedUntilUs) return this.#pausedUntilUs - nowUs;
    this.#forgetExpired(nowUs);
    const intervalUs = this.#limit.intervalMs * 1000;
    let excess = this.#spentWeight + weight - count;
    for (const spent of this.#spent) {
      if (excess <= 0) return 0;
      excess -= spent.weight;
      if (excess <= 0) return spent.atUs + intervalUs - nowUs;
    }
    return 0;
  }

  #forgetExpired(nowUs: number): void {
    const intervalUs = this.#limit.intervalMs * 1000;
    let expired = 0;
    for (const spent of this.#spent) {
      if (spent.atUs + intervalUs > nowUs) break;
      this.#spentWeight -= spent.weight;
      expired += 1;
    }
    if (expired > 0) this.#spent.splice(0, expired);
  }
}
