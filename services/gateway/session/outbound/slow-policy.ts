/**
 * How a session reads.
 * - `keeps-up`: nothing to say.
 * - `lags`: it is to be told, once, that it may be closed; states wait from here on.
 * - `recovers`: it lagged, and does so no more.
 * - `too-slow`: it is to be closed, unless owing it less will do.
 */
type ReaderVerdict = "keeps-up" | "lags" | "recovers" | "too-slow";

/** When a client reads too slowly. */
export type SlowLimits = {
  /** Owed to a client besides the starts of its subscriptions. */
  readonly outboundBytesMax: number;
  /** A client that is this much behind is told. */
  readonly lagNoticeMs: number;
  /** A client that is this much behind is closed. */
  readonly lagMsMax: number;
};

/**
 * Decides what happens to a client that reads too slowly. Late is what is owed besides the starts
 * of subscriptions, because a client that asks for a thousand books at once is not slow. The client
 * is told when more than half of the bytes that it may owe are late, or when it is `lagNoticeMs`
 * behind; and not again before less than a quarter of the bytes is owed and half of that time.
 * Above either limit it is closed.
 */
export class SlowPolicy {
  readonly #limits: SlowLimits;
  /** Bytes of starts that have not left yet. */
  #startBytes = 0;
  /** Queued since the last flush, starts left out. */
  #newsBytes = 0;
  #lagging = false;

  constructor(limits: SlowLimits) {
    this.#limits = limits;
  }

  /** Whether part of a start waits still. */
  get hasStarts(): boolean {
    return this.#startBytes > 0;
  }

  /** Whether the client was told that it lags, and has not recovered. */
  get isLagging(): boolean {
    return this.#lagging;
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

  /**
   * What becomes of a client to which so much is owed, and for so long. `hasRead`: it has read
   * something since it began to lag; that less is owed says nothing, for we gave it up ourselves.
   */
  judge(owedBytes: number, lagMs: number, hasRead = true): ReaderVerdict {
    const { outboundBytesMax, lagNoticeMs, lagMsMax } = this.#limits;
    const lateBytes = owedBytes - Math.min(this.#startBytes, owedBytes);
    if (lateBytes > outboundBytesMax || lagMs > lagMsMax) return "too-slow";
    if (!this.#lagging && (lateBytes * 2 > outboundBytesMax || lagMs > lagNoticeMs)) {
      this.#lagging = true;
      return "lags";
    }
    const isFine = hasRead && owedBytes * 4 < outboundBytesMax && lagMs * 2 < lagNoticeMs;
    if (!this.#lagging || !isFine) return "keeps-up";
    this.#lagging = false;
    return "recovers";
  }
}

/** Which limit a client exceeds that is too slow, and a sentence about it. */
export function exceededLimit(
  { owedBytes, lagMs }: { readonly owedBytes: number; readonly lagMs: number },
  { outboundBytesMax, lagMsMax }: Pick<SlowLimits, "outboundBytesMax" | "lagMsMax">,
): { readonly limit: "lagMsMax" | "outboundBytesMax"; readonly reason: string } {
  if (lagMs > lagMsMax) {
    return { limit: "lagMsMax", reason: `${lagMs} ms behind exceed lagMsMax ${lagMsMax}` };
  }
  const reason = `${owedBytes} bytes waiting exceed outboundBytesMax ${outboundBytesMax}`;
  return { limit: "outboundBytesMax", reason };
}
