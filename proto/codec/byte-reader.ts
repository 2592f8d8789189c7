import { WireError } from "./wire-error.ts";

const TWO_28 = 0x1000_0000;
const TWO_32 = 0x1_0000_0000;

/** Wire types of protobuf. */
export const WireType = {
  Varint: 0,
  Fixed64: 1,
  Bytes: 2,
  GroupStart: 3,
  GroupEnd: 4,
  Fixed32: 5,
} as const;

/** Groups within groups that an unknown field may have. */
const GROUP_DEPTH_MAX = 32;

/** Up to here, texts are put together byte by byte, which is faster than the decoder's call. */
const SHORT_TEXT_BYTES = 24;

const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads protobuf primitives from part of a buffer. Throws WireError for what is not there. */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  /** What is read must lie before it. */
  end: number;
  /** Halves of the 64-bit varint that was read last. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new WireError("truncated", `range ${start} to ${end} of ${bytes.length} bytes`);
    }
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Reads a varint into `low` and `high`. */
  varint64(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= this.end) throw new WireError("truncated", "a varint ends too early");
      const byte = this.bytes[this.position] as number;
      this.position += 1;
      const group = byte & 0x7f;
      if (shift < 28) low |= group << shift;
      else if (shift === 28) {
        low |= group << 28;
        high = group >>> 4;
      } else if (shift < 63) high |= group << (shift - 32);
      else high |= (group & 1) << 31;
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new WireError("malformed", "a varint is longer than 10 bytes");
  }

  /**
   * The value of a varint, where that is a safe integer from 0; NaN otherwise. Above 32 bits the
   * halves are in `low` and `high` as well.
   */
  varint(): number {
    const { bytes, position, end } = this;
    const first = position < end ? (bytes[position] as number) : 0x80;
    if (first < 0x80) {
      this.position = position + 1;
      return first;
    }
    if (end - position >= 4) {
      const short = takeShortVarint(bytes, position);
      if (short >= 0) {
        this.position = varintEnd;
        return short;
      }
    }
    this.varint64();
    const value = this.high * TWO_32 + this.low;
    return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
  }

  /** Field number * 8 + wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag >= 8 && tag <= 0xffff_ffff) return tag;
    throw new WireError("malformed", "a tag has no valid field number");
  }

  /** The length of what follows, which is there. */
  length(): number {
    const length = this.varint();
    if (length <= this.end - this.position) return length;
    throw new WireError("truncated", "a length exceeds what is there");
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

  /** Passes over a value of an unknown field. */
  skip(tag: number): void {
    this.#skip(tag, 0);
  }

  #skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case WireType.Varint:
        this.varint64();
        return;
      case WireType.Fixed64:
        this.#advance(8);
        return;
      case WireType.Bytes:
        this.#advance(this.length());
        return;
      case WireType.Fixed32:
        this.#advance(4);
        return;
      case WireType.GroupStart:
        this.#skipGroup(tag, depth);
        return;
      default:
        throw new WireError("malformed", `a field has the wire type ${tag & 7}`);
    }
  }

  #skipGroup(tag: number, depth: number): void {
    if (depth === GROUP_DEPTH_MAX) throw new WireError("malformed", "groups are nested too deeply");
    const endTag = tag + (WireType.GroupEnd - WireType.GroupStart);
    for (let inner = this.tag(); inner !== endTag; inner = this.tag()) {
      this.#skip(inner, depth + 1);
    }
  }

  #advance(count: number): void {
    if (count > this.end - this.position) throw new WireError("truncated", "a field is cut off");
    this.position += count;
  }
}

/** The value of an int64 from its halves. Throws WireError if it is not a safe integer. */
export function safeSigned(name: string, low: number, high: number): number {
  return checkedSafe(name, (high | 0) * TWO_32 + low);
}

/** The same of a uint64. */
export function safeUnsigned(name: string, low: number, high: number): number {
  return checkedSafe(name, high * TWO_32 + low);
}

function checkedSafe(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new WireError("unsafe-integer", `${name} is about ${value}, beyond 2^53`);
}

/**
 * Where the last `takeVarint` ended. A variable of the module and no result, because an object for
 * every value would cost more than reading it.
 */
export let varintEnd = 0;

/**
 * Reads a varint of at most eight bytes and at most 2^53, and sets `varintEnd`. NaN if it is longer
 * or larger; the caller then reads its column again with bigints. Reads on past the end of its
 * column (the caller compares `varintEnd`), never past the buffer.
 */
export function takeVarint(bytes: Uint8Array, position: number): number {
  let at = position;
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at] as number;
    at += 1;
    if (byte < 0x80) {
      varintEnd = at;
      return low | (byte << shift);
    }
    low |= (byte & 0x7f) << shift;
  }
  let high = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at] as number;
    at += 1;
    if (byte < 0x80) {
      varintEnd = at;
      const value = (high | (byte << shift)) * TWO_28 + low;
      return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
    }
    high |= (byte & 0x7f) << shift;
  }
  return NaN;
}

/**
 * Reads a varint of at most four bytes and sets `varintEnd`; -1 if it is longer, which is for
 * `takeVarint`. In 32-bit arithmetic and without a loop: most values of a column are short.
 */
function takeShortVarint(bytes: Uint8Array, position: number): number {
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
  if (fourth < 0x80) {
    varintEnd = position + 4;
    return (first & 0x7f) | ((second & 0x7f) << 7) | ((third & 0x7f) << 14) | (fourth << 21);
  }
  return -1;
}

/**
 * The varint at a position as a number, NaN if it may be beyond 2^53; `varintEnd` says where it
 * ends.
 */
export function takeNumber(bytes: Uint8Array, position: number): number {
  const short = takeShortVarint(bytes, position);
  return short >= 0 ? short : takeVarint(bytes, position);
}

/** The varint at a position, whatever its size; `wideEnd` says where it ends. */
export function takeWide(bytes: Uint8Array, position: number, end: number): bigint {
  const reader = new ByteReader(bytes, position, end);
  reader.varint64();
  wideEnd = reader.position;
  return (BigInt(reader.high) << 32n) | BigInt(reader.low);
}

/** Where the varint ended that `takeWide` read last. */
export let wideEnd = 0;

/** A text. Throws WireError if it is not UTF-8. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const isShort = end - start <= SHORT_TEXT_BYTES;
  return (isShort ? readAscii(bytes, start, end) : undefined) ?? decodeText(bytes, start, end);
}

/**
 * The text if all of it is ASCII. Eight characters at a time: each piece that is added makes the
 * text slower to use.
 */
function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    const e = bytes[at + 4] as number;
    const f = bytes[at + 5] as number;
    const g = bytes[at + 6] as number;
    const h = bytes[at + 7] as number;
    if ((a | b | c | d | e | f | g | h) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
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
    throw new WireError("malformed", "a text is not UTF-8", { cause: error });
  }
}
