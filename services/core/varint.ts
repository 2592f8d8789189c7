/**
 * Whole numbers from 0 to 2^53 - 1 in as few bytes as they need: seven bits in each, the lowest
 * first, and the highest bit set in all but the last. That is the form of protobuf.
 */

const SEVEN_BITS = 128;
const INT_MAX = 0x7fff_ffff;

/** Behind the number that was taken last. */
export let varintEnd = 0;

/** The number that begins here; `varintEnd` says where it ends. */
export function takeVarint(bytes: Uint8Array, start: number): number {
  let at = start;
  let value = 0;
  for (let unit = 1; ; unit *= SEVEN_BITS) {
    const byte = bytes[at] as number;
    at += 1;
    if (byte < SEVEN_BITS) {
      varintEnd = at;
      return value + byte * unit;
    }
    value += (byte - SEVEN_BITS) * unit;
  }
}

/** Writes a number; returns where it ends. */
export function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  // Bitwise operators see 31 bits; an entry of the array keeps the low eight of what is assigned.
  while (rest > INT_MAX) {
    bytes[at] = SEVEN_BITS + (rest % SEVEN_BITS);
    rest = Math.floor(rest / SEVEN_BITS);
    at += 1;
  }
  let low = rest | 0;
  while (low >= SEVEN_BITS) {
    bytes[at] = low | SEVEN_BITS;
    low >>= 7;
    at += 1;
  }
  bytes[at] = low;
  return at + 1;
}

/** The bytes that it needs. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= SEVEN_BITS; rest = Math.floor(rest / SEVEN_BITS)) length += 1;
  return length;
}

/** Writes a number in exactly so many bytes, of which there are enough. */
export function putPaddedVarint(
  bytes: Uint8Array,
  start: number,
  value: number,
  length: number,
): void {
  let rest = value;
  for (let index = 0; index < length; index += 1) {
    const low = rest % SEVEN_BITS;
    rest = Math.floor(rest / SEVEN_BITS);
    bytes[start + index] = index === length - 1 ? low : SEVEN_BITS + low;
  }
}
