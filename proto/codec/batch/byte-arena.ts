import type { ByteWriter } from "../byte-writer.ts";

/** Small, because one message that is kept for long keeps its whole chunk. */
const CHUNK_BYTES = 8 * 1_024;
/** Longest message that shares a chunk. */
const SHARED_BYTES_MAX = 1_024;

let chunk = new Uint8Array(CHUNK_BYTES);
let used = 0;

/**
 * A copy of the first `length` bytes. Nobody may write to it, nor to the buffer below it: short
 * copies share a chunk with other messages, because a buffer of its own for each would cost more
 * than encoding it.
 */
export function sharedCopy(bytes: Uint8Array, length: number): Uint8Array {
  if (length > SHARED_BYTES_MAX) return bytes.slice(0, length);
  if (length > CHUNK_BYTES - used) {
    chunk = new Uint8Array(CHUNK_BYTES);
    used = 0;
  }
  const start = used;
  used = start + length;
  chunk.set(bytes.subarray(0, length), start);
  return new Uint8Array(chunk.buffer, start, length);
}

/**
 * Lets `writer` write a message of at most `room` bytes where it will stay; false, and nothing was
 * done, if there is no room for so many. Messages are written one after the other: what is not
 * closed is overwritten by the next.
 */
export function openShared(writer: ByteWriter, room: number): boolean {
  if (SHARED_BYTES_MAX > CHUNK_BYTES - used) {
    chunk = new Uint8Array(CHUNK_BYTES);
    used = 0;
  }
  if (room > CHUNK_BYTES - used) return false;
  writer.bytes = chunk;
  writer.position = used;
  return true;
}

/** The message that was written since `openShared`, under the terms of `sharedCopy`. */
export function closeShared({ bytes, position }: ByteWriter): Uint8Array {
  const start = used;
  // A message that needed more than its room has grown out of the chunk.
  if (bytes !== chunk || position - start > SHARED_BYTES_MAX) return bytes.slice(start, position);
  used = position;
  // Less than half the time of `subarray`, which asks first what kind of array is wanted.
  return new Uint8Array(chunk.buffer, start, position - start);
}
