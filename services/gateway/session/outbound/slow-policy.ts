/**
 * How a session reads.
 * - `keeps-up`: nothing to say.
 * - `lags`: it is to be told, once, that it may be closed.
 * - `too-slow`: it is to be closed.
 */
type ReaderVerdict = "keeps-up" | "lags" | "too-slow";

/**
 * Decides what happens to a client that reads too slowly. Late is what is owed besides the starts
 * of subscriptions, because a client that asks for a thousand books at once is not slow. The client
 * is told when more than half of the limit is late, and not again before less than a quarter is
 * owed. Above the limit it is closed.
 */
export class SlowPolicy {
  readonly #outboundBytesMax: number;
  /** Bytes of starts that have not left yet. */
  #startBytes = 0;
  /** Queued since the last flush, starts left out. */
  #newsBytes = 0;
  #lagging = false;

  constructor(outboundBytesMax: number) {
    this.#outboundBytesMax = outboundBytesMax;
  }

  /** Something that is not a start was queued. */
  onNews(bytes: number): void {
    this.#newsBytes += bytes;
  }

  /** Part of the start of a subscription was queued. */
  onStart(bytes: number): void {
    this.#startBytes += bytes;
  }

  /**
   * A flush begins with so much owed. Whatever is owed besides the news is the most that can be
   * left of the starts.
   */
  beginFlush(owedBytes: number): void {
    this.#startBytes = Math.min(this.#startBytes, Math.max(0, owedBytes - this.#newsBytes));
    this.#newsBytes = 0;
  }

  /** A flush ended with so much owed. */
  endFlush(owedBytes: number): ReaderVerdict {
    const lateBytes = owedBytes - Math.min(this.#startBytes, owedBytes);
    if (lateBytes > this.#outboundBytesMax) return "too-slow";
    if (!this.#lagging && lateBytes * 2 > this.#outboundBytesMax) {
      this.#lagging = true;
      return "lags";
    }
    if (this.#lagging && owedBytes * 4 < this.#outboundBytesMax) this.#lagging = false;
    return "keeps-up";
  }
}
