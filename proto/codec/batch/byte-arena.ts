import type { ColumnBytes } from "./small-varint.ts";

/** Small, because one message that is kept for long keeps its whole chunk. */
const CHUNK_BYTES = 8 * 1_024;
/** Longest message that shares a chunk. */
const SHARED_BYTES_MAX = 1_024;

const LONG_BYTES = 16 * 1_024;
/** Room that one long message has taken beyond this is given up with the next. */
const LONG_BYTES_KEPT_MAX = 1_024 * 1_024;

/** Bytes that a message is being written into. */
type MessageBytes = ColumnBytes & {
  /** Where the message begins. */
  readonly start: number;
};

/** Bytes and all that is made of them. */
function bytesOf(length: number) {
  const buffer = new ArrayBuffer(length);
  return { buffer, bytes: new Uint8Array(buffer), view: new DataView(buffer), start: 0 };
}

/** What short messages stay in; `start` is where the next one begins. */
let chunk = bytesOf(CHUNK_BYTES);
/** What long ones are copied from. */
let long = bytesOf(LONG_BYTES);

/** Begins another chunk if this one has no room for a message that may share it. */
function renewChunk(): void {
  if (SHARED_BYTES_MAX > CHUNK_BYTES - chunk.start) chunk = bytesOf(CHUNK_BYTES);
}

/**
 * A copy of the first `length` bytes. Nobody may write to it, nor to the buffer below it: short
 * copies share a chunk with other messages, because a buffer of its own for each would cost more
 * than encoding it.
 */
export function sharedCopy(bytes: Uint8Array, length: number): Uint8Array {
  if (length > SHARED_BYTES_MAX) return bytes.slice(0, length);
  renewChunk();
  const { start, buffer } = chunk;
  chunk.bytes.set(bytes.subarray(0, length), start);
  chunk.start = start + length;
  return new Uint8Array(buffer, start, length);
}

/**
 * Bytes with room for a message of at most so many, in which it stays if it is short. Messages are
 * written one after the other: what is not closed is overwritten by the next.
 */
export function openMessage(room: number): MessageBytes {
  renewChunk();
  if (room <= CHUNK_BYTES - chunk.start) return chunk;
  const isSpare = long.bytes.length > LONG_BYTES_KEPT_MAX && room <= LONG_BYTES_KEPT_MAX;
  if (room > long.bytes.length || isSpare) long = bytesOf(Math.max(room, LONG_BYTES));
  return long;
}

/** The message that was opened last and ends there, under the terms of `sharedCopy`. */
export function closeMessage(end: number, into: MessageBytes): Uint8Array {
  const { start, bytes } = into;
  if (into !== chunk) return sharedCopy(bytes, end);
  if (end - start > SHARED_BYTES_MAX) return bytes.slice(start, end);
  chunk.start = end;
  // Less than half the time of `subarray`, which asks first what kind of array is wanted.
  return new Uint8Array(chunk.buffer, start, end - start);
}
