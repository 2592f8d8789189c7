import { fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { ByteReader, WireType, readText } from "./byte-reader.ts";
import { defaultOf, emptyMessage, fieldValue, protoNameOf } from "./message-spec.ts";
import type { FieldSpec, MessageSpec, OneofValue, Values } from "./message-spec.ts";
import { WireError } from "./wire-error.ts";

/** Decodes a message, copying what it keeps. Throws WireError. */
export function decodeMessage(spec: MessageSpec, bytes: Uint8Array): Values {
  const values = emptyMessage(spec);
  readFields(spec, new ByteReader(bytes, 0, bytes.length), values);
  return values;
}

function readFields(spec: MessageSpec, reader: ByteReader, values: Values): void {
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = spec.field(tag >>> 3);
    if (field === undefined) reader.skip(tag);
    else if (tag === field.tag && !field.repeated) readSingle(spec, field, reader, values);
    else readOther(spec, field, tag, { reader, values });
  }
}

/** A field that is not repeated. */
function readSingle(spec: MessageSpec, field: FieldSpec, reader: ByteReader, values: Values): void {
  if (field.oneof === undefined) {
    const isMerged = field.kind === "m" || field.kind === "w" || field.kind === "M";
    const before = isMerged ? values[field.name] : undefined;
    values[field.name] = readValue(spec, field, reader, before);
  } else {
    const value = readValue(spec, field, reader, fieldValue(values, field));
    values[field.oneof] = { kind: field.name, value } satisfies OneofValue;
  }
}

type Target = { readonly reader: ByteReader; readonly values: Values };

/** A repeated field, or one whose wire type is not the schema's, which is an unknown field. */
function readOther(
  spec: MessageSpec,
  field: FieldSpec,
  tag: number,
  { reader, values }: Target,
): void {
  const wireType = tag & 7;
  const isAccepted = wireType === WireType.Bytes || (field.varint && wireType === WireType.Varint);
  if (!field.repeated || !isAccepted) {
    reader.skip(tag);
    return;
  }
  const elements = values[field.name] as unknown[];
  if (!field.varint || wireType === WireType.Varint) {
    elements.push(readValue(spec, field, reader, undefined));
    return;
  }
  const outerEnd = reader.enter();
  while (reader.position < reader.end) elements.push(readVarint(spec, field, reader));
  reader.end = outerEnd;
}

/** `before` is what was read for the field already: messages in pieces are merged. */
function readValue(
  spec: MessageSpec,
  field: FieldSpec,
  reader: ByteReader,
  before: unknown,
): unknown {
  switch (field.kind) {
    case "s":
      return readString(reader);
    case "y":
      return concatenate(undefined, readBytes(reader));
    case "w":
      return concatenate(before as Uint8Array | undefined, readBytes(reader));
    case "M":
      return readMapEntry(reader, (before ?? defaultOf(field)) as Record<string, string>);
    case "m": {
      const inner = field.message as MessageSpec;
      const values = (before ?? emptyMessage(inner)) as Values;
      const outerEnd = reader.enter();
      readFields(inner, reader, values);
      reader.end = outerEnd;
      return values;
    }
    case "u":
    case "U":
    case "I":
    case "Z":
    case "b":
    case "e":
      return readVarint(spec, field, reader);
  }
}

function readVarint(
  spec: MessageSpec,
  field: FieldSpec,
  reader: ByteReader,
): Mantissa | boolean | string {
  const value = reader.varint();
  switch (field.kind) {
    case "u":
      return value <= 0xffff_ffff ? value : reader.low;
    case "b":
      // More than a safe integer, which is NaN here, is not 0 either.
      return value !== 0;
    case "e": {
      const number = value <= 0x7fff_ffff ? value : reader.low | 0;
      return field.enum?.nameOf.get(number) ?? (field.enum as { unknown: string }).unknown;
    }
    case "U":
    case "I":
      if (value <= Number.MAX_SAFE_INTEGER) return value;
      break;
    case "Z":
      if (value <= 0xffff_ffff) return (value >>> 1) ^ -(value & 1);
      break;
    case "s":
    case "y":
    case "m":
    case "w":
    case "M":
      throw new TypeError(`the field ${field.name} is no varint`);
  }
  return exactInteger(spec, field, reader);
}

/** An integer of 64 bits from the halves that the reader holds: columns may have bigints. */
function exactInteger(spec: MessageSpec, field: FieldSpec, reader: ByteReader): Mantissa {
  const bits = (BigInt(reader.high) << 32n) | BigInt(reader.low);
  const signed = field.kind === "Z" ? (bits >> 1n) ^ -(bits & 1n) : BigInt.asIntN(64, bits);
  const value = fromBigInt(field.kind === "U" ? bits : signed);
  if (typeof value === "number" || field.repeated) return value;
  throw new WireError(
    "unsafe-integer",
    `${spec.name}.${protoNameOf(field.name)} is ${value}, beyond 2^53`,
  );
}

function readString(reader: ByteReader): string {
  const length = reader.length();
  const start = reader.position;
  reader.position = start + length;
  return readText(reader.bytes, start, start + length);
}

function readBytes(reader: ByteReader): Uint8Array {
  const length = reader.length();
  reader.position += length;
  return reader.bytes.subarray(reader.position - length, reader.position);
}

function readMapEntry(reader: ByteReader, entries: Record<string, string>) {
  const outerEnd = reader.enter();
  let key = "";
  let value = "";
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === 8 + WireType.Bytes) key = readString(reader);
    else if (tag === 16 + WireType.Bytes) value = readString(reader);
    else reader.skip(tag);
  }
  reader.end = outerEnd;
  entries[key] = value;
  return entries;
}

/** A copy of both, the first of which may be absent. */
function concatenate(first: Uint8Array | undefined, second: Uint8Array): Uint8Array {
  if (first === undefined) return Uint8Array.from(second);
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
