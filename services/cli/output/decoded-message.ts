import {
  BatchReader,
  readBusBatch,
  readBusEvents,
  rowsOf,
  topicIdOf,
  walkServerFrame,
  WireError,
} from "@tickwire/proto/codec";
import type { DecodedBatch } from "@tickwire/proto/codec";
import {
  AnnouncementCodec,
  BaseCodec,
  BatchCodec,
  CatalogReplyCodec,
  ClientMessageCodec,
  ClientFrameCodec,
  QueryReplyCodec,
  ServerMessageCodec,
} from "@tickwire/proto/messages";
import type { MessageCodec, MessageInit } from "@tickwire/proto/messages";
import { messageToJson } from "@tickwire/proto/service";
import { decodeSnapshotReply } from "#wire/bus-codec.ts";
import { plainRow } from "./decoded-rows.ts";

/** Events of a batch, each with decimals as exact text. */
export type DecodedEvents = {
  readonly kind: string;
  readonly epoch: number;
  readonly snapshot: boolean;
  readonly firstSequence: number;
  readonly count: number;
  readonly skipped: number;
  readonly publishedTimeUs: number;
  readonly rows: readonly object[];
};

/** A message of a client or of a server. */
export type DecodedWord = { readonly kind: string; readonly message: object };

/** A batch in a frame of a server. */
export type DecodedTopicBatch = {
  readonly topicId: number;
  readonly bytes: number;
  /** Undefined if it goes on from the batch before. */
  readonly base: object | undefined;
  readonly columns: object;
  readonly events?: DecodedEvents;
  /** Why its events cannot be told without the batches before it. */
  readonly lost?: string;
  /** The last sequence of a channel that is not known here. */
  readonly unknownUpTo?: number;
};

/** A batch on the bus. */
export type DecodedBusBatch = {
  readonly bytes: number;
  /** Whether every subscriber gets its base. */
  readonly rebase: boolean;
  readonly base: object;
  readonly columns: object;
  readonly events: DecodedEvents;
};

/** What bytes say, by what they were taken for. As JSON it is what `tickwire decode` prints. */
export type DecodedMessage = { readonly bytes: number } & (
  | {
      readonly form: "server-frame";
      readonly messages: readonly DecodedWord[];
      readonly batches: readonly DecodedTopicBatch[];
    }
  | { readonly form: "client-frame"; readonly messages: readonly DecodedWord[] }
  | ({ readonly form: "batch" } & DecodedBusBatch)
  | {
      readonly form: "snapshot";
      readonly more: boolean;
      readonly batches: readonly DecodedBusBatch[];
    }
  | { readonly form: "announcement" | "catalog" | "reply"; readonly message: object }
);

/** What bytes can be taken for, by the name that the command line has for it. */
const DECODERS = {
  "server-frame": decodeServerFrame,
  "client-frame": decodeClientFrame,
  batch: (bytes) => ({ form: "batch", ...decodeBusBatch(bytes) }),
  announcement: (bytes) => decodeAs("announcement", AnnouncementCodec, bytes),
  catalog: (bytes) => decodeAs("catalog", CatalogReplyCodec, bytes),
  reply: (bytes) => decodeAs("reply", QueryReplyCodec, bytes),
  snapshot: decodeSnapshot,
} as const satisfies Readonly<Record<string, (bytes: Uint8Array) => DecodedMessage>>;

export type MessageForm = keyof typeof DECODERS;
export const MESSAGE_FORMS = Object.keys(DECODERS) as MessageForm[];

/** What the bytes say. Throws WireError if they are no such message. */
export function decodeMessage(form: MessageForm, bytes: Uint8Array): DecodedMessage {
  return DECODERS[form](bytes);
}

/**
 * What bytes are, as far as they show it: a message of the bus that carries a batch is like nothing
 * else, and a server's frame has batches where a client's has nothing. Undefined if they are
 * neither.
 */
