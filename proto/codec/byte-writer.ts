const INITIAL_BYTES = 16 * 1_024;

/** A scratch buffer that one large message has grown beyond this is given up afterwards. */
const RETAINED_BYTES_MAX = 1024 * 1_024;

/** Longest varint. */
export const VARINT_BYTES_MAX = 10;

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

const TWO_28 = 0x1000_0000;

const textEncoder = new TextEncoder();

/**
 * Appends protobuf primitives to a buffer that it grows and reuses. `bytes` and `position` are
 * open, so that loops over columns work on local copies: reserve, write, put `position` back.
 */
export class ByteWriter {
  bytes = new Uint8Array(INITIAL_BYTES);
  position = 0;

  /** Starts anew, forgetting what was written. */
  reset(): void {
    this.position = 0;
    if (this.bytes.length > RETAINED_BYTES_MAX) this.bytes = new Uint8Array(INITIAL_BYTES);
  }

  /** A copy of what was written, of exactly its length. The caller owns it. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.position);
  }

  /** Makes room for `count` more bytes. `bytes` may be another array afterwards. */
  reserve(count: number): void {
    const needed = this.position + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
  }

  /** A varint without a tag, as in a packed field; `value` is a whole number from 0 to 2^53. */
  varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    this.position = putVarint(this.bytes, this.position, value);
  }

  /** A varint of 64 bits without a tag; a negative `value` stands for its two's complement. */
  bigVarint(value: bigint): void {
    this.reserve(VARINT_BYTES_MAX);
    this.position = putBigVarint(this.bytes, this.position, BigInt.asUintN(64, value));
  }

  /**
   * Starts a length-delimited field; returns what `close` wants. Content may follow at once, and is
   * moved by `close` unless its length takes `lengthBytes`.
   */
  open(field: number, lengthBytes = 1): number {
    this.reserve(2 * VARINT_BYTES_MAX);
    const tagged = putVarint(this.bytes, this.position, ((field << 3) | WIRE_BYTES) >>> 0);
    this.position = tagged + lengthBytes;
    return this.position;
  }

  /** Ends a length-delimited field: fills in the length. */
  close(contentStart: number, lengthBytes = 1): void {
    const length = this.position - contentStart;
    const extra = varintLength(length) - lengthBytes;
    if (extra !== 0) {
      this.reserve(extra);
      this.bytes.copyWithin(contentStart + extra, contentStart, this.position);
      this.position += extra;
    }
    putVarint(this.bytes, contentStart - lengthBytes, length);
  }

  /** A string field, written even if the text is empty. */
  stringField(field: number, text: string): void {
    const start = this.open(field);
    // A UTF-16 unit takes at most three bytes.
    this.reserve(text.length * 3);
    const { bytes } = this;
    let position = start;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) {
        position = start + textEncoder.encodeInto(text, bytes.subarray(start)).written;
        break;
      }
      bytes[position] = unit;
      position += 1;
    }
    this.position = position;
    this.close(start);
  }

  /** A bytes (or message) field, written even if it is empty. */
  bytesField(field: number, content: Uint8Array): void {
    this.reserve(content.length + 2 * VARINT_BYTES_MAX);
    const tagged = putVarint(this.bytes, this.position, ((field << 3) | WIRE_BYTES) >>> 0);
    const start = putVarint(this.bytes, tagged, content.length);
    this.bytes.set(content, start);
    this.position = start + content.length;
  }
}

/** Bytes that a varint takes; `value` is a whole number from 0 to 2^53. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  let length = 2;
  for (let rest = value; rest >= 0x4000; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

/**
 * Writes a whole number from 0 to 2^53; returns the position after it. Room must be there. Short
 * ones are written without a loop, in so few words that loops over columns take them into their
 * own code.
 */
export function putVarint(bytes: Uint8Array, position: number, value: number): number {
  if (value < 0x80) {
    bytes[position] = value;
    return position + 1;
  }
  if (value < 0x4000) {
    bytes[position] = value | 0x80;
    bytes[position + 1] = value >>> 7;
    return position + 2;
  }
  return putLong(bytes, position, value);
}

/** The same from 2^14 on. An entry of the array keeps the low eight bits of what is assigned. */
function putLong(bytes: Uint8Array, position: number, value: number): number {
  let rest = value;
  let at = position;
  if (value >= TWO_28) {
    // Bitwise operators see 32 bits: the low four groups first, then what is above them.
    rest = Math.floor(value / TWO_28);
    const low = value - rest * TWO_28;
    bytes[at] = low | 0x80;
    bytes[at + 1] = (low >>> 7) | 0x80;
    bytes[at + 2] = (low >>> 14) | 0x80;
    bytes[at + 3] = (low >>> 21) | 0x80;
    at += 4;
  }
  while (rest > 0x7f) {
    bytes[at] = rest | 0x80;
    rest >>>= 7;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

/** The same for a bigint from 0 to 2^64 - 1. */
export function putBigVarint(bytes: Uint8Array, position: number, value: bigint): number {
  let at = position;
  let rest = value;
  while (rest > 0x7fn) {
    bytes[at] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
    at += 1;
  }
  bytes[at] = Number(rest);
  return at + 1;
}

// Fields of one number are functions, so that a program that writes none does not load them.

/** A varint field; `value` is a whole number from 0 to 2^53. Writes nothing for 0. */
export function writeUint(writer: ByteWriter, field: number, value: number): void {
  if (value === 0) return;
  writer.reserve(2 * VARINT_BYTES_MAX);
  const tagged = putVarint(writer.bytes, writer.position, (field << 3) | WIRE_VARINT);
  writer.position = putVarint(writer.bytes, tagged, value);
}

/** An int64 field; `value` is a safe integer. Writes nothing for 0. */
export function writeInt(writer: ByteWriter, field: number, value: number): void {
  if (value >= 0) {
    writeUint(writer, field, value);
    return;
  }
  writer.varint((field << 3) | WIRE_VARINT);
  writer.bigVarint(BigInt(value));
}

/** Writes nothing for false. */
export function writeBool(writer: ByteWriter, field: number, value: boolean): void {
  writeUint(writer, field, value ? 1 : 0);
}
