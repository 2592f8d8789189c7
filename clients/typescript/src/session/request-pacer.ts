import type { ClientClock } from "../host/environment.ts";

// The gateway allows a second's worth at once. Half of that, and a little less than its rate, leave
// room for requests that the network holds back and delivers together.
const BURST_SHARE = 0.5;
const RATE_SHARE = 0.9;

/**
 * Keeps the requests of one connection below the gateway's `requestsPerSecondMax`, above which it
 * would close the connection. Who finds no room waits here and is called when there is some.
 */
export class RequestPacer {
  readonly #clock: ClientClock;
  readonly #waiting = new Set<() => void>();
  #perSecond = Number.POSITIVE_INFINITY;
  #burst = Number.POSITIVE_INFINITY;
  #tokens = Number.POSITIVE_INFINITY;
  #filledAtUs = 0;
  #pausedUntilUs = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** A connection is ready. `requestsPerSecondMax` 0 means that the gateway does not say. */
  start(requestsPerSecondMax: number): void {
    this.stop();
    const perSecond = requestsPerSecondMax || Number.POSITIVE_INFINITY;
    this.#perSecond = perSecond * RATE_SHARE;
    this.#burst = Math.max(1, perSecond * BURST_SHARE);
    // The Hello was the first request.
    this.#tokens = Math.min(this.#burst, perSecond - 1);
    this.#filledAtUs = this.#clock.nowUs();
    this.#pausedUntilUs = 0;
  }

  /** The gateway says that nothing more is to come for so long. */
  pause(durationMs: number): void {
    const untilUs = this.#clock.nowUs() + durationMs * 1_000;
    this.#pausedUntilUs = Math.max(this.#pausedUntilUs, untilUs);
  }

  /** The connection is gone, and with it who waits. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#waiting.clear();
  }

  /** Whether a request may go out now; if so, it is counted. */
  take(): boolean {
    this.#fill();
    if (this.#clock.nowUs() < this.#pausedUntilUs) return false;
    // Fractions of tokens are sums of doubles, so a whole token may be missing its last bits.
    if (this.#tokens < 1 - 1e-9) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Counts what goes out in any case; `take()` makes up for it. */
  charge(cost: number): void {
    this.#fill();
    this.#tokens -= cost;
  }

  /** Calls `callback` once when a request may go out; at most one of several may then find room. */
  whenReady(callback: () => void): void {
    this.#waiting.add(callback);
    if (this.#cancelTimer !== undefined) return;
    this.#fill();
    const fillsInMs = this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#perSecond) * 1_000;
    const pausedMs = (this.#pausedUntilUs - this.#clock.nowUs()) / 1_000;
    const delayMs = Math.ceil(Math.max(1, fillsInMs, pausedMs));
    this.#cancelTimer = this.#clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      const callbacks = [...this.#waiting];
      this.#waiting.clear();
      for (const waiting of callbacks) waiting();
    });
  }

  #fill(): void {
    if (this.#tokens === Number.POSITIVE_INFINITY) return;
    const nowUs = this.#clock.nowUs();
    const elapsedSeconds = Math.max(0, nowUs - this.#filledAtUs) / 1e6;
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedSeconds * this.#perSecond);
    this.#filledAtUs = nowUs;
  }
}
