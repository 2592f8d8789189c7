import {
  BATCHES_TAG,
  createControlCodec,
  walkServerFrame,
  WireError,
  type ControlCodec,
} from "@tickwire/proto/codec";
import type {
  ClientMessage as WireClientMessage,
  MessageInit,
  ServerMessage as WireServerMessage,
} from "@tickwire/proto/messages";
import {
  HelloControl,
  NoticeControl,
  PartControl,
  PingControl,
  ProbeAnswerControl,
  ProbeControl,
  WelcomeControl,
  type FrameMember,
} from "./control-messages.ts";

/** A message to the gateway; fields may be left out. */
export type ClientMessage = NonNullable<MessageInit<WireClientMessage>["message"]>;

/** A message from the gateway. */
export type ServerMessage = NonNullable<WireServerMessage["message"]>;

/**
 * The messages that a part of a session sends and reads, each by its number, the letter of a
 * message and its kind, as the schema's ClientMessage and ServerMessage have them: `2msubscribe`.
 */
export type FrameMembers = {
  readonly outbound: Readonly<Record<string, FrameMember>>;
  readonly inbound: Readonly<Record<string, FrameMember>>;
};

/** What every session sends and reads. */
export const SESSION_MEMBERS: FrameMembers = {
  outbound: {
    "1mhello": HelloControl,
    "7mping": PingControl,
    "8mprobeAnswer": ProbeAnswerControl,
  },
  inbound: {
    "1mwelcome": WelcomeControl,
    "5mnotice": NoticeControl,
    "7mprobe": ProbeControl,
    "12mpart": PartControl,
  },
};

/** The messages of a session and its parts. What it does not carry costs a page nothing. */
export class FrameCodec {
  readonly #parts: FrameMembers[];
  #frame: ControlCodec<unknown> | undefined;
  #message: ControlCodec<object> | undefined;

  constructor(parts: readonly FrameMembers[]) {
    this.#parts = [...parts];
  }

  /** From now on, the messages of one more part are sent and read. */
  add(part: FrameMembers): void {
    this.#parts.push(part);
    this.#frame = undefined;
    this.#message = undefined;
  }

  /** The frame, which the caller owns. Throws WireError if a value does not fit its field. */
  encode(messages: readonly ClientMessage[]): Uint8Array<ArrayBuffer> {
    this.#frame ??= createControlCodec("m*messages", [
      memberCodec(this.#parts.map(({ outbound }) => outbound)),
    ]);
    return this.#frame.encode({
      messages: messages.map(({ kind, value }) => ({ [kind]: value })),
    });
  }

  /** Undefined for a message of a kind that nobody here reads. Throws WireError. */
  decode(bytes: Uint8Array): ServerMessage | undefined {
    this.#message ??= memberCodec(this.#parts.map(({ inbound }) => inbound));
    for (const [kind, value] of Object.entries(this.#message.decode(bytes))) {
      if (value !== undefined) return { kind, value } as ServerMessage;
    }
    return undefined;
  }
}

/** The codec of a message that is one of the members. */
function memberCodec(parts: readonly FrameMembers["inbound"][]): ControlCodec<object> {
  const members: FrameMembers["inbound"] = Object.assign({}, ...parts);
  return createControlCodec(Object.keys(members).join(" "), Object.values(members));
}

/** Receives the parts of a frame. */
type FrameHandlers = {
  /** A kind that this client does not know is not handed on. */
  message(message: ServerMessage): void;
  /** The batch is bytes[start..end). May throw WireError, which ends the reading. */
  batch(bytes: Uint8Array, start: number, end: number): void;
};

/** Most frames are one short batch. */
function isOneBatch(bytes: Uint8Array): boolean {
  return bytes[0] === BATCHES_TAG && bytes[1] === bytes.length - 2 && bytes.length < 130;
}

type Part = Extract<ServerMessage, { kind: "part" }>["value"];

/** What a frame that comes in pieces may come to: a whole book of a large venue is a few MB. */
const PARTS_BYTES_MAX = 64 * 1024 * 1024;
/** Lanes of pieces that are put together at a time. */
const PART_LANES_MAX = 8;

/** Pieces of one lane. */
type Pieces = { bytes: number; readonly data: Uint8Array[] };

/** What `walkServerFrame` calls. */
type FrameVisitor = {
  message(start: number, end: number): void;
  batch(start: number, end: number): void;
};

/**
 * Hands on every message of a frame and then every batch, each in wire order, as the schema asks. A
 * frame that comes in pieces is read in the place of its last. Throws WireError at the first part
 * that cannot be read; what came before it has been handed on.
 */
export class FrameReader {
  readonly #codec: FrameCodec;
  readonly #handlers: FrameHandlers;
  // Offsets of the batches of the frame at hand, kept from frame to frame to allocate nothing.
  readonly #offsets: number[] = [];
  #offsetCount = 0;
  readonly #visitor: FrameVisitor;
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #pieces = new Map<number, Pieces>();

  constructor(codec: FrameCodec, handlers: FrameHandlers) {
    this.#codec = codec;
    this.#handlers = handlers;
    this.#visitor = {
      message: (start, end) => this.#readMessage(this.#bytes.subarray(start, end)),
      batch: (start, end) => {
        this.#offsets[this.#offsetCount++] = start;
        this.#offsets[this.#offsetCount++] = end;
      },
    };
  }

  read(bytes: Uint8Array): void {
    if (isOneBatch(bytes)) {
      this.#handlers.batch(bytes, 2, bytes.length);
      return;
    }
    this.#bytes = bytes;
    this.#offsetCount = 0;
    walkServerFrame(bytes, this.#visitor);
    for (let index = 0; index < this.#offsetCount; index += 2) {
      this.#handlers.batch(bytes, this.#offsets[index]!, this.#offsets[index + 1]!);
    }
  }

  #readMessage(bytes: Uint8Array): void {
    const message = this.#codec.decode(bytes);
    if (message?.kind === "part") this.#readPart(message.value);
    else if (message !== undefined) this.#handlers.message(message);
  }

  #readPart({ lane, data, isLast, isVoid }: Part): void {
    const pieces = this.#pieces.get(lane) ?? { bytes: 0, data: [] };
    pieces.data.push(data);
    pieces.bytes += data.length;
    this.#pieces.set(lane, pieces);
    if (pieces.bytes > PARTS_BYTES_MAX || this.#pieces.size > PART_LANES_MAX) {
      throw new WireError("malformed", "the pieces of a frame come to too much");
    }
    if (!isLast && !isVoid) return;
    this.#pieces.delete(lane);
    if (isVoid) return;
    const whole = new Uint8Array(pieces.bytes);
    let length = 0;
    for (const piece of pieces.data) {
      whole.set(piece, length);
      length += piece.length;
    }
    new FrameReader(this.#codec, this.#handlers).read(whole);
  }
}
