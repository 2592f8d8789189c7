/** What a function that writes numbers returns instead of a position if it cannot write them. */
export const NOT_PLAIN = -1;

/** Where columns are written; the view is one of all the bytes. */
export type ColumnBytes = { readonly bytes: Uint8Array; readonly view: DataView };

/** From here on up to 2^53 a varint takes eight bytes, as times and epochs of our years do. */
export const TIME_MIN = 2 ** 49;

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

/** The bits that say "another byte follows", of the first three bytes of a word. */
const MORE_FOLLOW = 0x80_8080;

/** Values below this are written as one word. */
const WORD_MAX = 2 ** 28;

/**
 * The same as `putSmall` for entries of a column, where four bytes may be overwritten. It decides
 * nothing by a jump, because lengths vary in a way that no processor foresees, and one wrong guess
 * costs more than all of this.
 */
export function putEntry({ bytes, view }: ColumnBytes, at: number, value: number): number {
  if (value >= WORD_MAX) return putSmall(bytes, at, value);
  // A seventh of the bits, rounded up.
  const length = ((32 - Math.clz32(value | 1)) * 9 + 64) >> 6;
  const word =
    (value & 0x7f) |
    ((value & 0x3f80) << 1) |
    ((value & 0x1f_c000) << 2) |
    ((value & 0xfe0_0000) << 3);
  view.setUint32(at, word | (MORE_FOLLOW & ((1 << ((length - 1) << 3)) - 1)), true);
  return at + length;
}

/** Writes a safe integer from TIME_MIN on as a varint; returns the position after it. */
export function putTime(bytes: Uint8Array, at: number, value: number): number {
  const high = (value / 2 ** 28) | 0;
  const low = value - high * 2 ** 28;
  bytes[at] = low | 0x80;
  bytes[at + 1] = (low >>> 7) | 0x80;
  bytes[at + 2] = (low >>> 14) | 0x80;
  bytes[at + 3] = (low >>> 21) | 0x80;
  bytes[at + 4] = high | 0x80;
  bytes[at + 5] = (high >>> 7) | 0x80;
  bytes[at + 6] = (high >>> 14) | 0x80;
  bytes[at + 7] = high >>> 21;
  return at + 8;
}
