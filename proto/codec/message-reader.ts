import { fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { ByteReader, WIRE_BYTES, readText, takeUint32 } from "./byte-reader.ts";
import { newContainer } from "./message-spec.ts";
import type { EnumTable } from "./enum-table.ts";
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
    // A field whose wire type is not the schema's is an unknown one.
    if (field === undefined) reader.skip(tag);
    else if (tag === field.tag && !field.repeated) readSingle(spec, field, reader, values);
    else if (tag === field.tag) readElements(spec, field, reader, values);
    else if (field.repeated && field.varint && tag === field.tag - WIRE_BYTES) {
      (values[field.key] as unknown[]).push(readVarint(spec, field, reader));
    } else reader.skip(tag);
  }
  return values;
}

/** A field that is not repeated. */
function readSingle(spec: MessageSpec, field: FieldSpec, reader: ByteReader, values: Values): void {
  const { key, name, oneof } = field;
  // Looking for what nobody wants to merge with costs as much as reading it.
  let before = field.merges ? values[key] : undefined;
  if (oneof !== undefined) {
    const member = before as OneofValue | undefined;
    before = member?.kind === name ? member.value : undefined;
  }
  const value = readValue(spec, field, reader, before);
  values[key] = oneof === undefined ? value : ({ kind: name, value } satisfies OneofValue);
}

/** An element of a list, or a packed list. */
function readElements(
  spec: MessageSpec,
  field: FieldSpec,
  reader: ByteReader,
  values: Values,
): void {
  const elements = values[field.key] as unknown[];
  if (!field.varint) {
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
  const { kind } = field;
  if (field.varint) return readVarint(spec, field, reader);
  if (kind === "s") return readString(reader);
  if (kind === "m" || kind === "M") {
    const outerEnd = reader.enter();
    const value =
      kind === "m"
        ? readMessage(field.message as MessageSpec, reader, before as Values | undefined)
        : readMapEntry(reader, (before ?? newContainer(field)) as Record<string, string>);
    reader.end = outerEnd;
    return value;
  }
  return appended(before as Uint8Array | undefined, reader);
}

function readVarint(
  spec: MessageSpec,
  field: FieldSpec,
  reader: ByteReader,
): Mantissa | boolean | string {
  const { position } = reader;
  const { kind } = field;
  const value = reader.varint();
  // More than a safe integer, which is NaN here, is not 0 either.
  if (kind === "b") return value !== 0;
  if (kind === "u" || kind === "e") {
    const low = value <= 0xffff_ffff ? value : takeUint32(reader.bytes, position);
    if (kind === "u") return low;
    const words = field.enum as EnumTable;
    return words.nameOf.get(low | 0) ?? words.unknown;
  }
  if (kind === "Z") {
    if (value <= 0xffff_ffff) return (value >>> 1) ^ -(value & 1);
  } else if (value >= 0) return value;
  const bits = reader.wide(position);
  const signed = kind === "Z" ? unzigzagWide(bits) : BigInt.asIntN(64, bits);
  const exact = fromBigInt(kind === "U" ? bits : signed);
  // Columns may have bigints.
  if (typeof exact === "number" || field.repeated) return exact;
  throw unsafeInteger(`${spec.name}.${field.name}`, exact);
}

function readString(reader: ByteReader): string {
  const length = reader.length();
  const start = reader.position;
  reader.position = start + length;
  return readText(reader.bytes, start, start + length);
}

function readMapEntry(reader: ByteReader, entries: Record<string, string>) {
  const entry = ["", ""];
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = tag >>> 3;
    if (tag === field * 8 + WIRE_BYTES && field <= entry.length) {
      entry[field - 1] = readString(reader);
    } else reader.skip(tag);
  }
  entries[entry[0] as string] = entry[1] as string;
  return entries;
}

/** A copy of the bytes that follow, behind those that were there. */
function appended(first: Uint8Array | undefined, reader: ByteReader): Uint8Array {
  const length = reader.length();
  const { position } = reader;
  reader.position = position + length;
  const whole = new Uint8Array((first?.length ?? 0) + length);
  if (first !== undefined) whole.set(first);
  whole.set(reader.bytes.subarray(position, position + length), whole.length - length);
  return whole;
}
