import { setImmediate } from "node:timers";

/** A handler of the gateway threw, which is our own bug; `cause` is what it threw. */
class HandlerError extends Error {
  constructor(callback: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${callback} of a transport's handler threw: ${reason}`, { cause });
    this.name = "HandlerError";
  }
}

/**
 * What stands between a transport and the handlers of the gateway. A handler that throws has left
 * the gateway's state as nobody foresaw, so the process must end; but not from within a callback of
 * a library, which would be left half-way through its own work.
 */
export class HandlerGuard {
  #failed = false;

  /** Whether a handler has thrown. From then on no handler may be called. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Throws `error` again as an uncaught exception, outside of the callback. Only the first. */
  fail(callback: string, error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    setImmediate(() => {
      throw new HandlerError(callback, error);
    });
  }
}
