import { elementLength, measureMessage, putElement, WireError } from "@tickwire/proto/codec";
import type { BusBatch, MessageSize } from "@tickwire/proto/codec";
import {
  ClientFrameCodec,
  ErrorDetailCodec,
  ServerFrameCodec,
  ServerMessageCodec,
} from "@tickwire/proto/messages";
import type {
  Any,
  ClientMessage,
  ErrorDetail,
  MessageInit,
  ServerMessage,
} from "@tickwire/proto/messages";

export { WireError };

/** What a client says, tagged by `kind`. */
export type ClientRequest = NonNullable<ClientMessage["message"]>;

/** What the gateway says besides batches, tagged by `kind`; fields may be left out. */
export type ServerMessageInit = NonNullable<MessageInit<ServerMessage>["message"]>;

/** What the gateway says besides batches, as its reader sees it. */
export type ServerSaying = NonNullable<ServerMessage["message"]>;

/** What a client says, tagged by `kind`; fields may be left out. */
export type ClientRequestInit = NonNullable<MessageInit<ClientMessage>["message"]>;

const ERROR_DETAIL_TYPE_URL = "type.googleapis.com/tickwire.v1.ErrorDetail";

/**
 * One element of ServerFrame.batches with its tag and length: elements one after the other are a
 * frame. `batch` is what the publisher encoded, of which ranges are copied. The caller owns the
 * result. `topicId` is from 1 to 2^32 - 1.
 */
export function wrapBatch(topicId: number, batch: BusBatch, hasBase: boolean): Uint8Array {
  const element = new Uint8Array(elementLength(batch, topicId, hasBase));
  putElement(element, 0, batch, { topicId, withBase: hasBase });
  return element;
}

/** The same without tag and length: the Batch alone, for a field of another message. */
export function contentOfBatch(topicId: number, batch: BusBatch, hasBase: boolean): Uint8Array {
  const element = wrapBatch(topicId, batch, hasBase);
  let start = 1;
  while ((element[start] ?? 0) >= 0x80) start += 1;
  return element.subarray(start + 1);
}

/**
 * Encodes messages as (part of) a ServerFrame, which elements of `wrapBatch` may follow. The caller
 * owns the result. Throws WireError if a value does not fit its field.
 */
export function encodeServerMessages(messages: readonly ServerMessageInit[]): Uint8Array {
  return ServerFrameCodec.encode({ messages: messages.map((message) => ({ message })) });
}

/**
 * The message of one element of ServerFrame.messages; undefined for a kind that this version does
 * not know. Throws WireError.
 */
export function decodeServerMessage(bytes: Uint8Array): ServerSaying | undefined {
  return ServerMessageCodec.decode(bytes).message;
}

/**
 * A ClientFrame, as a client would send it. The caller owns it. Throws WireError if a value does
 * not fit its field.
 */
export function encodeClientRequests(requests: readonly ClientRequestInit[]): Uint8Array {
  return ClientFrameCodec.encode({ messages: requests.map((message) => ({ message })) });
}

/**
 * What decoding a ClientFrame would make, found without making it; its messages are `outerFields`.
 * Undefined if that is more than `fieldsMax`. Throws WireError.
 */
export function measureClientFrame(bytes: Uint8Array, fieldsMax: number): MessageSize | undefined {
  return measureMessage(ClientFrameCodec, bytes, fieldsMax);
}

/**
 * The messages of a ClientFrame, in order; kinds that this version does not know are left out.
 * Nothing in them refers to `bytes`. Throws WireError.
 */
export function decodeClientFrame(bytes: Uint8Array): ClientRequest[] {
  const requests: ClientRequest[] = [];
  for (const { message } of ClientFrameCodec.decode(bytes).messages) {
    if (message !== undefined) requests.push(message);
  }
  return requests;
}

/** A detail as RpcStatus carries it. */
export function packErrorDetail(detail: MessageInit<ErrorDetail>): Any {
  return { typeUrl: ERROR_DETAIL_TYPE_URL, value: ErrorDetailCodec.encode(detail) };
}
