/** Allows `perSecond` requests a second on average, and that many at once after a quiet second. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAtUs: number;

  constructor(perSecond: number, nowUs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAtUs = nowUs;
  }

  /** Takes `tokens` if they are there; otherwise takes nothing and returns false. */
  take(tokens: number, nowUs: number): boolean {
    // A clock that was set back must not take tokens away.
    const elapsedSeconds = Math.max(0, nowUs - this.#filledAtUs) / 1e6;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + elapsedSeconds * this.#perSecond);
    this.#filledAtUs = nowUs;
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }
}
