import { canonicalDecimal } from "@tickwire/proto/model";

/** A JSON object of which nothing is known yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Undefined if the text is not JSON; JSON itself never is. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Damaged, which is what undefined says.
    return undefined;
  }
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for the number of an update: an integer that a double holds exactly. */
export function isUpdateId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** The value, but undefined for the ways in which venues write that they have none. */
export function present(value: unknown): unknown {
  return value === "" || value === null ? undefined : value;
}

/** Canonical plain text; undefined if it is not the text of a decimal. */
export function decimalText(value: unknown): string | undefined {
  return typeof value === "string" ? canonicalDecimal(value) : undefined;
}

/** The text of a string that is not empty; undefined if the value is anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What `optionalDecimal` makes of something that is there and no decimal. */
export const BAD_DECIMAL = "bad-decimal";

/**
 * Canonical plain text of a decimal that may be missing: undefined where the venue writes nothing,
 * null or an empty text, BAD_DECIMAL if it writes something else than a decimal.
 */
export function optionalDecimal(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return decimalText(value) ?? BAD_DECIMAL;
}
