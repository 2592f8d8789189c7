import type { Mantissa } from "../../model/decimal.ts";
import { putBigVarint, putVarint } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX, zigzagWide } from "../wide-integers.ts";

/** Writes `a - b` modulo 2^64 as a zigzag varint; returns the position after it. */
export function putDifference(bytes: Uint8Array, at: number, a: Mantissa, b: Mantissa): number {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (difference <= FAST_MAGNITUDE_MAX && difference >= -FAST_MAGNITUDE_MAX) {
      return putVarint(bytes, at, difference < 0 ? -2 * difference - 1 : 2 * difference);
    }
  }
  return putBigVarint(bytes, at, zigzagWide(BigInt(a) - BigInt(b)));
}
