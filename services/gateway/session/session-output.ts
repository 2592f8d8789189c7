import { encodeServerMessages } from "#wire/frame-codec.ts";
import type { ServerMessageInit } from "#wire/frame-codec.ts";
import { wireCodeOf } from "../rpc/rpc-error.ts";
import type { RpcError } from "../rpc/rpc-error.ts";
import type { CallReplies } from "./call-table.ts";
import { Outbound } from "./outbound/outbound.ts";
import type { SubscriptionReplies } from "./subscription-parts.ts";
import type {
  AccessInit,
  NoticeInit,
  ReplyInit,
  RequestRefusedInit,
  TopicResultInit,
  WelcomeInit,
} from "./wire-messages.ts";

/**
 * What a session says: besides market data, which subscriptions put into its lanes, each message
 * encoded and put into a lane.
 */
export class SessionOutput extends Outbound implements CallReplies, SubscriptionReplies {
  /** Hears of each subscribe request whose answer is whole; absent if nobody wants to know. */
  onSubscribed: ((requestId: number) => void) | undefined;

  welcome(value: WelcomeInit): void {
    this.#control({ kind: "welcome", value });
  }

  pong(nonce: number, serverTimeUs: number): void {
    this.#control({ kind: "pong", value: { nonce, serverTimeUs } });
  }

  notice(value: NoticeInit): void {
    this.#control({ kind: "notice", value });
  }

  /** Says it ahead of everything that waits. */
  urgentNotice(value: NoticeInit): void {
    this.sendUrgent(encodeServerMessages([{ kind: "notice", value }]));
  }

  /** Asks whether the client has everything that was sent before. */
  probe(number: number): void {
    this.sendUrgent(encodeServerMessages([{ kind: "probe", value: { number } }]));
  }

  subscribeResult(requestId: number, topics: readonly TopicResultInit[], isPartial: boolean): void {
    this.#control({ kind: "subscribeResult", value: { requestId, topics, isPartial } });
    if (!isPartial) this.onSubscribed?.(requestId);
  }

  unsubscribeResult(requestId: number, topics: readonly TopicResultInit[]): void {
    this.#control({ kind: "unsubscribeResult", value: { requestId, topics } });
  }

  refused(value: RequestRefusedInit): void {
    this.#control({ kind: "requestRefused", value });
  }

  limited(pattern: string): void {
    const message = "you may have a part of this pattern only, and get that part";
    this.notice({ kind: "NOTICE_KIND_ACCESS_LIMITED", message, pattern });
  }

  /** Who the client is, as far as it has proved it. */
  access(value: AccessInit): void {
    this.#control({ kind: "access", value });
  }

  queuedBytes(): number {
    return this.queuedMarketBytes;
  }

  get waitingBytes(): number {
    return this.replyBytes;
  }

  response(callId: number, response: Uint8Array, last: boolean): void {
    const reply = { callId, response };
    this.#reply(last ? { ...reply, status: {} } : reply);
  }

  end(callId: number, error: RpcError | undefined): void {
    this.#reply({ callId, status: statusOf(error) });
  }

  #control(message: ServerMessageInit): void {
    this.pushControl(encodeServerMessages([message]));
  }

  #reply(value: ReplyInit & { readonly callId: number }): void {
    this.pushReply(value.callId, encodeServerMessages([{ kind: "reply", value }]));
  }
}

function statusOf(error: RpcError | undefined): NonNullable<ReplyInit["status"]> {
  if (error === undefined) return {};
  const { code, message, packedDetails } = error;
  return { code: wireCodeOf(code), message, details: packedDetails };
}
