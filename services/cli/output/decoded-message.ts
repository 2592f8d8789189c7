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
import { rowTexts } from "./decoded-rows.ts";

/** What bytes can be taken for, by the name that the command line has for it. */
const DESCRIBERS = {
  "server-frame": describeServerFrame,
  "client-frame": describeClientFrame,
  batch: describeBusBatch,
  announcement: describeWith("Announcement", AnnouncementCodec),
  catalog: describeWith("CatalogReply", CatalogReplyCodec),
  reply: describeWith("QueryReply", QueryReplyCodec),
  snapshot: describeSnapshot,
} as const;

export type MessageForm = keyof typeof DESCRIBERS;
export const MESSAGE_FORMS = Object.keys(DESCRIBERS) as MessageForm[];

/**
 * In words, one line for each thing that is said. Throws WireError if the bytes are no such
 * message.
 */
export function describeMessage(form: MessageForm, bytes: Uint8Array): string[] {
  return DESCRIBERS[form](bytes);
}

/**
 * What bytes are, as far as they show it: a message of the bus that carries a batch is like nothing
 * else, and a server's frame has batches where a client's has nothing. Undefined if they are
 * neither.
 */
export function formOf(bytes: Uint8Array): MessageForm | undefined {
  return (["batch", "server-frame", "client-frame"] as const).find((form) => {
    try {
      return DESCRIBERS[form](bytes).length > 1;
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  });
}

function describeWith<T>(name: string, codec: MessageCodec<T>): (bytes: Uint8Array) => string[] {
  return (bytes) => [`${name}, ${sizeOf(bytes)}`, `  ${jsonOf(codec, bytes)}`];
}

function describeClientFrame(bytes: Uint8Array): string[] {
  const { messages } = ClientFrameCodec.decode(bytes);
  const lines = [`ClientFrame, ${sizeOf(bytes)}`];
  for (const message of messages) {
    const kind = message.message?.kind;
    if (kind === undefined) throw new WireError("malformed", "a message of a client says nothing");
    lines.push(kind, `  ${JSON.stringify(messageToJson(ClientMessageCodec, message))}`);
  }
  return lines;
}

function describeServerFrame(bytes: Uint8Array): string[] {
  const lines = [`ServerFrame, ${sizeOf(bytes)}`];
  const batches: string[] = [];
  const readers = new Map<number, BatchReader>();
  walkServerFrame(bytes, {
    message: (start, end) => {
      const message = ServerMessageCodec.decode(bytes.subarray(start, end));
      const kind = message.message?.kind;
      if (kind === undefined) {
        throw new WireError("malformed", "a message of a server says nothing that is known");
      }
      lines.push(kind, `  ${JSON.stringify(messageToJson(ServerMessageCodec, message))}`);
    },
    batch: (start, end) => {
      const content = bytes.subarray(start, end);
      const topicId = topicIdOf(content, 0, content.length);
      const reader = readers.get(topicId) ?? new BatchReader();
      readers.set(topicId, reader);
      batches.push(...describeBatch(content, topicId, reader));
    },
  });
  return [...lines, ...batches];
}

/** A batch of a frame; the batches of its topic before it in the frame have been read. */
function describeBatch(content: Uint8Array, topicId: number, reader: BatchReader): string[] {
  const { base, ...columns } = BatchCodec.decode(content);
  const reading = reader.read(content);
  const form = base === undefined ? "goes on from the batch before" : "has its base";
  const lines = [`batch of topic ${topicId}, ${sizeOf(content)}, ${form}`];
  if (base !== undefined) {
    lines.push(`  base ${JSON.stringify(messageToJson(BaseCodec, base))}`);
  }
  lines.push(`  columns ${JSON.stringify(messageToJson(BatchCodec, columns))}`);
  switch (reading.outcome) {
    case "read":
      lines.push(...describeEvents(reading.batch));
      break;
    case "lost":
      lines.push(`  its events cannot be told without the batches before it (${reading.reason})`);
      break;
    case "unknown-channel":
      lines.push(`  a channel that is not known here, up to sequence ${reading.lastSequence}`);
  }
  return lines;
}

function describeBusBatch(bytes: Uint8Array): string[] {
  const batch = readBusBatch(bytes);
  const { coreStart, coreEnd, baseStart, baseEnd } = batch;
  const chain = batch.rebase ? "every subscriber gets its base" : "goes on from the batch before";
  const columns = BatchCodec.decode(bytes.subarray(coreStart, coreEnd));
  const base = BatchCodec.decode(bytes.subarray(baseStart, baseEnd)).base;
  return [
    `BusBatch, ${sizeOf(bytes)}, ${chain}`,
    `  base ${JSON.stringify(base === undefined ? {} : messageToJson(BaseCodec, base))}`,
    `  columns ${JSON.stringify(messageToJson(BatchCodec, columns))}`,
    ...describeEvents(readBusEvents(batch)),
  ];
}

function describeSnapshot(bytes: Uint8Array): string[] {
  const { batches, more } = decodeSnapshotReply(bytes);
  return [
    `SnapshotReply, ${sizeOf(bytes)}${more ? ", another page follows" : ""}`,
    ...batches.flatMap((batch) => describeBusBatch(batch.bytes.subarray(batch.start, batch.end))),
  ];
}

function describeEvents(batch: DecodedBatch): string[] {
  const { epoch, firstSequence, count, skipped, snapshot, publishedTimeUs } = batch;
  const { kind, rows } = rowsOf(batch);
  const place = snapshot
    ? `the state at ${firstSequence}`
    : `from ${firstSequence - 1 - skipped}${skipped === 0 ? "" : `, ${skipped} conflated away`}`;
  const head = `  ${kind}: ${count} of epoch ${epoch}, ${place}, published ${publishedTimeUs} us`;
  const texts = rowTexts(rows).map((text, index) => {
    return `  ${snapshot ? firstSequence : firstSequence + index} ${text}`;
  });
  return [head, ...texts];
}

function jsonOf<T>(codec: MessageCodec<T>, bytes: Uint8Array): string {
  return JSON.stringify(messageToJson(codec, codec.decode(bytes) as MessageInit<T>));
}

function sizeOf({ length }: Uint8Array): string {
  return length === 1 ? "1 byte" : `${length} bytes`;
}
