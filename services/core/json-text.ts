import { JsonTape } from "./json-tape.ts";
import type { JsonText } from "./json-value.ts";

export type { JsonText } from "./json-value.ts";

/**
 * Reads a JSON text without touching its numbers. Accepts exactly what JSON.parse accepts, up to
 * JSON_DEPTH_MAX levels of nesting; of equal keys the last one counts. Undefined if the text is
 * damaged. Never throws.
 */
export function parseJsonText(text: string): JsonText | undefined {
  return tape.scan(text) ? tape.value(0) : undefined;
}

/** Nothing of it is kept between two calls. */
const tape = new JsonTape();

/** The object, or undefined if the value is anything else. */
export function asJsonObject(
  value: JsonText | undefined,
): { readonly [key: string]: JsonText } | undefined {
  return typeof value === "object" && value !== null && !isArray(value) ? value : undefined;
}

/** The array, or undefined if the value is anything else. */
export function asJsonArray(value: JsonText | undefined): readonly JsonText[] | undefined {
  return isArray(value) ? value : undefined;
}

/** The text of a string or number, or undefined if the value is anything else. */
export function asText(value: JsonText | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: JsonText | undefined): value is readonly JsonText[] {
  return Array.isArray(value);
}
