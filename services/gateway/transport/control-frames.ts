/** Pings and pongs of one client that are served: more than any client sends to stay connected. */
const PER_SECOND_MAX = 50;
const BURST_MAX = 200;

/** What a client that sends more is closed with, by RFC 6455. */
export const TOO_MANY_PINGS = { code: 1008, reason: "more pings and pongs than anybody needs" };

/**
 * Limits the pings and pongs of one connection. They never reach the session, so no request of it
 * pays for them, and each is answered.
 */
export class ControlFrames {
  readonly #nowMs: () => number;
  #tokens = BURST_MAX;
  #filledAtMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#filledAtMs = nowMs();
  }

  /** Counts one more. False if it is one too many. */
  take(): boolean {
    // Time is looked at when tokens run out, because nearly nobody ever runs out of them.
    if (this.#tokens < 1) this.#fill();
    this.#tokens -= 1;
    return this.#tokens >= 0;
  }

  /** We have sent a ping, and its pong is no flood. */
  expectPong(): void {
    if (this.#tokens < BURST_MAX) this.#tokens += 1;
  }

  #fill(): void {
    const nowMs = this.#nowMs();
    const added = Math.floor(((nowMs - this.#filledAtMs) / 1_000) * PER_SECOND_MAX);
    this.#tokens = Math.min(BURST_MAX, this.#tokens + added);
    this.#filledAtMs = nowMs;
  }
}
