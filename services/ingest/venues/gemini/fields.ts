import type { JsonText } from "#core/json-text.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { decimalText } from "../../reading/text-fields.ts";
import { BAD_TIME } from "../../reading/venue-time.ts";

/** Out of nanoseconds since 1970; what is below a microsecond is cut off the text. */
export function nanosecondsTimeUs(value: JsonText | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  const isTime = typeof value === "string" && /^[1-9]\d{18}$/.test(value);
  return isTime ? Number(value.slice(0, -3)) : BAD_TIME;
}

/** The number of an update; undefined if it is none. */
export function updateIdOf(value: JsonText | undefined): number | undefined {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

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
