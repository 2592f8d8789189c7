import { fromBigInt, type Mantissa } from "@tickwire/proto/model";

// Messages as they stand on the wire, without a word about what they mean: whoever reads one knows
// the numbers of its fields. It is a fifth of what reads them by their specification.

/** One value of a field: a varint without its sign, or the bytes of anything else. */
type FieldValue = Mantissa | Uint8Array;

/** The values of each field of a message in order, at the field's number. */
export type Fields = readonly (readonly FieldValue[] | undefined)[];

const VARINT_BYTES_MAX = 10;
/** From this byte of a varint on, a number would not hold all of it. */
const WIDE_BYTE = 7;

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = /* @__PURE__ */ new TextEncoder();

/** Where the last varint ended. Reading is never re-entered. */
let varintEnd = 0;

/** The varint at a position; from 2^53 on a bigint. Throws RangeError if none ends before `end`. */
function varintAt(bytes: Uint8Array, position: number, end: number): Mantissa {
  const last = position + VARINT_BYTES_MAX;
  let value: Mantissa = 0;
  let unit = 1;
  for (let at = position; at < end && at < last; at += 1) {
    const byte = bytes[at]!;
    const bits = byte & 0x7f;
    if (at < position + WIDE_BYTE) value = (value as number) + bits * unit;
    else value = BigInt.asUintN(64, BigInt(value) + BigInt(bits) * BigInt(unit));
    unit *= 128;
    varintEnd = at + 1;
    if (byte < 0x80) return typeof value === "number" ? value : fromBigInt(value);
  }
  throw new RangeError("a number is cut off");
}

/** Lengths by the wire types that are neither a varint nor say their length. */
const FIXED_BYTES: readonly (number | undefined)[] = [0, 8, 0, undefined, undefined, 4];

/**
 * Takes a message apart; its bytes are parts of those given. Throws RangeError, for groups too: no
 * schema has had any for long.
 */
export function fieldsOf(bytes: Uint8Array): Fields {
  const fields: FieldValue[][] = [];
  const end = bytes.length;
  for (let at = 0; at < end; at = varintEnd) {
    const tag = Number(varintAt(bytes, at, end));
    const type = tag & 7;
    let value: FieldValue = 0;
    let start = varintEnd;
    if (type === 0 || type === 2) value = varintAt(bytes, start, end);
    if (type !== 0) {
      start = varintEnd;
      varintEnd += Number(value) + FIXED_BYTES[type]!;
      value = bytes.subarray(start, varintEnd);
    }
    // Not so either where a length is none.
    if (!(varintEnd <= end) || tag < 8 || tag > 0xffff_ffff) {
      throw new RangeError("a message is damaged");
    }
    if (type === 0 || type === 2) (fields[tag >>> 3] ??= []).push(value);
  }
  return fields;
}

/** The last varint of a field, 0 if there is none. Throws RangeError where it is something else. */
export function varintOf(fields: Fields, field: number): Mantissa {
  const value = fields[field]?.at(-1) ?? 0;
  if (typeof value === "object") throw new RangeError(`field ${field} is no number`);
  return value;
}

/** The same as a number. Throws RangeError, also beyond 2^53. */
export function numberOf(fields: Fields, field: number): number {
  return safeNumber(varintOf(fields, field));
}

/** The same number, which is whole. Throws RangeError beyond 2^53. */
export function safeNumber(value: Mantissa): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new RangeError(`${value} is beyond 2^53`);
}

/** A text, the last that was said; empty if there is none. */
export function textOf(fields: Fields, field: number): string {
  return textsOf(fields, field).at(-1) ?? "";
}

/** Every text of a field. Throws TypeError if one is no UTF-8. */
export function textsOf(fields: Fields, field: number): string[] {
  return bytesOf(fields, field).map((bytes) => decoder.decode(bytes));
}

/** A message, put together of its pieces; undefined if it is absent. */
export function messageOf(fields: Fields, field: number): Fields | undefined {
  const pieces = bytesOf(fields, field);
  // What comes in pieces means what they mean one behind the other.
  return pieces.length === 0
    ? undefined
    : fieldsOf(Uint8Array.from(pieces.flatMap((piece) => [...piece])));
}

/** Everything of a field that is not a varint, which is passed over. */
export function bytesOf(fields: Fields, field: number): Uint8Array[] {
  return (fields[field] ?? []).filter((value) => value instanceof Uint8Array);
}

/** The numbers of a list, packed or not. Throws RangeError if one is cut off. */
export function listOf(fields: Fields, field: number): Mantissa[] {
  const list: Mantissa[] = [];
  for (const value of fields[field] ?? []) {
    if (!(value instanceof Uint8Array)) {
      list.push(value);
      continue;
    }
    const end = value.length;
    for (let at = 0; at < end; at = varintEnd) list.push(varintAt(value, at, end));
  }
  return list;
}

/** The signed number that a zigzag code stands for. */
export function unzigzag(code: Mantissa): Mantissa {
  if (typeof code === "number") return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
  return fromBigInt((code >> 1n) ^ -(code & 1n));
}

/** `a + b` modulo 2^64, as a signed integer. */
export function sumOf(a: Mantissa, b: Mantissa): Mantissa {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return fromBigInt(BigInt.asIntN(64, BigInt(a) + BigInt(b)));
}

/** A value to write; what a message has by default is left out. */
type Written = number | string | boolean | readonly number[] | undefined;

/** A field's number and its value. */
export type Pair = readonly [field: number, Written];

/** The bytes of a message from pairs of a field's number and its value. */
export function messageBytes(...pairs: readonly Pair[]): number[] {
  const out: number[] = [];
  for (const [field, value] of pairs) {
    if (!value || (typeof value === "object" && value.length === 0)) continue;
    if (typeof value === "number" || typeof value === "boolean") {
      putVarint(out, field * 8);
      putVarint(out, Number(value));
      continue;
    }
    const content = typeof value === "string" ? encoder.encode(value) : value;
    putVarint(out, field * 8 + 2);
    putVarint(out, content.length);
    for (const byte of content) out.push(byte);
  }
  return out;
}

/** A whole number from 0 to 2^53. */
function putVarint(out: number[], value: number): void {
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
}
