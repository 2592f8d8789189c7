import type { Mantissa } from "../model/decimal.ts";
import { ByteWriter } from "./byte-writer.ts";
import { fieldValue, isDefault, protoNameOf } from "./message-spec.ts";
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
  switch (field.kind) {
    case "s":
      if (typeof value !== "string") throw misfit(spec, field, value);
      writer.stringField(field.number, value);
      return;
    case "y":
    case "w":
      if (!(value instanceof Uint8Array)) throw misfit(spec, field, value);
      writer.bytesField(field.number, value);
      return;
    case "M":
      for (const [key, text] of Object.entries(value as Record<string, unknown>)) {
        if (typeof text !== "string") throw misfit(spec, field, text);
        const start = writer.open(field.number);
        writer.stringField(1, key);
        writer.stringField(2, text);
        writer.close(start);
      }
      return;
    case "m": {
      if (typeof value !== "object" || value === null) throw misfit(spec, field, value);
      const start = writer.open(field.number);
      writeFields(field.message as MessageSpec, value as Values, writer);
      writer.close(start);
      return;
    }
    case "u":
    case "U":
    case "I":
    case "Z":
    case "b":
    case "e":
      writer.varint(field.tag);
      writeVarint(spec, field, value, writer);
  }
}

/** A value without its tag, as it also stands in a packed field. */
function writeVarint(
  spec: MessageSpec,
  field: FieldSpec,
  value: unknown,
  writer: ByteWriter,
): void {
  if (field.kind === "b") {
    if (typeof value !== "boolean") throw misfit(spec, field, value);
    writer.varint(value ? 1 : 0);
  } else if (field.kind === "e") {
    const number = field.enum?.numberOf.get(value as string);
    if (number === undefined) throw misfit(spec, field, value);
    writer.varint(number);
  } else if (fits(field, value)) {
    if (typeof value === "number" && value >= 0 && field.kind !== "Z") writer.varint(value);
    else writer.bigVarint(field.kind === "Z" ? zigzagWide(BigInt(value)) : BigInt(value));
  } else {
    throw misfit(spec, field, value);
  }
}

function fits({ kind }: FieldSpec, value: unknown): value is Mantissa {
  const unsigned = kind === "u" || kind === "U";
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || (unsigned && value < 0)) return false;
    return kind !== "u" || value <= 0xffff_ffff;
  }
  if (typeof value !== "bigint" || kind === "u") return false;
  return unsigned ? BigInt.asUintN(64, value) === value : BigInt.asIntN(64, value) === value;
}

function misfit(spec: MessageSpec, field: FieldSpec, value: unknown): WireError {
  const unsafe = "UIZ".includes(field.kind) && typeof value === "number";
  return new WireError(
    unsafe ? "unsafe-integer" : "malformed",
    `${spec.name}.${protoNameOf(field.name)} cannot hold ${String(value)}`,
  );
}
