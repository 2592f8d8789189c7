/** What a function that writes numbers returns instead of a position if it cannot write them. */
export const NOT_PLAIN = -1;

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
