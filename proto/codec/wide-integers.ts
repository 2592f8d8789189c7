import { fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";

/** Numbers of this magnitude, doubled and added up in pairs, are still safe integers. */
export const FAST_MAGNITUDE_MAX = 2 ** 51;

const EXACT_QUOTIENT_MAX = 2 ** 40;

/** The signed 64-bit integer that a zigzag code stands for. */
export function unzigzagWide(code: bigint): bigint {
  return (code >> 1n) ^ -(code & 1n);
}

/** The zigzag code of a whole number, which is taken modulo 2^64. */
export function zigzagWide(value: bigint): bigint {
  const wrapped = BigInt.asIntN(64, value);
  return wrapped < 0n ? -2n * wrapped - 1n : 2n * wrapped;
}

/** The whole number that a zigzag code of at most 2^53 stands for. */
export function unzigzag(code: number): number {
  if (code <= 0x7fff_ffff) return (code >>> 1) ^ -(code & 1);
  return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
}

/** `a + b` modulo 2^64, as a signed integer. */
export function addWrapped(a: Mantissa, b: bigint): Mantissa {
  return fromBigInt(BigInt.asIntN(64, BigInt(a) + b));
}

/** Whole units in a span of time, rounded down for negative spans too; exact. */
export function wholeUnits(spanUs: number, unitUs: number): number {
  if (unitUs === 1) return spanUs;
  // Below this the quotient's fraction, which is 1/1000 at least, is not rounded away.
  if (spanUs < EXACT_QUOTIENT_MAX && spanUs > -EXACT_QUOTIENT_MAX) {
    return Math.floor(spanUs / unitUs);
  }
  const rest = spanUs % unitUs;
  return (spanUs - (rest < 0 ? rest + unitUs : rest)) / unitUs;
}

/** The same of a span that is not safe. */
export function wholeUnitsWide(spanUs: bigint, unitUs: bigint): bigint {
  const rest = spanUs % unitUs;
  return (spanUs - (rest < 0n ? rest + unitUs : rest)) / unitUs;
}
