import { CallCodec, CancelCodec, CreditCodec, ReplyCodec } from "@tickwire/proto/messages";
import type { Limits } from "../session/connection.ts";
import type { ClientMessage, ServerMessage } from "../session/frame.ts";
import type { SessionLink, SessionPart } from "../session/session-part.ts";

type CallMessage = Extract<ClientMessage, { kind: "call" }>;

/** Who is told what becomes of its calls. */
type Caller = { deliver(message: ServerMessage): void };

type RelayedCall = { readonly caller: Caller; readonly callId: number };

/** Cancels and credits answer the gateway, which counts them as a tenth of a request. */
const COST_OF_ANSWER = 0.1;
const CONCURRENT_CALLS_DEFAULT = 16;
/** Calls of all tabs that may wait here; what is more waits in the tabs' own deadlines. */
const WAITING_MAX = 10_000;

/** The calls of all tabs on one connection: each tab counts its own from 1. */
export class CallRelay implements SessionPart {
  readonly members = {
    outbound: { "4mcall": CallCodec, "5mcancel": CancelCodec, "6mcredit": CreditCodec },
    inbound: { "4mreply": ReplyCodec },
  };
  readonly #link: SessionLink;
  readonly #active = new Map<number, RelayedCall>();
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
      this.#startWaiting();
      return;
    }
    if (message.kind !== "cancel" && message.kind !== "credit") return;
    const asked = message.value.callId ?? 0;
    this.#waiting = this.#waiting.filter(
      (call) => call.caller !== caller || call.message.value.callId !== asked,
    );
    const callId = this.#idOf(caller, asked);
    if (callId === undefined) return;
    if (message.kind === "cancel") this.#active.delete(callId);
    this.#link.pacer.charge(COST_OF_ANSWER);
    this.#link.send([{ ...message, value: { ...message.value, callId } } as ClientMessage]);
    this.#startWaiting();
  }

  /** A tab is gone: nobody waits for its answers. */
  leave(caller: Caller): void {
    this.#waiting = this.#waiting.filter((call) => call.caller !== caller);
    for (const { callId, caller: owner } of this.#active.values()) {
      if (owner === caller) this.send(caller, { kind: "cancel", value: { callId } });
    }
  }

  handleConnected({ concurrentCallsMax }: Limits): void {
    this.#concurrentMax = concurrentCallsMax || CONCURRENT_CALLS_DEFAULT;
    this.#nextId = 1;
    this.#startWaiting();
  }

  /** The tabs are told of it, and end what they had under way. */
  handleDisconnected(): void {
    this.#concurrentMax = 0;
    this.#active.clear();
    this.#waiting = [];
  }

  handleMessage(message: ServerMessage): void {
    if (message.kind !== "reply") return;
    const { value } = message;
    const call = this.#active.get(value.callId);
    if (call === undefined) return;
    if (value.status !== undefined) this.#active.delete(value.callId);
    call.caller.deliver({ kind: "reply", value: { ...value, callId: call.callId } });
    this.#startWaiting();
  }

  close(): void {
    this.handleDisconnected();
  }

  #idOf(caller: Caller, callId: number): number | undefined {
    for (const [id, call] of this.#active) {
      if (call.caller === caller && call.callId === callId) return id;
    }
    return undefined;
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
