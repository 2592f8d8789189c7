import { quotedText } from "#core/visible-text.ts";
import type { Principal } from "../access/principal.ts";
import { accountFor } from "../rpc/call-outcome.ts";
import type { CallAccount } from "../rpc/call-outcome.ts";
import { CallScope, effectiveTimeoutMs } from "../rpc/call-scope.ts";
import { requireCall } from "../rpc/permissions.ts";
import { readRequest } from "../rpc/request-checks.ts";
import { RpcError, toRpcError } from "../rpc/rpc-error.ts";
import { tooExpensive } from "../rpc/work-price.ts";
import { oneStep } from "../turns/turns.ts";
import type { TurnLine } from "../turns/turns.ts";
import type { BoundMethod, RpcContext, ServiceTable } from "../rpc/service-table.ts";

/** A Call of the schema, as far as it is needed. */
type CallRequest = {
  readonly callId: number;
  readonly method: string;
  readonly request: Uint8Array;
  readonly timeoutMs: number;
  readonly credits: number;
  readonly metadata: Readonly<Record<string, string>>;
};

/** How replies leave. Called synchronously, never after `closeAll`. */
export type CallReplies = {
  /** Bytes of replies that the client has not taken yet. */
  readonly waitingBytes: number;
  /** A response; the last one of a unary call. */
  response(callId: number, response: Uint8Array, last: boolean): void;
  /** The call's end; undefined is success. */
  end(callId: number, error: RpcError | undefined): void;
};

/** What calls need of the gateway. */
type CallTableParts = CallAccount & {
  readonly services: ServiceTable;
  readonly limits: {
    readonly concurrentCallsMax: number;
    readonly callTimeoutMs: number;
    readonly callTimeoutMsMax: number;
    readonly streamTimeoutMsMax: number;
    readonly requestsPerSecondMax: number;
    readonly outboundBytesMax: number;
  };
  readonly line: TurnLine;
  /** Whether so many requests more may be asked for now. What is granted is used up. */
  readonly takeRequests: (requests: number) => boolean;
  readonly remoteAddress: string;
  /** Who calls, as he is now. */
  readonly principal: () => Principal;
};

/** More credits than a stream can use; the count must not grow without end. */
const CREDITS_MAX = 2 ** 31;
/** By then, one of the calls under way has mostly ended. */
const SLOT_RETRY_AFTER_MS = 250;
/** By then, a client that reads has taken some of what waits. */
const REPLIES_RETRY_AFTER_MS = 1_000;

/** Lets a stream send as many responses as the client has granted. */
class CreditGate {
  #credits: number;
  #wake: (() => void) | undefined;

  constructor(credits: number) {
    this.#credits = credits;
  }

