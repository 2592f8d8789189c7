import { fromBigInt } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { takeNumber, takeWide, varintEnd, wideEnd } from "../byte-reader.ts";
import { addWrapped, unzigzag, unzigzagWide } from "../wide-integers.ts";
import type { FieldScan } from "./field-scan.ts";

/** The first `count` entries of a sint64 column, which it has. */
export function readDifferences(scan: FieldScan, field: number, count: number): Mantissa[] {
  const { bytes } = scan;
  const end = scan.end(field);
  let at = scan.start(field);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const differences = new Array<Mantissa>(count);
  for (let index = 0; index < count; index += 1) {
    const code = takeNumber(bytes, at);
    if (code >= 0) {
      at = varintEnd;
      differences[index] = unzigzag(code);
    } else {
      differences[index] = fromBigInt(unzigzagWide(takeWide(bytes, at, end)));
      at = wideEnd;
    }
  }
  return differences;
}

/** `a + b` modulo 2^64, as a signed integer. */
export function sumWrapped(a: Mantissa, b: Mantissa): Mantissa {
  if (typeof a === "number" && typeof b === "number") {
    const total = a + b;
    if (total <= Number.MAX_SAFE_INTEGER && total >= -Number.MAX_SAFE_INTEGER) return total;
  }
  return addWrapped(a, BigInt(b));
}
