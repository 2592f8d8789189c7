import { putVarint, varintLength } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX } from "../wide-integers.ts";
import { NOT_PLAIN, putEntry } from "./small-varint.ts";
import type { ColumnBytes } from "./small-varint.ts";

/** Zigzag codes of differences below this have room for two flags in 31 bits. */
export const SMALL_DIFFERENCE_MAX = 2 ** 27;

/** Codes are four times the zigzag of a difference, and so stay safe integers up to here. */
const FAST_DIFFERENCE_MAX = FAST_MAGNITUDE_MAX / 4;

/** What an entry of `prices` says; NOT_PLAIN if its difference is not small. */
export function smallCode(difference: number): number {
  const small = difference | 0;
  const isSmall = small < SMALL_DIFFERENCE_MAX && small > -SMALL_DIFFERENCE_MAX;
  return small === difference && isSmall ? ((small << 1) ^ (small >> 31)) << 2 : NOT_PLAIN;
}

/** The same for one that is larger; returns the position after it. */
export function putLargeCode(
  bytes: Uint8Array,
  at: number,
  difference: number,
  flags: number,
): number {
  const isFast = difference <= FAST_DIFFERENCE_MAX && difference >= -FAST_DIFFERENCE_MAX;
  if (!isFast || !Number.isInteger(difference)) return NOT_PLAIN;
  return putVarint(bytes, at, (difference < 0 ? -8 * difference - 4 : 8 * difference) + flags);
}

/** Returns the position after the size, or NOT_PLAIN. */
export function putSize(into: ColumnBytes, at: number, size: number): number {
  const small = size | 0;
  if (small === size && small >= 0) return putEntry(into, at, small);
  return size >= 0 && Number.isSafeInteger(size) ? putVarint(into.bytes, at, size) : NOT_PLAIN;
}

/** Bytes that the length of a column takes whose entries take so many bytes on average. */
export function lengthBytes(entries: number, bytesEach: number): number {
  return entries * bytesEach < 0x80 ? 1 : 2;
}

/** Begins a column whose length may take so many bytes; returns where its entries begin. */
export function openColumn(bytes: Uint8Array, at: number, field: number, width: number): number {
  if (field < 16) {
    bytes[at] = (field << 3) | 2;
    return at + 1 + width;
  }
  bytes[at] = (field << 3) | 0x82;
  bytes[at + 1] = field >> 4;
  return at + 2 + width;
}

/** Ends the column of such a length that started at `start`; returns where what follows begins. */
export function closeColumn(bytes: Uint8Array, start: number, end: number, width: number): number {
  const length = end - start;
  if (width === 1 && length < 0x80) {
    bytes[start - 1] = length;
    return end;
  }
  const extra = varintLength(length) - width;
  if (extra !== 0) bytes.copyWithin(start + extra, start, end);
  putVarint(bytes, start - width, length);
  return end + extra;
}
