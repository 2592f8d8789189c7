import { walkServerFrame } from "@tickwire/proto/codec";
import {
  type MessageInit,
  ClientFrameCodec,
  ServerMessageCodec,
  type ClientMessage as WireClientMessage,
  type ServerMessage as WireServerMessage,
} from "@tickwire/proto/messages";

/** A message to the gateway; fields may be left out. */
export type ClientMessage = NonNullable<MessageInit<WireClientMessage>["message"]>;

/** A message from the gateway. */
export type ServerMessage = NonNullable<WireServerMessage["message"]>;

/** The encoded frame; the caller owns it. Throws WireError if a value does not fit its field. */
export function encodeClientFrame(messages: readonly ClientMessage[]): Uint8Array<ArrayBuffer> {
  return ClientFrameCodec.encode({ messages: messages.map((message) => ({ message })) });
}

/** Receives the parts of a frame. */
type FrameHandlers = {
  /** A kind that this client does not know is not handed on. */
  message(message: ServerMessage): void;
  /** The batch is bytes[start..end). May throw WireError, which ends the reading. */
  batch(bytes: Uint8Array, start: number, end: number): void;
};

/**
 * Hands on every message of a frame and then every batch, each in wire order, as the schema asks.
 * Throws WireError at the first part that cannot be read; what came before it has been handed on.
 */
export class FrameReader {
  readonly #handlers: FrameHandlers;
  // Offsets of the batches of the frame at hand, kept from frame to frame to allocate nothing.
  readonly #offsets: number[] = [];
  readonly #visitor: {
    message(start: number, end: number): void;
    batch(start: number, end: number): void;
  };
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
    this.#visitor = {
      message: (start, end) => {
        const { message } = ServerMessageCodec.decode(this.#bytes.subarray(start, end));
        if (message !== undefined) this.#handlers.message(message);
      },
      batch: (start, end) => {
        this.#offsets.push(start, end);
      },
    };
  }

  read(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#offsets.length = 0;
    walkServerFrame(bytes, this.#visitor);
    for (let index = 0; index < this.#offsets.length; index += 2) {
      this.#handlers.batch(bytes, this.#offsets[index]!, this.#offsets[index + 1]!);
    }
  }
}
