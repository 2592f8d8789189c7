import type { JsonTape } from "#core/json-tape.ts";
import { asJsonObject, parseJsonText, type JsonText } from "#core/json-text.ts";
import type { FrameForm } from "./frame-decoder.ts";
import { isRecord, type JsonRecord, parseJson } from "./text-fields.ts";

/** A JSON object in which every number is its source text. */
export type TextRecord = { readonly [key: string]: JsonText };

/**
 * For venues that send objects and quote their decimals: `JSON.parse`, which is fast, and rounds
 * what is not quoted.
 */
export const JSON_RECORDS: FrameForm<JsonRecord, unknown> = {
  message: (text) => {
    const value = parseJson(text);
    if (isRecord(value)) return value;
    return value === undefined ? "bad-json" : "unknown-message";
  },
  body: parseJson,
};

/** The same for venues that send arrays as well. */
export const JSON_RECORDS_AND_ARRAYS: FrameForm<JsonRecord | readonly unknown[], unknown> = {
  message: (text) => {
    const value = parseJson(text);
    if (Array.isArray(value)) return value as readonly unknown[];
    if (isRecord(value)) return value;
    return value === undefined ? "bad-json" : "unknown-message";
  },
  body: parseJson,
};

/** For venues that send objects with bare decimals, of which no digit may be lost. */
export const TEXT_RECORDS: FrameForm<TextRecord, JsonText> = {
  message: (text) => {
    const value = parseJsonText(text);
    return value === undefined ? "bad-json" : (asJsonObject(value) ?? "unknown-message");
  },
  body: parseJsonText,
};

/**
 * For venues whose many messages are worth reading without making an object of each. What is read
 * is the tape itself, which holds one text at a time: the frame or answer that was scanned last.
 */
export function tapeObjects(tape: JsonTape): FrameForm<JsonTape, JsonTape> {
  return {
    message: (text) => {
      if (!tape.scan(text)) return "bad-json";
      return tape.isObject(0) ? tape : "unknown-message";
    },
    body: (text) => (tape.scan(text) ? tape : undefined),
  };
}
