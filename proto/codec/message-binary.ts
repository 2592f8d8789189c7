import protobuf from "protobufjs/minimal.js";
import type { Mantissa } from "../model/decimal.ts";
import { defaultOf, emptyMessage, fieldValue, isDefault } from "./message-spec.ts";
import type {
  FieldSpec,
  Integer32Type,
  Integer64Type,
  MessageSpec,
  OneofValue,
  PackableSpec,
  Values,
} from "./message-spec.ts";
import { WireError } from "./wire-error.ts";

const { Reader, Writer } = protobuf;
type Reader = InstanceType<typeof Reader>;
type Writer = InstanceType<typeof Writer>;

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/**
 * Encodes a message; the caller owns the result. Throws WireError if a value does not fit its
 * field.
 */
export function encodeMessage(spec: MessageSpec, values: Values): Uint8Array<ArrayBuffer> {
  // Not Writer.create(): that one gives Buffers on Node.
  const writer = new Writer();
  writeFields(spec, values, writer);
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

/** Decodes a message, copying what it keeps. Throws WireError. */
export function decodeMessage(spec: MessageSpec, bytes: Uint8Array): Values {
  const reader = new Reader(bytes);
  const values = emptyMessage(spec);
  try {
    readFields(spec, reader, values);
  } catch (error) {
    if (error instanceof WireError) throw error;
    const code = error instanceof RangeError ? "truncated" : "malformed";
    throw new WireError(code, `${spec.name}: ${String(error)}`, { cause: error });
  }
  return values;
}

function writeFields(spec: MessageSpec, values: Values, writer: Writer): void {
  for (const field of spec.fields) {
    const value = fieldValue(values, field);
    if (isDefault(field, value)) continue;
    if (!field.repeated) {
      writeValue(spec, field, value, writer);
    } else if (isPackable(field)) {
      writer.uint32(tagOf(field, WIRE_BYTES)).fork();
      for (const element of value as readonly unknown[]) {
        writePackable(spec, field, element, writer);
      }
      writer.ldelim();
    } else {
      for (const element of value as readonly unknown[]) writeValue(spec, field, element, writer);
    }
  }
}

function writeValue(spec: MessageSpec, field: FieldSpec, value: unknown, writer: Writer): void {
  switch (field.kind) {
    case "string":
      if (typeof value !== "string") throw misfit(spec, field, value);
      writer.uint32(tagOf(field, WIRE_BYTES)).string(value);
      return;
    case "bytes":
    case "raw":
      if (!(value instanceof Uint8Array)) throw misfit(spec, field, value);
      writer.uint32(tagOf(field, WIRE_BYTES)).bytes(value);
      return;
    case "map":
      for (const [key, text] of Object.entries(value as Record<string, unknown>)) {
        if (typeof text !== "string") throw misfit(spec, field, text);
        writer.uint32(tagOf(field, WIRE_BYTES)).fork();
        writer.uint32((1 << 3) | WIRE_BYTES).string(key);
        writer.uint32((2 << 3) | WIRE_BYTES).string(text);
        writer.ldelim();
      }
      return;
    case "message":
      if (typeof value !== "object" || value === null) throw misfit(spec, field, value);
      writer.uint32(tagOf(field, WIRE_BYTES)).fork();
      writeFields(field.message().spec, value as Values, writer);
      writer.ldelim();
      return;
    case "integer32":
    case "integer64":
    case "bool":
    case "enum":
      writer.uint32(tagOf(field, wireTypeOf(field)));
      writePackable(spec, field, value, writer);
  }
}

function writePackable(
  spec: MessageSpec,
  field: PackableSpec & FieldSpec,
  value: unknown,
  writer: Writer,
): void {
  switch (field.kind) {
    case "bool":
      if (typeof value !== "boolean") throw misfit(spec, field, value);
      writer.bool(value);
      return;
    case "enum": {
      const number = field.enum.numberOf.get(value as string);
      if (number === undefined) throw misfit(spec, field, value);
      writer.int32(number);
      return;
    }
    case "integer32":
      if (!isInteger32(field.type, value)) throw misfit(spec, field, value);
      writer[field.type](value);
      return;
    case "integer64":
      writeInteger64(spec, field, value, writer);
  }
}

function writeInteger64(
  spec: MessageSpec,
  field: FieldSpec & { readonly type: Integer64Type },
  value: unknown,
  writer: Writer,
): void {
  if (!isInteger64(field.type, value)) throw misfit(spec, field, value);
  if (typeof value === "number") {
    writer[field.type](value);
  } else {
    // protobufjs writes a bigint as 0 without an error; what it takes is the two halves.
    const bits = BigInt.asUintN(64, value);
    const low = Number(bits & 0xffff_ffffn) | 0;
    const high = Number(bits >> 32n) | 0;
    writer[field.type]({ low, high, unsigned: false } as Parameters<Writer["uint64"]>[0]);
  }
}

function isInteger32(type: Integer32Type, value: unknown): value is number {
  if (!Number.isInteger(value)) return false;
  const number = value as number;
  return type === "uint32" || type === "fixed32"
    ? number >= 0 && number <= 0xffff_ffff
    : number >= -0x8000_0000 && number <= 0x7fff_ffff;
}

function isInteger64(type: Integer64Type, value: unknown): value is Mantissa {
  const unsigned = type === "uint64" || type === "fixed64";
  if (typeof value === "number") return Number.isSafeInteger(value) && !(unsigned && value < 0);
  if (typeof value !== "bigint") return false;
  return unsigned ? BigInt.asUintN(64, value) === value : BigInt.asIntN(64, value) === value;
}

function readFields(spec: MessageSpec, reader: Reader, values: Values): void {
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    const wireType = tag & 7;
    const field = fieldByNumber(spec, tag >>> 3);
    if (field === undefined || !accepts(field, wireType)) {
      reader.skipType(wireType, 0, tag >>> 3);
    } else if (field.repeated) {
      readElements(spec, field, wireType, reader, values[field.name] as unknown[]);
    } else {
      const before = fieldValue(values, field);
      const value = readValue(spec, field, reader, before);
      if (field.oneof === undefined) values[field.name] = value;
      else values[field.oneof] = { kind: field.name, value } satisfies OneofValue;
    }
  }
}

