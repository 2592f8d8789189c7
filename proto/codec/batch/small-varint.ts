import { putVarint } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX } from "../wide-integers.ts";

/** What a function that writes numbers returns instead of a position if it cannot write them. */
export const NOT_PLAIN = -1;

/** Where columns are written; the view is one of all the bytes. */
export type ColumnBytes = { readonly bytes: Uint8Array; readonly view: DataView };

/** From here on up to 2^53 a varint takes eight bytes, as times and epochs of our years do. */
const TIME_MIN = 2 ** 49;

/** Zigzag codes of integers below this have 31 bits. */
const SMALL_MAGNITUDE_MAX = 2 ** 30;

/**
 * Writes a whole number from 0 to 2^31 - 1 as a varint; returns the position after it. Room must be
 * there. All is in 32 bits, and loops over columns take it into their own code.
 */
export function putSmall(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    bytes[at] = value;
    return at + 1;
  }
  bytes[at] = value | 0x80;
  if (value < 0x4000) {
    bytes[at + 1] = value >>> 7;
    return at + 2;
  }
  bytes[at + 1] = (value >>> 7) | 0x80;
  if (value < 0x20_0000) {
    bytes[at + 2] = value >>> 14;
    return at + 3;
  }
  bytes[at + 2] = (value >>> 14) | 0x80;
  if (value < 0x1000_0000) {
    bytes[at + 3] = value >>> 21;
    return at + 4;
  }
  bytes[at + 3] = (value >>> 21) | 0x80;
  bytes[at + 4] = value >>> 28;
  return at + 5;
}

const TWO_28 = 2 ** 28;
/** The bits that say "another byte follows", of three bytes of a word, and of all four. */
const MORE_FOLLOW = 0x80_8080;
const ALL_FOLLOW = 0x8080_8080 | 0;

/** 28 bits, seven in each byte of a word. */
function spread(value: number): number {
  return (
    (value & 0x7f) |
    ((value & 0x3f80) << 1) |
    ((value & 0x1f_c000) << 2) |
    ((value & 0xfe0_0000) << 3)
  );
}

/**
 * The same as `putSmall` for entries of a column, where four bytes may be overwritten. It decides
 * nothing by a jump, because lengths vary in a way that no processor foresees, and one wrong guess
 * costs more than all of this.
 */
export function putEntry({ bytes, view }: ColumnBytes, at: number, value: number): number {
  if (value >= TWO_28) return putSmall(bytes, at, value);
  // A seventh of the bits, rounded up.
  const length = ((32 - Math.clz32(value | 1)) * 9 + 64) >> 6;
  view.setUint32(at, spread(value) | (MORE_FOLLOW & ((1 << ((length - 1) << 3)) - 1)), true);
  return at + length;
}

/** Writes a safe integer from TIME_MIN on as a varint, which takes eight bytes. */
function putTime(view: DataView, at: number, value: number): void {
  const high = (value / TWO_28) | 0;
  const low = (value - high * TWO_28) | 0;
  view.setUint32(at, spread(low) | ALL_FOLLOW, true);
  view.setUint32(at + 4, spread(high) | MORE_FOLLOW, true);
}

/** Writes an integer as a zigzag varint; NOT_PLAIN for one that is large, or none at all. */
export function putSigned({ bytes, view }: ColumnBytes, at: number, value: number): number {
  const small = value | 0;
  const isSmall = small < SMALL_MAGNITUDE_MAX && small > -SMALL_MAGNITUDE_MAX;
  if (small === value && isSmall) return putSmall(bytes, at, (small << 1) ^ (small >> 31));
  const isFast = value <= FAST_MAGNITUDE_MAX && value >= -FAST_MAGNITUDE_MAX;
  if (!isFast || !Number.isInteger(value)) return NOT_PLAIN;
  const code = value < 0 ? -2 * value - 1 : 2 * value;
  const high = (code / TWO_28) | 0;
  view.setUint32(at, spread((code - high * TWO_28) | 0) | ALL_FOLLOW, true);
  return putSmall(bytes, at + 4, high);
}

/** Writes a whole number from 0 on as a varint field below 16; nothing for 0. */
export function putUnsignedField(
  { bytes, view }: ColumnBytes,
  at: number,
  tag: number,
  value: number,
): number {
  if (value === 0) return at;
  if (!(value > 0 && value <= Number.MAX_SAFE_INTEGER)) return NOT_PLAIN;
  bytes[at] = tag;
  if (value < TIME_MIN) return putVarint(bytes, at + 1, value);
  putTime(view, at + 1, value);
  return at + 9;
}
