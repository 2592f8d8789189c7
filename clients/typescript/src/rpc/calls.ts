import { CallCodec, CancelCodec, CreditCodec, ReplyCodec } from "@tickwire/proto/messages";
import {
  createMarketDataClient,
  type MessageInit,
  type RpcMethod,
  type ServerStreamMethod,
  type UnaryMethod,
} from "@tickwire/proto/service";
import { RpcError, type ConnectionError, type RpcErrorCode } from "../errors.ts";
import type { Limits } from "../session/connection.ts";
import type { ClientMessage, ServerMessage } from "../session/frame.ts";
import type { OldConnection, SessionLink, SessionPart } from "../session/session-part.ts";
import {
  assertCallOptions,
  decodeResponse,
  encodeRequest,
  errorOfStatus,
  failure,
  whereOf,
} from "./call-errors.ts";
import { interceptStream, interceptUnary } from "./call-chain.ts";
import type { CallMethod, InterceptedCall } from "./call-chain.ts";
import type { CallLimits } from "./call-limits.ts";
import type { CallOptions } from "./call-options.ts";
import { marketDataRpc, type ClientCalls, type Rpc, type RpcMessages } from "./market-data.ts";
import { ResponseQueue } from "./response-queue.ts";

type Reply = Extract<ServerMessage, { kind: "reply" }>["value"];

/** What a call knows of its method once the request is encoded. */
type CalledMethod = Pick<RpcMethod<unknown, unknown>, "fullName" | "idempotent">;

/** One call, waiting or under way. */
type Call = {
  readonly method: CalledMethod;
  readonly request: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly credits: number;
  readonly deadlineUs: number | undefined;
  /** 0 while it waits. */
  callId: number;
  respond(bytes: Uint8Array): void;
  /** Called once; undefined is success. */
  finish(error: RpcError | undefined): void;
  release: () => void;
};

const CONCURRENT_CALLS_DEFAULT = 16;
const STREAM_CREDITS = 16;
// Cancels and credits answer the gateway, which counts them as a tenth of a request.
const COST_OF_ANSWER = 0.1;

/** The calls of one client over any number of connections. */
export class Calls implements SessionPart, ClientCalls {
  /** The typed methods. */
  readonly rpc: Rpc;
  /** The same with messages as the schema has them. */
  readonly rpcMessages: RpcMessages;
  readonly members = {
    outbound: { "4mcall": CallCodec, "5mcancel": CancelCodec, "6mcredit": CreditCodec },
    inbound: { "4mreply": ReplyCodec },
  };
  readonly #link: SessionLink;
  readonly #limits: CallLimits;
  readonly #waiting = new Set<Call>();
  #active = new Map<number, Call>();
  /** Those that were under way when another connection took over, which end on the old one. */
  #leaving = new Map<number, Call>();
  #old: OldConnection | undefined;
  #concurrentMax = 0;
  #nextCallId = 1;
  #closed: { readonly code: RpcErrorCode; readonly cause: unknown } | undefined;

  constructor(link: SessionLink, limits: CallLimits) {
    this.#link = link;
    this.#limits = limits;
    this.rpcMessages = createMarketDataClient<CallOptions>(
      (method, request, options = {}) => {
        const timeoutMs = options.timeoutMs ?? limits.callTimeoutMs;
        const call = this.#intercepted(method, request as object, { ...options, timeoutMs });
        return interceptUnary(limits.interceptors, call, (given) =>
          this.#unary(method, given.request as typeof request, given.options),
        );
      },
      (method, request, options = {}) => {
        const call = this.#intercepted(method, request as object, options);
        return interceptStream(limits.interceptors, call, (given) =>
          this.#stream(method, given.request as typeof request, given.options),
        );
      },
    );
    this.rpc = marketDataRpc(this.rpcMessages);
  }

  /** A connection is ready. */
  handleConnected({ concurrentCallsMax }: Limits): void {
    this.#concurrentMax = concurrentCallsMax || CONCURRENT_CALLS_DEFAULT;
    this.#nextCallId = 1;
    this.#startWaiting();
  }

