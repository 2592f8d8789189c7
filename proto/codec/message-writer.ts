import type { Mantissa } from "../model/decimal.ts";
import { ByteWriter } from "./byte-writer.ts";
import { fieldValue, isDefault } from "./message-spec.ts";
import type { FieldSpec, MessageSpec, Values } from "./message-spec.ts";
import { zigzagWide } from "./wide-integers.ts";
import { WireError } from "./wire-error.ts";

/**
 * Kept from message to message. Absent while a message is written, so that a value with a getter
 * that encodes another message does no harm.
 */
let spareWriter: ByteWriter | undefined;

/**
 * Encodes a message; the caller owns the result. Throws WireError if a value does not fit its
 * field.
 */
export function encodeMessage(spec: MessageSpec, values: Values): Uint8Array<ArrayBuffer> {
  const writer = spareWriter ?? new ByteWriter();
  spareWriter = undefined;
  writer.reset();
  writeFields(spec, values, writer);
  const bytes = writer.finish();
  spareWriter = writer;
  return bytes;
}

function writeFields(spec: MessageSpec, values: Values, writer: ByteWriter): void {
  const { fields } = spec;
  for (let index = 0; index < fields.length; index += 1) {
    const field = fields[index] as FieldSpec;
    const value = fieldValue(values, field);
    if (isDefault(field, value)) continue;
    if (!field.repeated) {
      writeValue(spec, field, value, writer);
    } else if (field.varint) {
      const start = writer.open(field.number);
      for (const element of value as readonly unknown[]) writeVarint(spec, field, element, writer);
      writer.close(start);
    } else {
      for (const element of value as readonly unknown[]) writeValue(spec, field, element, writer);
    }
  }
}

function writeValue(spec: MessageSpec, field: FieldSpec, value: unknown, writer: ByteWriter): void {
  const { kind, number } = field;
  if (field.varint) {
    writer.varint(field.tag);
    writeVarint(spec, field, value, writer);
  } else if (kind === "s" && typeof value === "string") {
    writer.stringField(number, value);
  } else if ((kind === "y" || kind === "w") && value instanceof Uint8Array) {
    writer.bytesField(number, value);
  } else if (kind === "m" && typeof value === "object" && value !== null) {
    const start = writer.open(number);
    writeFields(field.message as MessageSpec, value as Values, writer);
    writer.close(start);
  } else if (kind === "M") {
    for (const entry of Object.entries(value as Record<string, unknown>)) {
      const start = writer.open(number);
      for (const [index, text] of entry.entries()) {
        if (typeof text !== "string") throw misfit(spec, field, text);
        writer.stringField(index + 1, text);
      }
      writer.close(start);
    }
  } else {
    throw misfit(spec, field, value);
  }
}

/** A value without its tag, as it also stands in a packed field. */
function writeVarint(
  spec: MessageSpec,
  field: FieldSpec,
  value: unknown,
  writer: ByteWriter,
): void {
  const { kind } = field;
  const number =
    kind === "e"
      ? field.enum?.numberOf.get(value as string)
      : kind !== "b"
        ? fits(kind, value) && value
        : typeof value === "boolean" && Number(value);
  if (typeof number === "number" && number >= 0 && kind !== "Z") writer.varint(number);
  else if (typeof number === "number" || typeof number === "bigint") {
    writer.bigVarint(kind === "Z" ? zigzagWide(BigInt(number)) : BigInt(number));
  } else throw misfit(spec, field, value);
}

function fits(kind: FieldSpec["kind"], value: unknown): value is Mantissa {
  const unsigned = kind === "u" || kind === "U";
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || (unsigned && value < 0)) return false;
    return kind !== "u" || value <= 0xffff_ffff;
  }
  if (typeof value !== "bigint" || kind === "u") return false;
  return (unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value)) === value;
}

function misfit(spec: MessageSpec, { kind, name }: FieldSpec, value: unknown): WireError {
  const unsafe = "UIZ".includes(kind) && typeof value === "number";
  return new WireError(
    unsafe ? "unsafe-integer" : "malformed",
    `${spec.name}.${name} cannot hold ${String(value)}`,
  );
}
