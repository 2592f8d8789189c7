import { decodeMessage, encodeMessage } from "./message-binary.ts";
import { messageFromJson, messageToJson } from "./message-json.ts";
import type { FromJsonOptions } from "./message-json.ts";
import type { EnumTable, MessageSpec, Values } from "./message-spec.ts";

export { MessageJsonError } from "./message-json.ts";
export type { FieldProblem, FromJsonOptions } from "./message-json.ts";
export type { EnumTable } from "./message-spec.ts";

/**
 * What may be given where a message is written: fields may be left out (they get their defaults),
 * at every depth. A whole message is one too.
 */
export type MessageInit<T> = T extends string | number | bigint | boolean | Uint8Array | undefined
  ? T
  : T extends readonly (infer Element)[]
    ? readonly MessageInit<Element>[]
    : T extends { readonly kind: infer Kind; readonly value: infer Value }
      ? { readonly kind: Kind; readonly value: MessageInit<Value> }
      : { readonly [Key in keyof T]?: MessageInit<T[Key]> | undefined };

/**
 * Carries one type of message to and from bytes and JSON. 64-bit integers are checked numbers
 * (columns of batches: numbers or bigints), enums are the names of their values, and a Batch inside
 * a message stays encoded.
 */
export type MessageCodec<T> = {
  /** Full name, such as `tickwire.v1.Trade`. */
  readonly name: string;
  /** For the codecs of messages that contain this one. */
  readonly spec: MessageSpec;
  /** The caller owns the result. Throws WireError if a value does not fit its field. */
  encode(value: MessageInit<T>): Uint8Array<ArrayBuffer>;
  /** Copies what it keeps of `bytes`. Throws WireError. Unknown fields are skipped. */
  decode(bytes: Uint8Array): T;
  /**
   * Proto3 JSON, as a value for JSON.stringify. Throws WireError if a value does not fit its field.
   */
  toJson(value: MessageInit<T>): unknown;
  /**
   * Reads proto3 JSON, as JSON.parse gives it. Throws MessageJsonError, which names every bad
   * field.
   */
  fromJson(json: unknown, options?: FromJsonOptions): T;
};

/** Used by generated code, which vouches that `T` and the fields agree. */
export function createMessageCodec<T>(spec: MessageSpec): MessageCodec<T> {
  return {
    name: spec.name,
    spec,
    encode: (value) => encodeMessage(spec, value as Values),
    decode: (bytes) => decodeMessage(spec, bytes) as T,
    toJson: (value) => messageToJson(spec, value as Values),
    fromJson: (json, options) => messageFromJson(spec, json, options) as T,
  };
}

/** Used by generated code. `unknown` is what a number that the schema does not know is read as. */
export function createEnumTable(
  name: string,
  numbers: Readonly<Record<string, number>>,
  unknown: string,
): EnumTable {
  const entries = Object.entries(numbers);
  return {
    name,
    unknown,
    numberOf: new Map(entries),
    nameOf: new Map(entries.map(([valueName, number]) => [number, valueName])),
  };
}