  /** What was sent is lost, whatever became of it; what was not waits for the next connection. */
  handleDisconnected(error: ConnectionError): void {
    this.#concurrentMax = 0;
    this.#lose(this.#active, error);
  }

  /** Another connection takes over: what is under way ends on the old one. */
  handleMoved(old: OldConnection): void {
    this.#old = old;
    this.#leaving = this.#active;
    this.#active = new Map();
  }

  /** Whether a call is still under way on the old connection. */
  get needsOld(): boolean {
    return this.#leaving.size > 0;
  }

  /** A reply to a call that is under way on the old connection. */
  handleOldMessage(message: ServerMessage): void {
    if (message.kind === "reply") this.#handleReply(this.#leaving, message.value);
  }

  /** The old connection is gone, and what was still under way on it is lost. */
  handleOldEnded(error: ConnectionError): void {
    this.#lose(this.#leaving, error);
    this.#old = undefined;
  }

  #lose(calls: ReadonlyMap<number, Call>, error: ConnectionError): void {
    for (const call of calls.values()) {
      const message = `${error.message}; the call may have been executed`;
      this.#end(call, failure(call, "unavailable", message, { cause: error, retryable: true }));
    }
  }

  /** Of all messages, only replies are for calls. */
  handleMessage(message: ServerMessage): void {
    if (message.kind === "reply") this.#handleReply(this.#active, message.value);
  }

  #handleReply(calls: ReadonlyMap<number, Call>, reply: Reply): void {
    // A reply may come after its call was cancelled.
    const call = calls.get(reply.callId);
    if (call === undefined) return;
    if (reply.response !== undefined) call.respond(reply.response);
    if (reply.status !== undefined) this.#end(call, errorOfStatus(call, reply.status));
  }

  /** Rejects everything, now and from now on. */
  close(cause: ConnectionError, isFailure: boolean): void {
    const code = isFailure ? "unavailable" : "cancelled";
    this.#closed = { code, cause };
    this.#concurrentMax = 0;
    for (const call of [...this.#leaving.values(), ...this.#active.values(), ...this.#waiting]) {
      this.#end(call, failure(call, code, "the client is closed", { cause }));
    }
  }

  #intercepted(method: CallMethod, request: object, options: CallOptions): InterceptedCall {
    const { clock, random } = this.#link;
    const { fullName, idempotent } = method;
    return { method: { fullName, idempotent }, request, options, clock, random };
  }

  async #unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: MessageInit<Request>,
    options: CallOptions,
  ): Promise<Response> {
    assertCallOptions(method, options);
    const encoded = encodeRequest(method, request);
    const response = await new Promise<Uint8Array | undefined>((resolve, reject) => {
      let received: Uint8Array | undefined;
      this.#begin(method, encoded, options, 0, {
        respond: (bytes) => {
          received = bytes;
        },
        finish: (error) => (error === undefined ? resolve(received) : reject(error)),
      });
    });
    if (response === undefined) {
      throw new RpcError(
        "internal",
        "the gateway reported success without a response",
        whereOf(method),
      );
    }
    return decodeResponse(method, response);
  }

  async *#stream<Request, Response>(
    method: ServerStreamMethod<Request, Response>,
    request: MessageInit<Request>,
    options: CallOptions,
  ): AsyncGenerator<Response, void, undefined> {
    assertCallOptions(method, options);
    const encoded = encodeRequest(method, request);
    const queue = new ResponseQueue(STREAM_CREDITS, (credits) => {
      if (call.callId === 0) return;
      this.#answer(call, { kind: "credit", value: { callId: call.callId, credits } });
    });
    const call = this.#begin(method, encoded, options, STREAM_CREDITS, {
      respond: (bytes) => {
        if (queue.push(bytes)) return;
        this.#cancel(call, "internal", "the gateway sent more responses than it had credits for");
      },
      finish: (error) => queue.end(error),
    });
    try {
      for (let bytes = await queue.next(); bytes !== undefined; bytes = await queue.next()) {
        yield decodeResponse(method, bytes);
      }
    } finally {
      this.#cancel(call, "cancelled", "the loop was left");
    }
  }

  #begin(
    method: CalledMethod,
    request: Uint8Array,
    options: CallOptions,
    credits: number,
    handlers: Pick<Call, "respond" | "finish">,
  ): Call {
    const { timeoutMs, signal } = options;
    const { clock } = this.#link;
    const { callsQueuedMax } = this.#limits;
    const call: Call = {
      method,
      request,
      metadata: options.metadata ?? {},
      credits,
      deadlineUs: timeoutMs === undefined ? undefined : clock.nowUs() + timeoutMs * 1_000,
      callId: 0,
      release: () => undefined,
      ...handlers,
    };
    this.#waiting.add(call);
    if (this.#closed !== undefined) {
      const { code, cause } = this.#closed;
      this.#end(call, failure(call, code, "the client is closed", { cause }));
    } else if (signal?.aborted === true) {
      this.#end(call, failure(call, "cancelled", "aborted", { cause: signal.reason }));
    } else {
      this.#guard(call, timeoutMs, signal);
      this.#startWaiting();
      if (this.#waiting.has(call) && this.#waiting.size > callsQueuedMax) {
        const message = `call ${this.#waiting.size} exceeds callsQueuedMax ${callsQueuedMax}`;
        this.#end(call, failure(call, "resource-exhausted", message, { retryable: true }));
      }
    }
    return call;
  }

  /** Deadline and abort, released when the call ends. */
  #guard(call: Call, timeoutMs: number | undefined, signal: AbortSignal | undefined): void {
    const onAbort = () => this.#cancel(call, "cancelled", "aborted", signal?.reason);
    const cancelTimer =
      timeoutMs === undefined
        ? () => undefined
        : this.#link.clock.after(timeoutMs, () =>
            this.#cancel(call, "deadline-exceeded", `no answer within timeoutMs ${timeoutMs}`),
          );
    signal?.addEventListener("abort", onAbort, { once: true });
    call.release = () => {
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
    };
  }

  #hasFreeSlot(): boolean {
    return this.#active.size < this.#concurrentMax;
  }

  readonly #startWaiting = (): void => {
    const { pacer } = this.#link;
    for (const call of this.#waiting) {
      if (!this.#hasFreeSlot()) return;
      if (!pacer.take()) {
        pacer.whenReady(this.#startWaiting);
        return;
      }
      this.#waiting.delete(call);
      call.callId = this.#nextCallId++;
      this.#active.set(call.callId, call);
      this.#link.send([{ kind: "call", value: this.#wireCall(call) }]);
    }
  };

  #wireCall(call: Call) {
    const { callId, request, credits, metadata, deadlineUs } = call;
    const leftMs =
      deadlineUs === undefined
        ? 0
        : Math.max(1, Math.ceil((deadlineUs - this.#link.clock.nowUs()) / 1_000));
    return { callId, method: call.method.fullName, request, timeoutMs: leftMs, credits, metadata };
  }

  /** Ends a call from this side. Does nothing if it is over. */
  #cancel(call: Call, code: RpcErrorCode, message: string, cause?: unknown): void {
    const { callId } = call;
    const isActive = this.#active.get(callId) === call || this.#leaving.get(callId) === call;
    if (!isActive && !this.#waiting.has(call)) return;
    const retryable = code === "deadline-exceeded" && call.method.idempotent;
    // While it is known on which connection the call is.
    if (isActive) this.#answer(call, { kind: "cancel", value: { callId } });
    this.#end(call, failure(call, code, message, { cause, retryable }));
  }

  /** Tells the gateway something about a call, on the connection that it is on. */
  #answer(call: Call, message: ClientMessage): void {
    if (this.#leaving.get(call.callId) === call) {
      this.#old?.send([message]);
      return;
    }
    this.#link.pacer.charge(COST_OF_ANSWER);
    this.#link.send([message]);
  }

  #end(call: Call, error: RpcError | undefined): void {
    this.#waiting.delete(call);
    for (const calls of [this.#active, this.#leaving]) {
      if (calls.get(call.callId) === call) calls.delete(call.callId);
    }
    call.release();
    call.finish(error);
    this.#startWaiting();
  }
}
