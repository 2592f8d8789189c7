import { canonicalDecimal, fromBigInt, type Mantissa } from "@tickwire/proto/model";

/** A number as the integer that it is at its scale. */
type ExactDecimal = { readonly mantissa: Mantissa; readonly scale: number };

/** Exactly what a text says, at the smallest scale; undefined if it is no plain decimal. */
export function exactDecimal(text: string): ExactDecimal | undefined {
  const canonical = canonicalDecimal(text);
  if (canonical === undefined) return undefined;
  const [whole = "", fraction = ""] = canonical.split(".");
  return { mantissa: fromBigInt(BigInt(whole + fraction)), scale: fraction.length };
}
