import { fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { ByteReader, WIRE_BYTES, WIRE_VARINT, readText } from "./byte-reader.ts";
import { defaultOf, protoNameOf } from "./message-spec.ts";
import type { FieldSpec, MessageSpec, OneofValue, Values } from "./message-spec.ts";
import { unzigzagWide } from "./wide-integers.ts";
import { unsafeInteger } from "./wire-error.ts";

/** Decodes a message, copying what it keeps. Throws WireError. */
export function decodeMessage(spec: MessageSpec, bytes: Uint8Array): Values {
  return readMessage(spec, new ByteReader(bytes, 0, bytes.length), undefined);
}

/** Reads up to the end of the reader; `before` is what came of the message already. */
function readMessage(spec: MessageSpec, reader: ByteReader, before: Values | undefined): Values {
  const values = before ?? spec.empty();
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = spec.field(tag >>> 3);
    if (field === undefined) reader.skip(tag);
    else if (tag === field.tag && !field.repeated) readSingle(spec, field, reader, values);
    else readOther(spec, field, tag, { reader, values });
  }
  return values;
}

/** A field that is not repeated. */
function readSingle(spec: MessageSpec, field: FieldSpec, reader: ByteReader, values: Values): void {
  if (field.oneof === undefined) {
    // Looking for what nobody wants to merge with costs as much as reading it.
    const before = field.merges ? values[field.key] : undefined;
    values[field.key] = readValue(spec, field, reader, before);
    return;
  }
  const other = values[field.key] as OneofValue | undefined;
  const same = other?.kind === field.name ? other.value : undefined;
  const value = readValue(spec, field, reader, same);
  values[field.key] = { kind: field.name, value } satisfies OneofValue;
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
  const isAccepted = wireType === WIRE_BYTES || (field.varint && wireType === WIRE_VARINT);
  if (!field.repeated || !isAccepted) {
    reader.skip(tag);
    return;
  }
  const elements = values[field.key] as unknown[];
  if (!field.varint || wireType === WIRE_VARINT) {
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
      const outerEnd = reader.enter();
      const inner = field.message as MessageSpec;
      const value = readMessage(inner, reader, before as Values | undefined);
      reader.end = outerEnd;
      return value;
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
  const { position } = reader;
  const value = reader.varint();
  switch (field.kind) {
    case "u":
      return value <= 0xffff_ffff ? value : lowBits(reader, position);
    case "b":
      // More than a safe integer, which is NaN here, is not 0 either.
      return value !== 0;
    case "e": {
      const number = value <= 0x7fff_ffff ? value : lowBits(reader, position) | 0;
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
  return exactInteger(spec, field, reader.wide(position));
}

function lowBits(reader: ByteReader, start: number): number {
  return Number(BigInt.asUintN(32, reader.wide(start)));
}

/** An integer of 64 bits: columns may have bigints. */
function exactInteger(spec: MessageSpec, field: FieldSpec, bits: bigint): Mantissa {
  const signed = field.kind === "Z" ? unzigzagWide(bits) : BigInt.asIntN(64, bits);
  const value = fromBigInt(field.kind === "U" ? bits : signed);
  if (typeof value === "number" || field.repeated) return value;
  throw unsafeInteger(`${spec.name}.${protoNameOf(field.name)}`, value);
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
    if (tag === 8 + WIRE_BYTES) key = readString(reader);
    else if (tag === 16 + WIRE_BYTES) value = readString(reader);
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
