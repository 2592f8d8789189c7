import { WireError } from "@tickwire/proto/codec";
import { ClientFrameCodec, ErrorDetailCodec, ServerFrameCodec } from "@tickwire/proto/messages";
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

/** ServerFrame.batches, length-delimited. */
const BATCHES_TAG = (2 << 3) | 2;
/** Batch.topic_id, a varint. */
const TOPIC_ID_TAG = 1 << 3;
/** Batch.snapshot, a varint, and its value true. */
const SNAPSHOT_FIELD = [6 << 3, 1] as const;

const ERROR_DETAIL_TYPE_URL = "type.googleapis.com/tickwire.v1.ErrorDetail";

/**
 * One element of ServerFrame.batches with its tag and length: elements one after the other are a
 * frame. `batch` is what the publisher encoded; it is copied, the topic id (and the mark of an
 * initial state) put in front of it. The caller owns the result. `topicId` is from 1 to 2^32 - 1.
 */
export function wrapBatch(
  topicId: number,
  batch: Uint8Array,
  options: { readonly snapshot?: boolean } = {},
): Uint8Array {
  const prefixLength = options.snapshot === true ? SNAPSHOT_FIELD.length : 0;
  const length = 1 + varint32Length(topicId) + prefixLength + batch.length;
  const element = new Uint8Array(1 + varint32Length(length) + length);
  element[0] = BATCHES_TAG;
  let position = putVarint32(element, 1, length);
  element[position] = TOPIC_ID_TAG;
  position = putVarint32(element, position + 1, topicId);
  if (options.snapshot === true) {
    element.set(SNAPSHOT_FIELD, position);
    position += SNAPSHOT_FIELD.length;
  }
  element.set(batch, position);
  return element;
}

function varint32Length(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

function putVarint32(bytes: Uint8Array, start: number, value: number): number {
  let position = start;
  let rest = value;
  while (rest > 0x7f) {
    bytes[position] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    position += 1;
  }
  bytes[position] = rest;
  return position + 1;
}

/**
 * Encodes messages as (part of) a ServerFrame, which elements of `wrapBatch` may follow. The caller
 * owns the result. Throws WireError if a value does not fit its field.
 */
export function encodeServerMessages(messages: readonly ServerMessageInit[]): Uint8Array {
  return ServerFrameCodec.encode({ messages: messages.map((message) => ({ message })) });
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