export function formOf(bytes: Uint8Array): MessageForm | undefined {
  return (["batch", "server-frame", "client-frame"] as const).find((form) => {
    try {
      const decoded = DECODERS[form](bytes);
      if (decoded.form === "batch") return true;
      return decoded.messages.length > 0 || ("batches" in decoded && decoded.batches.length > 0);
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  });
}

function decodeAs<T>(
  form: "announcement" | "catalog" | "reply",
  codec: MessageCodec<T>,
  bytes: Uint8Array,
): DecodedMessage {
  const message = messageToJson(codec, codec.decode(bytes) as MessageInit<T>) as object;
  return { form, bytes: bytes.length, message };
}

function decodeClientFrame(bytes: Uint8Array): DecodedMessage & { readonly form: "client-frame" } {
  const messages = ClientFrameCodec.decode(bytes).messages.map((message) => {
    const kind = message.message?.kind;
    if (kind === undefined) throw new WireError("malformed", "a message of a client says nothing");
    return { kind, message: messageToJson(ClientMessageCodec, message) as object };
  });
  return { form: "client-frame", bytes: bytes.length, messages };
}

function decodeServerFrame(bytes: Uint8Array): DecodedMessage & { readonly form: "server-frame" } {
  const messages: DecodedWord[] = [];
  const batches: DecodedTopicBatch[] = [];
  const readers = new Map<number, BatchReader>();
  walkServerFrame(bytes, {
    message: (start, end) => {
      const message = ServerMessageCodec.decode(bytes.subarray(start, end));
      const kind = message.message?.kind;
      if (kind === undefined) {
        throw new WireError("malformed", "a message of a server says nothing that is known");
      }
      messages.push({ kind, message: messageToJson(ServerMessageCodec, message) as object });
    },
    batch: (start, end) => {
      const content = bytes.subarray(start, end);
      const topicId = topicIdOf(content, 0, content.length);
      const reader = readers.get(topicId) ?? new BatchReader();
      readers.set(topicId, reader);
      batches.push(decodeBatch(content, topicId, reader));
    },
  });
  return { form: "server-frame", bytes: bytes.length, messages, batches };
}

/** A batch of a frame; the batches of its topic before it in the frame have been read. */
function decodeBatch(content: Uint8Array, topicId: number, reader: BatchReader): DecodedTopicBatch {
  const { base, ...columns } = BatchCodec.decode(content);
  const reading = reader.read(content);
  const batch = {
    topicId,
    bytes: content.length,
    base: base === undefined ? undefined : (messageToJson(BaseCodec, base) as object),
    columns: messageToJson(BatchCodec, columns) as object,
  };
  switch (reading.outcome) {
    case "read":
      return { ...batch, events: decodeEvents(reading.batch) };
    case "lost":
      return { ...batch, lost: reading.reason };
    case "unknown-channel":
      return { ...batch, unknownUpTo: reading.lastSequence };
  }
}

function decodeBusBatch(bytes: Uint8Array): DecodedBusBatch {
  const batch = readBusBatch(bytes);
  const { coreStart, coreEnd, baseStart, baseEnd, rebase } = batch;
  const columns = BatchCodec.decode(bytes.subarray(coreStart, coreEnd));
  const base = BatchCodec.decode(bytes.subarray(baseStart, baseEnd)).base;
  return {
    bytes: bytes.length,
    rebase,
    base: base === undefined ? {} : (messageToJson(BaseCodec, base) as object),
    columns: messageToJson(BatchCodec, columns) as object,
    events: decodeEvents(readBusEvents(batch)),
  };
}

function decodeSnapshot(bytes: Uint8Array): DecodedMessage {
  const { batches, more } = decodeSnapshotReply(bytes);
  const decoded = batches.map((batch) =>
    decodeBusBatch(batch.bytes.subarray(batch.start, batch.end)),
  );
  return { form: "snapshot", bytes: bytes.length, more, batches: decoded };
}

function decodeEvents(batch: DecodedBatch): DecodedEvents {
  const { epoch, firstSequence, count, skipped, snapshot, publishedTimeUs } = batch;
  const { kind, rows } = rowsOf(batch);
  const place = { kind, epoch, snapshot, firstSequence, count, skipped, publishedTimeUs };
  return { ...place, rows: (rows as Parameters<typeof plainRow>[0][]).map(plainRow) };
}
