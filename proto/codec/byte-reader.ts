import { fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { malformed, truncated, unsafeInteger } from "./wire-error.ts";

const TWO_28 = 0x1000_0000;

// Wire types of protobuf.
export const WIRE_VARINT = 0;
export const WIRE_BYTES = 2;
export const WIRE_GROUP_START = 3;
export const WIRE_GROUP_END = 4;
/** Lengths by the wire types that have a fixed one. */
const FIXED_BYTES: ReadonlyMap<number, number> = /* @__PURE__ */ new Map([
  [1, 8],
  [5, 4],
]);

/** Groups within groups that an unknown field may have. */
const GROUP_DEPTH_MAX = 32;

/** Up to here, texts are put together byte by byte, which is faster than the decoder's call. */
const SHORT_TEXT_BYTES = 24;

const VARINT_BYTES_MAX = 10;

const textDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads protobuf primitives from part of a buffer. Throws WireError for what is not there. */
export class ByteReader {
  bytes: Uint8Array;
  position = 0;
  /** What is read must lie before it. */
  end = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.reset(bytes, start, end);
  }

  /** Starts anew, on other bytes. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw truncated();
    }
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** The value of a varint, where that is a safe integer from 0; NaN otherwise: see `wide`. */
  varint(): number {
    const { bytes, position } = this;
    const first = bytes[position] as number;
    if (first < 0x80 && position < this.end) {
      this.position = position + 1;
      return first;
    }
    let value = takeNumber(bytes, position);
    // NaN where the varint is long, or where there is none: that is found out here.
    if (value !== value) {
      const wide = fromBigInt(takeWide(bytes, position));
      if (typeof wide === "number") value = wide;
    }
    if (varintEnd > this.end) throw truncated();
    this.position = varintEnd;
    return value;
  }

  /** The 64 bits of the varint that was read last, which began at `start`. */
  wide(start: number): bigint {
    return takeWide(this.bytes, start);
  }

  /** Field number * 8 + wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag >= 8 && tag <= 0xffff_ffff) return tag;
    throw malformed("a tag has no field number");
  }

  /** The length of what follows, which is there. */
  length(): number {
    const length = this.varint();
    if (length <= this.end - this.position) return length;
    throw truncated();
  }

  /**
   * Reads a length and sets `end` to the end of what follows; returns the `end` of before, which
   * the caller puts back.
   */
  enter(): number {
    const { end } = this;
    const length = this.length();
    this.end = this.position + length;
    return end;
  }

  /** Passes over a value of an unknown field, at that depth of groups within groups. */
  skip(tag: number, depth = 0): void {
    const wireType = tag & 7;
    if (wireType === WIRE_VARINT) this.varint();
    else if (wireType === WIRE_GROUP_START) this.#skipGroup(tag, depth);
    else {
      const count = wireType === WIRE_BYTES ? this.length() : FIXED_BYTES.get(wireType);
      if (count === undefined) throw malformed(`a field has the wire type ${wireType}`);
      if (count > this.end - this.position) throw truncated();
      this.position += count;
    }
  }

  #skipGroup(tag: number, depth: number): void {
    if (depth === GROUP_DEPTH_MAX) throw malformed("groups are nested too deeply");
    const endTag = tag + (WIRE_GROUP_END - WIRE_GROUP_START);
    for (let inner = this.tag(); inner !== endTag; inner = this.tag()) this.skip(inner, depth + 1);
  }
}

/** The number if it is a safe integer. Throws WireError otherwise. */
export function safeInteger(name: string, value: Mantissa): number {
  const number = typeof value === "number" ? value : fromBigInt(value);
  if (typeof number === "number") return number;
  throw unsafeInteger(name, value);
}

/**
 * Where the last `takeNumber` or `takeWide` ended. A variable of the module and no result, because
 * an object for every value would cost more than reading it.
 */
export let varintEnd = 0;

/**
 * The varint at a position as a number; NaN, without setting `varintEnd`, if it is longer than
 * eight bytes or beyond 2^53, which is for `takeWide`. Reads on past the end of its column (the
 * caller compares `varintEnd`), never past the buffer. Up to four bytes in 32-bit arithmetic and
 * without a loop: most values of a column are short.
 */