function fieldByNumber(spec: MessageSpec, number: number): FieldSpec | undefined {
  // Messages have at most a score of fields, most of them numbered without gaps.
  const guess = spec.fields[number - 1];
  return guess?.number === number ? guess : spec.fields.find((field) => field.number === number);
}

/** A field with another wire type than the schema's is an unknown field. */
function accepts(field: FieldSpec, wireType: number): boolean {
  if (!isPackable(field)) return wireType === WIRE_BYTES;
  return wireType === wireTypeOf(field) || (field.repeated === true && wireType === WIRE_BYTES);
}

function readElements(
  spec: MessageSpec,
  field: FieldSpec,
  wireType: number,
  reader: Reader,
  elements: unknown[],
): void {
  if (wireType !== WIRE_BYTES || !isPackable(field)) {
    elements.push(readValue(spec, field, reader, undefined));
    return;
  }
  const outerEnd = enter(reader);
  while (reader.pos < reader.len) elements.push(readPackable(spec, field, reader));
  reader.len = outerEnd;
}

/** Limits the reader to the length-delimited value that starts here; returns the limit before. */
function enter(reader: Reader): number {
  const length = reader.uint32();
  const outerEnd = reader.len;
  if (length > outerEnd - reader.pos) throw new RangeError("a length exceeds what is there");
  reader.len = reader.pos + length;
  return outerEnd;
}

/** `before` is what was read for the field already: messages in pieces are merged. */
function readValue(spec: MessageSpec, field: FieldSpec, reader: Reader, before: unknown): unknown {
  switch (field.kind) {
    case "string":
      return reader.string();
    case "bytes":
      return Uint8Array.from(reader.bytes());
    case "raw":
      return before === undefined
        ? Uint8Array.from(reader.bytes())
        : concatenate(before as Uint8Array, reader.bytes());
    case "map":
      return readMapEntry(reader, (before ?? defaultOf(field)) as Record<string, string>);
    case "message": {
      const inner = field.message().spec;
      const values = (before ?? emptyMessage(inner)) as Values;
      const outerEnd = enter(reader);
      readFields(inner, reader, values);
      reader.len = outerEnd;
      return values;
    }
    case "integer32":
    case "integer64":
    case "bool":
    case "enum":
      return readPackable(spec, field, reader);
  }
}

function readPackable(
  spec: MessageSpec,
  field: PackableSpec & FieldSpec,
  reader: Reader,
): Mantissa | boolean | string {
  switch (field.kind) {
    case "bool":
      return reader.bool();
    case "enum":
      return field.enum.nameOf.get(reader.int32()) ?? field.enum.unknown;
    case "integer32":
      return reader[field.type]();
    case "integer64": {
      const value = integerOf(reader[field.type]());
      if (Number.isSafeInteger(value) || (field.repeated && typeof value === "bigint"))
        return value;
      throw new WireError(
        "unsafe-integer",
        `${spec.name}.${field.protoName} is ${String(value)}, beyond 2^53`,
      );
    }
  }
}

/**
 * A number if it is safe, else a bigint. protobufjs gives numbers only where `long` could not be
 * loaded.
 */
function integerOf(value: ReturnType<Reader["int64"]>): Mantissa {
  if (typeof value === "number") return value;
  const high = value.unsigned ? value.high >>> 0 : value.high;
  const number = high * 0x1_0000_0000 + (value.low >>> 0);
  if (Number.isSafeInteger(number)) return number;
  return (BigInt(high) << 32n) | BigInt(value.low >>> 0);
}

function readMapEntry(reader: Reader, entries: Record<string, string>): Record<string, string> {
  const outerEnd = enter(reader);
  let key = "";
  let value = "";
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | WIRE_BYTES)) key = reader.string();
    else if (tag === ((2 << 3) | WIRE_BYTES)) value = reader.string();
    else reader.skipType(tag & 7, 0, tag >>> 3);
  }
  reader.len = outerEnd;
  entries[key] = value;
  return entries;
}

function isPackable(field: FieldSpec): field is FieldSpec & PackableSpec {
  switch (field.kind) {
    case "integer32":
    case "integer64":
    case "bool":
    case "enum":
      return true;
    case "string":
    case "bytes":
    case "map":
    case "message":
    case "raw":
      return false;
  }
}

function wireTypeOf(field: PackableSpec): number {
  if (field.kind === "bool" || field.kind === "enum") return WIRE_VARINT;
  switch (field.type) {
    case "fixed64":
    case "sfixed64":
      return WIRE_FIXED64;
    case "fixed32":
    case "sfixed32":
      return WIRE_FIXED32;
    case "int32":
    case "int64":
    case "sint32":
    case "sint64":
    case "uint32":
    case "uint64":
      return WIRE_VARINT;
  }
}

function tagOf(field: FieldSpec, wireType: number): number {
  return ((field.number << 3) | wireType) >>> 0;
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function misfit(spec: MessageSpec, field: FieldSpec, value: unknown): WireError {
  const unsafe = field.kind === "integer64" && typeof value === "number";
  return new WireError(
    unsafe ? "unsafe-integer" : "malformed",
    `${spec.name}.${field.protoName} cannot hold ${String(value)}`,
  );
}
