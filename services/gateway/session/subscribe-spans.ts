import type { Span, Tracing } from "#core/tracing.ts";

/** Requests of one session whose spans are open at once; those beyond it have none. */
const OPEN_MAX = 100;

/** The spans of one session's subscribe requests: each from the request to its whole answer. */
export class SubscribeSpans {
  readonly #tracing: Tracing;
  readonly #sessionId: string;
  readonly #open = new Map<number, Span>();

  constructor(tracing: Tracing, sessionId: string) {
    this.#tracing = tracing;
    this.#sessionId = sessionId;
  }

  /**
   * Begins the span of a request and does its work. What of it is done in later turns of the event
   * loop, because it is long, is no part of the span.
   */
  begin(request: { readonly requestId: number; readonly topics: number }, work: () => void): void {
    const { requestId, topics } = request;
    if (this.#open.size >= OPEN_MAX || this.#open.has(requestId)) {
      work();
      return;
    }
    const attributes = { "tickwire.session": this.#sessionId, "tickwire.topics": topics };
    const span = this.#tracing.start("subscribe", { kind: "server", attributes });
    this.#open.set(requestId, span);
    span.within(work);
  }

  /** The last part of the answer was given. */
  answered(requestId: number): void {
    this.#open.get(requestId)?.end();
    this.#open.delete(requestId);
  }

  /** The session is over, and answers nothing more. Idempotent. */
  close(): void {
    for (const span of this.#open.values()) span.end({ message: "the session is over" });
    this.#open.clear();
  }
}
