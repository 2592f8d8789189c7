import type { Mantissa } from "../../model/decimal.ts";
import { takeNumber, takeWide } from "../byte-reader.ts";
import { addWrapped, unzigzag, unzigzagWide } from "../wide-integers.ts";

/**
 * The sum, modulo 2^64, of a value and the zigzag varint at a position; `varintEnd` says where that
 * ends.
 */
export function takeSum(bytes: Uint8Array, position: number, value: Mantissa): Mantissa {
  const code = takeNumber(bytes, position);
  if (typeof value === "number") {
    const sum = value + unzigzag(code);
    // Not so either where the code was NaN.
    if (sum <= Number.MAX_SAFE_INTEGER && sum >= -Number.MAX_SAFE_INTEGER) return sum;
  }
  const wide = code >= 0 ? BigInt(code) : takeWide(bytes, position);
  return addWrapped(value, unzigzagWide(wide));
}
