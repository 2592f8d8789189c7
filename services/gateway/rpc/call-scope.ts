import type { Clock } from "#core/clock.ts";
import { RpcError } from "./rpc-error.ts";

/**
 * The life of one call: a signal that is aborted with an RpcError when the deadline passes or the
 * call is cancelled, and a promise that rejects with it, so that a handler that ignores the signal
 * still ends.
 */
export class CallScope {
  readonly #abort = new AbortController();
  readonly #cancelTimer: () => void;
  readonly #ended: Promise<never>;
  #reject: (error: RpcError) => void = () => {};

  constructor(clock: Clock, timeoutMs: number) {
    this.#ended = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    // A call that ends well leaves nobody to hear of a later end.
    this.#ended.catch(() => undefined);
    this.#cancelTimer = clock.after(timeoutMs, () => {
      this.end(new RpcError("deadline_exceeded", `no answer within ${timeoutMs} ms`));
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Settles as `work` does, or rejects with what ended the call before. */
  race<T>(work: T | Promise<T>): Promise<T> {
    return Promise.race([work, this.#ended]);
  }

  /** Ends the call with an error. Later calls do nothing. */
  end(error: RpcError): void {
    this.#cancelTimer();
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(error);
    this.#reject(error);
  }

  /** The call is answered; the deadline no longer matters. */
  close(): void {
    this.#cancelTimer();
  }
}

/** What may be configured of deadlines. */
type Deadlines = {
  readonly callTimeoutMs: number;
  readonly callTimeoutMsMax: number;
  readonly streamTimeoutMsMax: number;
};

/**
 * The deadline that applies: what the client asked for within the maximum, or the default. An
 * answer that streams has its maximum for a default: that it goes on is no sign of trouble.
 */
export function effectiveTimeoutMs(
  kind: "unary" | "server-streaming",
  askedMs: number,
  limits: Deadlines,
): number {
  const { callTimeoutMs, callTimeoutMsMax, streamTimeoutMsMax } = limits;
  const max = kind === "unary" ? callTimeoutMsMax : streamTimeoutMsMax;
  const fallback = kind === "unary" ? callTimeoutMs : streamTimeoutMsMax;
  return askedMs === 0 ? fallback : Math.min(askedMs, max);
}
