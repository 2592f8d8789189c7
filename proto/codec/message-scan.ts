import { ByteReader, WIRE_BYTES, WIRE_GROUP_END, WIRE_GROUP_START } from "./byte-reader.ts";
import type { MessageCodec } from "./message-codec.ts";
import type { MessageSpec } from "./message-spec.ts";
import { WireError } from "./wire-error.ts";

/** What decoding a message would make, counted before anything is made. */
export type MessageSize = {
  /** Fields at every depth, known or not; each element of a repeated field counts. */
  readonly fields: number;
  /** Those that the schema does not know, groups and what is in them among them. */
  readonly unknownFields: number;
  /** Fields of the outermost message alone. */
  readonly outerFields: number;
};

/** Messages within messages; the schema has fewer. */
const DEPTH_MAX = 32;
/** The entries of a map have no message of their own in the schema: key and value. */
const ENTRY_FIELD_MAX = 2;

/**
 * Counts the fields of an encoded message as its reader would come upon them. Undefined as soon as
 * there are more than `fieldsMax`: so it costs no more than the limit, whatever comes. Throws
 * WireError where the bytes are cut off or no message.
 */
export function measureMessage(
  { spec }: Pick<MessageCodec<unknown>, "spec">,
  bytes: Uint8Array,
  fieldsMax: number,
): MessageSize | undefined {
  const scan = new MessageScan(new ByteReader(bytes, 0, bytes.length), fieldsMax);
  return scan.message(spec, 0) ? scan : undefined;
}

class MessageScan implements MessageSize {
  fields = 0;
  unknownFields = 0;
  outerFields = 0;
  readonly #reader: ByteReader;
  readonly #fieldsMax: number;

  constructor(reader: ByteReader, fieldsMax: number) {
    this.#reader = reader;
    this.#fieldsMax = fieldsMax;
  }

  /** Up to the end of the reader; false if the limit is exceeded. */
  message(spec: MessageSpec | undefined, depth: number): boolean {
    if (depth > DEPTH_MAX) throw new WireError("malformed", "messages are nested too deeply");
    const reader = this.#reader;
    while (reader.position < reader.end) {
      const tag = reader.tag();
      if (!this.#count(1)) return false;
      if (depth === 0) this.outerFields += 1;
      if (!this.#value(spec, tag, depth)) return false;
    }
    return true;
  }

  #value(spec: MessageSpec | undefined, tag: number, depth: number): boolean {
    const reader = this.#reader;
    const wireType = tag & 7;
    const field = spec?.field(tag >>> 3);
    const isOfEntry = spec === undefined && tag >>> 3 <= ENTRY_FIELD_MAX;
    if (field === undefined && !isOfEntry) this.unknownFields += 1;
    // What is in a group follows it like fields of the message that it is in.
    if (wireType === WIRE_GROUP_START || wireType === WIRE_GROUP_END) return true;
    if (wireType !== WIRE_BYTES || field === undefined) {
      reader.skip(tag);
      return true;
    }
    if (field.varint) {
      const length = reader.length();
      reader.position += length;
      return this.#count(length);
    }
    if (field.kind !== "m" && field.kind !== "M") {
      reader.skip(tag);
      return true;
    }
    const outerEnd = reader.enter();
    const isWithin = this.message(field.message, depth + 1);
    reader.end = outerEnd;
    return isWithin;
  }

  #count(fields: number): boolean {
    this.fields += fields;
    return this.fields <= this.#fieldsMax;
  }
}
