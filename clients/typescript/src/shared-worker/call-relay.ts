import { CallCodec, CancelCodec, CreditCodec, ReplyCodec } from "@tickwire/proto/messages";
import type { ConnectionError } from "../errors.ts";
import type { Limits } from "../session/connection.ts";
import type { ClientMessage, ServerMessage } from "../session/frame.ts";
import type { OldConnection, SessionLink, SessionPart } from "../session/session-part.ts";

type CallMessage = Extract<ClientMessage, { kind: "call" }>;

/** Who is told what becomes of its calls. */
type Caller = { deliver(message: ServerMessage): void };

type Reply = Extract<ServerMessage, { kind: "reply" }>["value"];

type RelayedCall = { readonly caller: Caller; readonly callId: number };

/** Cancels and credits answer the gateway, which counts them as a tenth of a request. */
const COST_OF_ANSWER = 0.1;
const CONCURRENT_CALLS_DEFAULT = 16;
/** Calls of all tabs that may wait here; one more is refused as `resource-exhausted`. */
const WAITING_MAX = 10_000;

/** The calls of all tabs on one connection: each tab counts its own from 1. */
export class CallRelay implements SessionPart {
  readonly members = {
    outbound: { "4mcall": CallCodec, "5mcancel": CancelCodec, "6mcredit": CreditCodec },
    inbound: { "4mreply": ReplyCodec },
  };
  readonly #link: SessionLink;
  #active = new Map<number, RelayedCall>();
  /** Those that were under way when another connection took over, which end on the old one. */
  #leaving = new Map<number, RelayedCall>();
  #old: OldConnection | undefined;
  #waiting: { readonly caller: Caller; readonly message: CallMessage }[] = [];
  #concurrentMax = 0;
  #nextId = 1;

  constructor(link: SessionLink) {
    this.#link = link;
  }

  /** A tab says something about its calls. */
  send(caller: Caller, message: ClientMessage): void {
    if (message.kind === "call") {
      if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ caller, message });
      else this.#refuse(caller, message.value.callId ?? 0);
      this.#startWaiting();
      return;
    }
    if (message.kind !== "cancel" && message.kind !== "credit") return;
    const asked = message.value.callId ?? 0;
    this.#waiting = this.#waiting.filter(
      (call) => call.caller !== caller || call.message.value.callId !== asked,
    );
    if (this.#tell(this.#active, caller, message, asked)) {
      this.#link.pacer.charge(COST_OF_ANSWER);
      this.#startWaiting();
    } else this.#tell(this.#leaving, caller, message, asked);
  }

  /** Tells the gateway something about a call; false if the call is none of these. */
  #tell(
    calls: Map<number, RelayedCall>,
    caller: Caller,
    message: Extract<ClientMessage, { kind: "cancel" | "credit" }>,
    asked: number,
  ): boolean {
    const callId = idOf(calls, caller, asked);
    if (callId === undefined) return false;
    if (message.kind === "cancel") calls.delete(callId);
    const connection = calls === this.#leaving ? this.#old : this.#link;
    connection?.send([{ ...message, value: { ...message.value, callId } } as ClientMessage]);
    return true;
  }

  #refuse(caller: Caller, callId: number): void {
    const message = `${WAITING_MAX} calls of all tabs wait already`;
    const status = { code: "CODE_RESOURCE_EXHAUSTED", message, details: [] } as const;
    caller.deliver({ kind: "reply", value: { callId, response: undefined, status } });
  }

  /** A tab is gone: nobody waits for its answers. */
  leave(caller: Caller): void {
    this.#waiting = this.#waiting.filter((call) => call.caller !== caller);
    for (const { callId, caller: owner } of [...this.#active.values(), ...this.#leaving.values()]) {
      if (owner === caller) this.send(caller, { kind: "cancel", value: { callId } });
    }
  }

  handleConnected({ concurrentCallsMax }: Limits): void {
    this.#concurrentMax = concurrentCallsMax || CONCURRENT_CALLS_DEFAULT;
    this.#nextId = 1;
    this.#startWaiting();
  }

  /** What was asked is lost, and whose it was is told. */
  handleDisconnected(error: ConnectionError): void {
    this.#concurrentMax = 0;
    this.#lose(this.#active, error);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { caller, message } of waiting) endWith(error, caller, message.value.callId ?? 0);
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

  handleMessage(message: ServerMessage): void {
    if (message.kind === "reply") this.#handleReply(this.#active, message.value);
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

  close(error: ConnectionError): void {
    this.handleOldEnded(error);
    this.handleDisconnected(error);
  }

  #handleReply(calls: Map<number, RelayedCall>, value: Reply): void {
    const call = calls.get(value.callId);
    if (call === undefined) return;
    if (value.status !== undefined) calls.delete(value.callId);
    call.caller.deliver({ kind: "reply", value: { ...value, callId: call.callId } });
    this.#startWaiting();
  }

  #lose(calls: Map<number, RelayedCall>, error: ConnectionError): void {
    const lost = [...calls.values()];
    calls.clear();
    for (const { caller, callId } of lost) endWith(error, caller, callId);
  }

  readonly #startWaiting = (): void => {
    while (this.#active.size < this.#concurrentMax) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      if (!this.#link.pacer.take()) {
        this.#link.pacer.whenReady(this.#startWaiting);
        return;
      }
      this.#waiting.shift();
      const { caller, message } = next;
      const callId = this.#nextId++;
      this.#active.set(callId, { caller, callId: message.value.callId ?? 0 });
      this.#link.send([{ kind: "call", value: { ...message.value, callId } }]);
    }
  };
}

/** The id that a call of a tab has on a connection. */
function idOf(
  calls: ReadonlyMap<number, RelayedCall>,
  caller: Caller,
  callId: number,
): number | undefined {
  for (const [id, call] of calls) {
    if (call.caller === caller && call.callId === callId) return id;
  }
  return undefined;
}

/** Ends a call that may have been executed. */
function endWith(error: ConnectionError, caller: Caller, callId: number): void {
  const message = `${error.message}; the call may have been executed`;
  const status = { code: "CODE_UNAVAILABLE", message, details: [] } as const;
  caller.deliver({ kind: "reply", value: { callId, response: undefined, status } });
}