  add(credits: number): void {
    this.#credits = Math.min(this.#credits + credits, CREDITS_MAX);
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Resolves when one credit was there to be taken. */
  async take(): Promise<void> {
    while (this.#credits === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#credits -= 1;
  }
}

type ActiveCall = { readonly scope: CallScope; readonly credits: CreditGate };

/** The calls of one session. Each ends with exactly one last reply, unless the session is gone. */
export class CallTable {
  readonly #parts: CallTableParts;
  readonly #replies: CallReplies;
  readonly #active = new Map<number, ActiveCall>();
  #lastCallId = 0;
  #closed = false;

  constructor(parts: CallTableParts, replies: CallReplies) {
    this.#parts = parts;
    this.#replies = replies;
  }

  get active(): number {
    return this.#active.size;
  }

  /**
   * Starts a call. False if its id is not higher than every id before: the client breaks the
   * protocol.
   */
  start(call: CallRequest): boolean {
    if (!this.#isNext(call)) return false;
    const method = this.#parts.services.byFullName.get(call.method);
    if (method === undefined) {
      this.#refuse(
        call,
        new RpcError("unimplemented", `there is no method ${quotedText(call.method)}`),
      );
      return true;
    }
    const { concurrentCallsMax } = this.#parts.limits;
    if (this.#active.size >= concurrentCallsMax) {
      const message = `more than concurrentCallsMax ${concurrentCallsMax} calls at once`;
      const detail = { reason: "TOO_MANY_CALLS", retryAfterMs: SLOT_RETRY_AFTER_MS };
      this.#refuse(call, new RpcError("resource_exhausted", message, { detail }));
      return true;
    }
    const { outboundBytesMax } = this.#parts.limits;
    if (this.#replies.waitingBytes > outboundBytesMax) {
      const message = `replies of more than outboundBytesMax ${outboundBytesMax} bytes wait`;
      const detail = { reason: "REPLIES_WAIT", retryAfterMs: REPLIES_RETRY_AFTER_MS };
      this.#refuse(call, new RpcError("resource_exhausted", message, { detail }));
      return true;
    }
    const timeoutMs = effectiveTimeoutMs(method.kind, call.timeoutMs, this.#parts.limits);
    const scope = new CallScope(this.#parts.clock, timeoutMs);
    const active = { scope, credits: new CreditGate(call.credits) };
    this.#active.set(call.callId, active);
    // It replies every outcome itself, and rejects only if we have a bug: then the process ends.
    void this.#run(method, call, active);
    return true;
  }

  /** Answers a call with an error in place of serving it. The same rule of ids holds. */
  refuse(call: CallRequest, error: RpcError): boolean {
    if (!this.#isNext(call)) return false;
    this.#refuse(call, error);
    return true;
  }

  /**
   * Ends a call with `canceled`. An id that has ended (or never was) is ignored: the end may be
   * under way.
   */
  cancel(callId: number): void {
    this.#active.get(callId)?.scope.end(new RpcError("canceled", "cancelled by the client"));
  }

  /** Lets a stream go on. Ignored where there is none. */
  credit(callId: number, credits: number): void {
    this.#active.get(callId)?.credits.add(credits);
  }

  /** The session is gone: aborts everything and replies nothing more. Idempotent. */
  closeAll(): void {
    this.#closed = true;
    if (this.#active.size > 0) {
      const gone = new RpcError("canceled", "the client is gone");
      for (const { scope } of this.#active.values()) scope.end(gone);
      this.#active.clear();
    }
    this.#parts.line.clear();
  }

  async #run(method: BoundMethod, call: CallRequest, active: ActiveCall): Promise<void> {
    const startedUs = this.#parts.clock.monotonicUs();
    const context: RpcContext = {
      signal: active.scope.signal,
      remoteAddress: this.#parts.remoteAddress,
      principal: this.#parts.principal(),
      metadata: lowerCased(call.metadata),
      line: this.#parts.line,
      spend: (requests) => {
        const { limits, takeRequests } = this.#parts;
        if (!takeRequests(requests)) throw tooExpensive(limits.requestsPerSecondMax);
      },
    };
    let failure: { readonly error: unknown } | undefined;
    try {
      // Before anything is made of what the client sends.
      requireCall(context.principal, method.name);
      const request = readRequest(method.request, () => method.request.decode(call.request));
      if (method.kind === "unary") {
        const response = await active.scope.race(method.handle(request, context));
        await this.#respond(call, method, { response, last: true }, active);
      } else {
        await this.#stream(method.handle(request, context), method, call, active);
      }
    } catch (error) {
      failure = { error };
    }
    active.scope.close();
    this.#active.delete(call.callId);
    accountFor(this.#parts, { method, carrier: "socket", startedUs }, failure);
    if (this.#closed) return;
    if (failure !== undefined) this.#replies.end(call.callId, toRpcError(failure.error));
    else if (method.kind === "server-streaming") this.#replies.end(call.callId, undefined);
  }

  async #stream(
    responses: AsyncIterable<unknown>,
    method: BoundMethod,
    call: CallRequest,
    active: ActiveCall,
  ): Promise<void> {
    const iterator = responses[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await active.scope.race(iterator.next());
        if (next.done === true) return;
        await active.scope.race(active.credits.take());
        await this.#respond(call, method, { response: next.value, last: false }, active);
      }
    } finally {
      // Not awaited: a generator that ignores the signal would hold the call open. It ends when it
      // wakes.
      iterator.return?.().catch(() => undefined);
    }
  }

  /** Encodes the response in its turn, and replies. */
  async #respond(
    call: CallRequest,
    method: BoundMethod,
    { response, last }: { readonly response: unknown; readonly last: boolean },
    { scope }: ActiveCall,
  ): Promise<void> {
    const encode = oneStep(() => {
      const bytes = method.response.encode(response as never);
      if (!this.#closed) this.#replies.response(call.callId, bytes, last);
    });
    await scope.race(this.#parts.line.run(encode));
  }

  #isNext({ callId }: CallRequest): boolean {
    if (callId <= this.#lastCallId) return false;
    this.#lastCallId = callId;
    return true;
  }

  #refuse(call: CallRequest, error: RpcError): void {
    // A name that the schema does not have is no label.
    const method = this.#parts.services.byFullName.get(call.method)?.name ?? "unknown";
    this.#parts.metrics.calls.inc({ method, carrier: "socket", code: error.code });
    this.#replies.end(call.callId, error);
  }
}

function lowerCased(metadata: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}
