import { RpcError, type RpcErrorCode } from "../errors.ts";
import { LateCode } from "../host/late-code.ts";
import type { BareSession, ClientSession } from "../session/client-session.ts";
import type { SessionLink } from "../session/session-part.ts";
import type { CallLimits } from "./call-limits.ts";
import type { CallOptions } from "./call-options.ts";
import type { Calls } from "./calls.ts";
import type { ClientCalls, Rpc, RpcMessages } from "./market-data.ts";

/** The methods with one answer. The other one streams. */
const UNARY_NAMES = [
  "listInstruments",
  "getInstrument",
  "getSnapshot",
  "getTrades",
  "getCandles",
  "getStatus",
  "getServerTime",
] as const satisfies readonly (keyof Rpc)[];

type UnaryName = (typeof UNARY_NAMES)[number];

/** What the methods of the client have in common, in both of their forms. */
type Methods = Record<UnaryName, (request: object, options?: CallOptions) => Promise<unknown>> & {
  replay(request: object, options?: CallOptions): AsyncIterable<unknown>;
};

/** Where calls are made, once it is loaded. */
type CallsConstructor = new (link: SessionLink, limits: CallLimits) => Calls;

/**
 * The calls of a client whose code comes with the first of them. What a call promises holds from
 * the moment that it is made: its deadline, its signal and the end of the client end it while the
 * code is still on its way. If the code cannot be loaded, the call fails with `unavailable`.
 */
export class LateCalls implements ClientCalls {
  readonly rpc: Rpc;
  readonly rpcMessages: RpcMessages;
  readonly #session: ClientSession;
  readonly #limits: CallLimits;
  readonly #code: LateCode<CallsConstructor>;
  #calls: Calls | undefined;

  constructor(session: ClientSession, limits: CallLimits, load = loadCalls) {
    this.#session = session;
    this.#limits = limits;
    this.#code = new LateCode(load, session.link);
    this.rpc = this.#methods((calls) => calls.rpc as unknown as Methods) as unknown as Rpc;
    this.rpcMessages = this.#methods(
      (calls) => calls.rpcMessages as unknown as Methods,
    ) as unknown as RpcMessages;
  }

  #methods(formOf: (calls: Calls) => Methods): Methods {
    const unary = UNARY_NAMES.map((name) => [
      name,
      (request: object, options?: CallOptions) =>
        this.#calls === undefined
          ? this.#callLater(formOf, name, request, options)
          : formOf(this.#calls)[name](request, options),
    ]);
    return {
      ...(Object.fromEntries(unary) as Omit<Methods, "replay">),
      replay: (request, options) =>
        this.#calls === undefined
          ? this.#streamLater(formOf, request, options)
          : formOf(this.#calls).replay(request, options),
    };
  }

  async #callLater(
    formOf: (calls: Calls) => Methods,
    name: UnaryName,
    request: object,
    options: CallOptions = {},
  ): Promise<unknown> {
    const { timeoutMs = this.#limits.callTimeoutMs } = options;
    const [calls, left] = await this.#loaded(name, { ...options, timeoutMs });
    return formOf(calls)[name](request, left);
  }

  async *#streamLater(
    formOf: (calls: Calls) => Methods,
    request: object,
    options: CallOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    const [calls, left] = await this.#loaded("replay", options);
    yield* formOf(calls).replay(request, left);
  }

  /** The calls, and the options with the time that is left to this one. */
  async #loaded(
    name: keyof Rpc,
    options: CallOptions,
  ): Promise<readonly [calls: Calls, left: CallOptions]> {
    const { clock } = this.#session.link;
    const begunUs = clock.nowUs();
    const calls = await this.#load(name, options);
    const { timeoutMs } = options;
    // What is no time at all is for the calls to refuse.
    if (timeoutMs === undefined || !(timeoutMs > 0)) return [calls, options];
    const leftMs = timeoutMs - (clock.nowUs() - begunUs) / 1_000;
    return [calls, { ...options, timeoutMs: Math.max(1, leftMs) }];
  }

  #load(name: keyof Rpc, { timeoutMs, signal }: CallOptions): Promise<Calls> {
    const session = this.#session;
    const fullName = `tickwire.v1.MarketData/${name.replace(/^./, (first) => first.toUpperCase())}`;
    return new Promise((resolve, reject) => {
      const fail = (code: RpcErrorCode, message: string, cause: unknown, retryable = false) => {
        release();
        const where = { method: fullName, sent: false };
        reject(new RpcError(code, message, { ...where, cause, retryable }));
      };
      const onAbort = () => fail("cancelled", "aborted", signal?.reason);
      const onState = () => {
        if (session.state !== "closed") return;
        const code = session.endError === undefined ? "cancelled" : "unavailable";
        fail(code, "the client is closed", session.closedBy);
      };
      const cancelTimer =
        timeoutMs !== undefined && timeoutMs > 0
          ? session.link.clock.after(timeoutMs, () => {
              const message = `no answer within timeoutMs ${timeoutMs}`;
              fail("deadline-exceeded", message, undefined, true);
            })
          : () => undefined;
      const stopWatching = session.onState(onState);
      const release = () => {
        cancelTimer();
        stopWatching();
        signal?.removeEventListener("abort", onAbort);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      onState();
      if (signal?.aborted === true) onAbort();
      Promise.all([this.#code.get(), session.whole()]).then(
        ([loaded, whole]) => {
          release();
          resolve(this.#begin(loaded, whole));
        },
        (cause: unknown) =>
          fail("unavailable", "the code of calls could not be loaded", cause, true),
      );
    });
  }

  /** Once for all who waited. */
  #begin(CallsOfSession: CallsConstructor, session: BareSession): Calls {
    if (this.#calls === undefined) {
      this.#calls = new CallsOfSession(session.link, this.#limits);
      session.carry(this.#calls);
    }
    return this.#calls;
  }
}

async function loadCalls(): Promise<CallsConstructor> {
  return (await import("./calls.ts")).Calls;
}
