import { decodeMessage } from "./message-reader.ts";
import { MessageSpec } from "./message-spec.ts";
import type { FieldReference, Values } from "./message-spec.ts";
import { encodeMessage } from "./message-writer.ts";

export type { FieldReference } from "./message-spec.ts";

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
 * Carries one type of message to and from bytes. 64-bit integers are checked numbers (columns of
 * batches: numbers or bigints), enums are the names of their values, and a Batch inside a message
 * stays encoded. For JSON there are `messageToJson` and `messageFromJson`.
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
};

/**
 * Used by generated code, which vouches that `T` and the fields agree. What
 * the text of the fields means is said at MessageSpec.
 */
export function createMessageCodec<T>(
  name: string,
  fields: string,
  references: readonly FieldReference[] = [],
): MessageCodec<T> {
  const spec = new MessageSpec(name, fields, references);
  return {
    name,
    spec,
    encode: (value) => encodeMessage(spec, value as Values),
    decode: (bytes) => decodeMessage(spec, bytes) as T,
  };
}