export function takeNumber(bytes: Uint8Array, position: number): number {
  const first = bytes[position] as number;
  if (first < 0x80) {
    varintEnd = position + 1;
    return first;
  }
  const second = bytes[position + 1] as number;
  if (second < 0x80) {
    varintEnd = position + 2;
    return (first & 0x7f) | (second << 7);
  }
  const third = bytes[position + 2] as number;
  if (third < 0x80) {
    varintEnd = position + 3;
    return (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
  }
  const fourth = bytes[position + 3] as number;
  const low = (first & 0x7f) | ((second & 0x7f) << 7) | ((third & 0x7f) << 14);
  if (fourth < 0x80) {
    varintEnd = position + 4;
    return low | (fourth << 21);
  }
  return takeLong(bytes, position + 4, low | ((fourth & 0x7f) << 21));
}

/**
 * The same as `takeNumber`, which it calls for more than four bytes. It decides nothing by a jump
 * on the length, because lengths of sizes vary in a way that no processor foresees.
 */
export function takeEntry(bytes: Uint8Array, position: number): number {
  if (position + 4 > bytes.length) return takeNumber(bytes, position);
  const word =
    (bytes[position] as number) |
    ((bytes[position + 1] as number) << 8) |
    ((bytes[position + 2] as number) << 16) |
    ((bytes[position + 3] as number) << 24);
  const ends = ~word & 0x8080_8080;
  if (ends === 0) return takeNumber(bytes, position);
  const end = ends & (~ends + 1);
  const said = word & (end - 1);
  varintEnd = position + ((39 - Math.clz32(end)) >> 3);
  return (
    (said & 0x7f) | ((said & 0x7f00) >> 1) | ((said & 0x7f_0000) >> 2) | ((said & 0x7f00_0000) >> 3)
  );
}

/** The rest of a varint of five to eight bytes, whose first four are `low`. */
function takeLong(bytes: Uint8Array, position: number, low: number): number {
  let high = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[position + shift / 7] as number;
    if (byte < 0x80) {
      const value = (high | (byte << shift)) * TWO_28 + low;
      if (value > Number.MAX_SAFE_INTEGER) break;
      varintEnd = position + shift / 7 + 1;
      return value;
    }
    high |= (byte & 0x7f) << shift;
  }
  return NaN;
}

/** The 64 bits of the varint at a position. Throws WireError if none ends there. */
export function takeWide(bytes: Uint8Array, position: number): bigint {
  let low = 0;
  let high = 0;
  let top = 0;
  for (let index = 0; index < VARINT_BYTES_MAX; index += 1) {
    const byte = bytes[position + index];
    if (byte === undefined) throw truncated();
    const group = (byte & 0x7f) << (7 * (index & 3));
    if (index < 4) low |= group;
    else if (index < 8) high |= group;
    else top |= group;
    if (byte < 0x80) {
      varintEnd = position + index + 1;
      return BigInt.asUintN(64, (((BigInt(top) << 28n) | BigInt(high)) << 28n) | BigInt(low));
    }
  }
  throw malformed("a varint is too long");
}

/** The low 32 bits of the varint at a position. */
export function takeUint32(bytes: Uint8Array, position: number): number {
  const value = takeNumber(bytes, position);
  return value <= 0xffff_ffff ? value : Number(BigInt.asUintN(32, takeWide(bytes, position)));
}

/** A text. Throws WireError if it is not UTF-8. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const isShort = end - start <= SHORT_TEXT_BYTES;
  return (isShort ? readAscii(bytes, start, end) : undefined) ?? decodeText(bytes, start, end);
}

/**
 * The text if all of it is ASCII. Four characters at a time: each piece that is added makes the
 * text slower to use.
 */
function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    if ((a | b | c | d) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

function decodeText(bytes: Uint8Array, start: number, end: number): string {
  try {
    return textDecoder.decode(bytes.subarray(start, end));
  } catch (error) {
    throw malformed("a text is not UTF-8", { cause: error });
  }
}
