import { fromBigInt, type Mantissa } from "@tickwire/proto/model";

// Messages as they stand on the wire, without a word about what they mean: whoever reads one knows
// the numbers of its fields. It is a fifth of what reads them by their specification.

/** One value of a field: a varint without its sign, or the bytes of anything else. */
type FieldValue = Mantissa | Uint8Array;

/** The values of each field of a message in order, at the field's number. */
export type Fields = readonly (readonly FieldValue[] | undefined)[];

const VARINT_BYTES_MAX = 10;

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = /* @__PURE__ */ new TextEncoder();

/** Where the last varint ended. Reading is never re-entered. */
let varintEnd = 0;

/** The varint at a position; from 2^53 on a bigint. Throws RangeError if none ends before `end`. */
function varintAt(bytes: Uint8Array, position: number, end: number): Mantissa {
  let value = 0;
  let scale = 1;
  for (let at = position; at < end && at < position + VARINT_BYTES_MAX; at += 1) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      varintEnd = at + 1;
      return value <= Number.MAX_SAFE_INTEGER ? value : wideAt(bytes, position, at);
    }
    scale *= 128;
  }
  throw new RangeError("a number is cut off");
}

/** The varint whose last byte is at `last`, of which 64 bits count. */
function wideAt(bytes: Uint8Array, position: number, last: number): Mantissa {
  let wide = 0n;
  for (let at = last; at >= position; at -= 1) wide = (wide << 7n) | BigInt(bytes[at]! & 0x7f);
  return fromBigInt(BigInt.asUintN(64, wide));
}

/** Lengths by the wire types that are neither a varint nor say their length. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 3: 0, 4: 0, 5: 4 };

/** Takes a message apart; its bytes are parts of those given. Throws RangeError. */
export function fieldsOf(bytes: Uint8Array): Fields {
  const fields: FieldValue[][] = [];
  /** Groups that are open, whose fields are passed over: no schema has had any for long. */
  const groups: number[] = [];
  const end = bytes.length;
  for (let at = 0; at < end;) {
    const tag = Number(varintAt(bytes, at, end));
    const type = tag & 7;
    at = varintEnd;
    let value: FieldValue | undefined;
    if (type < 1) value = varintAt(bytes, at, end);
    else {
      const length = type === 2 ? Number(varintAt(bytes, at, end)) : FIXED_BYTES[type];
      at = varintEnd;
      varintEnd += length ?? NaN;
      if (type === 2) value = bytes.subarray(at, varintEnd);
    }
    at = varintEnd;
    if (type === 3) groups.push(tag);
    const isOpen = groups.length > 0;
    const isOdd = tag < 8 || tag > 0xffff_ffff || (type === 4 && groups.pop() !== tag - 1);
    // Not so either where a length is none.
    if (!(at <= end) || isOdd) throw new RangeError("a message is damaged");
    if (value !== undefined && !isOpen) (fields[tag >>> 3] ??= []).push(value);
  }
  if (groups.length > 0) throw new RangeError("a group is cut off");
  return fields;
}

/** The varint of a field, the last that was said; 0 if there is none. */
export function varintOf(fields: Fields, field: number): Mantissa {
  const varints = (fields[field] ?? []).filter((value) => typeof value !== "object");
  return varints.at(-1) ?? 0;
}

/** The same as a number. Throws RangeError beyond 2^53. */
export function numberOf(fields: Fields, field: number): number {
  const value = varintOf(fields, field);
  if (typeof value === "number") return value;
  throw new RangeError(`field ${field} is no number below 2^53`);
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

/** Everything of a field that is not a varint. */
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
  if (typeof a === "number" && typeof b === "number" && Number.isSafeInteger(a + b)) return a + b;
  return fromBigInt(BigInt.asIntN(64, BigInt(a) + BigInt(b)));
}

/** A value to write; what a message has by default is left out. */
type Written = number | string | boolean | readonly number[] | undefined;

/** The bytes of a message from pairs of a field's number and its value. */
export function messageBytes(...pairs: readonly (readonly [field: number, Written])[]): number[] {
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
