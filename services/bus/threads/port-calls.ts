import { assert } from "#core/assert.ts";
import type { PortEnd } from "./thread-messages.ts";

/** Answers a call, or throws what whoever called is told: see CallFailure. */
type CallHandler = (argument: unknown) => unknown;

type CallMessage =
  | {
      readonly kind: "call";
      readonly number: number;
      readonly method: string;
      readonly argument: unknown;
    }
  | { readonly kind: "answer"; readonly number: number; readonly value: unknown }
  | {
      readonly kind: "failure";
      readonly number: number;
      readonly code: string;
      readonly message: string;
    };

/** A call to another thread failed: by what its handler threw, or because the thread has gone. */
export class CallFailure extends Error {
  /** That of the error, or `thread-gone`, or `too-many-calls`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "CallFailure";
    this.code = code;
  }
}

/** Calls without an answer; more are refused. */
const CALLS_MAX = 10_000;

type Waiting = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CallFailure) => void;
};

/** Calls between two threads, in both directions, for what is not the hot path. */
export class PortCalls {
  readonly #port: PortEnd;
  readonly #handlers: ReadonlyMap<string, CallHandler>;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #isClosed = false;

  constructor(port: PortEnd, handlers: ReadonlyMap<string, CallHandler>) {
    this.#port = port;
    this.#handlers = handlers;
    port.on("message", (message) => this.#onMessage(message as CallMessage));
  }

  /** Rejects with CallFailure, and with nothing else. */
  call(method: string, argument?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new CallFailure("thread-gone", "the thread has ended");
      if (this.#waiting.size >= CALLS_MAX) {
        throw new CallFailure("too-many-calls", `${CALLS_MAX} calls have no answer yet`);
      }
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#post({ kind: "call", number: this.#last, method, argument });
    });
  }

  /** Whoever waits is told that the thread has gone. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.close();
    for (const { reject } of this.#waiting.values()) {
      reject(new CallFailure("thread-gone", "the thread has ended"));
    }
    this.#waiting.clear();
  }

  #onMessage(message: CallMessage): void {
    if (message.kind === "call") {
      // It answers a failure, too, and rejects only if we have a bug.
      void this.#answer(message);
      return;
    }
    const waiting = this.#waiting.get(message.number);
    this.#waiting.delete(message.number);
    if (message.kind === "answer") waiting?.resolve(message.value);
    else waiting?.reject(new CallFailure(message.code, message.message));
  }

  async #answer(call: CallMessage & { kind: "call" }): Promise<void> {
    const { number, method, argument } = call;
    const handler = this.#handlers.get(method);
    assert(handler !== undefined, `both threads know the call ${method}`);
    try {
      const value = await handler(argument);
      this.#post({ kind: "answer", number, value });
    } catch (error) {
      const { code = "failed", message = String(error) } = error as {
        code?: string;
        message?: string;
      };
      this.#post({ kind: "failure", number, code: String(code), message });
    }
  }

  #post(message: CallMessage): void {
    if (!this.#isClosed) this.#port.postMessage(message);
  }
}
