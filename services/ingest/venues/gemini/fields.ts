import type { JsonText } from "#core/json-text.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { decimalText } from "../../reading/text-fields.ts";

/** A decimal that must be there, and one beside it that may be missing. */
export function decimalPairOf(
  value: JsonText | undefined,
  beside: JsonText | undefined,
): { readonly value: string; readonly beside: string | undefined } | RejectReason {
  if (value === undefined || value === null) return "missing-field";
  const hasBeside = beside !== undefined && beside !== null;
  const texts = { value: decimalText(value), beside: decimalText(beside) };
  if (texts.value === undefined || (hasBeside && texts.beside === undefined)) return "bad-decimal";
  return { value: texts.value, beside: texts.beside };
}
