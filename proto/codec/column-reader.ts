import { fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { ByteReader, takeVarint, varintEnd } from "./byte-reader.ts";
import type { PackedContent } from "./message-scan.ts";
import { WireError } from "./wire-error.ts";

/** Whether each value counts from the one before or stands alone. */
export const Accumulate = { Yes: true, No: false } as const;

/**
 * A packed sint64 column of exactly `count` values; an absent column is all zeros. With
 * `Accumulate.Yes` each value is added to the sum before it, modulo 2^64.
 */
export function readSigned(
  column: PackedContent | undefined,
  count: number,
  accumulate: boolean,
): Mantissa[] {
  if (column === undefined) return zeros(count);
  const { bytes, start, end } = column;
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  const values: Mantissa[] = new Array<Mantissa>(count);
  let position = start;
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    let zigzag = bytes[position] as number;
    if (zigzag < 0x80) {
      position += 1;
    } else {
      zigzag = takeVarint(bytes, position);
      position = varintEnd;
      if (!(zigzag >= 0)) return readSignedExactly(column, count, accumulate);
    }
    const value = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    sum = accumulate ? sum + value : value;
    if (!Number.isSafeInteger(sum)) return readSignedExactly(column, count, accumulate);
    values[index] = sum;
  }
  assertAtEnd(position, end);
  return values;
}

function readSignedExactly(
  { bytes, start, end }: PackedContent,
  count: number,
  accumulate: boolean,
): Mantissa[] {
  const reader = new ByteReader(bytes, start, end);
  const values: Mantissa[] = [];
  let sum = 0n;
  for (let index = 0; index < count; index += 1) {
    const zigzag = bigVarint(reader);
    const value = (zigzag >> 1n) ^ -(zigzag & 1n);
    sum = accumulate ? BigInt.asIntN(64, sum + value) : value;
    values.push(fromBigInt(sum));
  }
  assertAtEnd(reader.position, end);
  return values;
}

/** A packed uint64 column of exactly `count` values; an absent column is all zeros. */
export function readUnsigned(column: PackedContent | undefined, count: number): Mantissa[] {
  if (column === undefined) return zeros(count);
  const { bytes, start, end } = column;
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  const values: Mantissa[] = new Array<Mantissa>(count);
  let position = start;
  for (let index = 0; index < count; index += 1) {
    let value = bytes[position] as number;
    if (value < 0x80) {
      position += 1;
    } else {
      value = takeVarint(bytes, position);
      position = varintEnd;
      if (!(value >= 0)) return readUnsignedExactly(column, count);
    }
    values[index] = value;
  }
  assertAtEnd(position, end);
  return values;
}

function readUnsignedExactly({ bytes, start, end }: PackedContent, count: number): Mantissa[] {
  const reader = new ByteReader(bytes, start, end);
  const values: Mantissa[] = [];
  for (let index = 0; index < count; index += 1) values.push(fromBigInt(bigVarint(reader)));
  assertAtEnd(reader.position, end);
  return values;
}

/** A packed column of uint32, bools or enums, as whole numbers of at most 32 bits. */
export function readSmall(column: PackedContent | undefined, count: number): number[] {
  const values = readUnsigned(column, count);
  for (let index = 0; index < count; index += 1) {
    const value = values[index] as Mantissa;
    // What is larger is cut to 32 bits, as every protobuf decoder does.
    if (typeof value === "bigint") values[index] = Number(BigInt.asUintN(32, value));
    else if (value > 0xffff_ffff) values[index] = value % 0x1_0000_0000;
  }
  return values as number[];
}

/** A packed column of bools; an absent one is all false. */
export function readBools(column: PackedContent | undefined, count: number): boolean[] {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  if (column === undefined) return new Array<boolean>(count).fill(false);
  return readUnsigned(column, count).map((value) => value !== 0);
}

function bigVarint(reader: ByteReader): bigint {
  reader.varint64();
  return (BigInt(reader.high) << 32n) | BigInt(reader.low);
}

function zeros(count: number): number[] {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  return new Array<number>(count).fill(0);
}

/** A column with more or fewer entries than events ends elsewhere. */
function assertAtEnd(position: number, end: number): void {
  if (position === end) return;
  const problem = position > end ? "fewer" : "more";
  throw new WireError("malformed", `a column has ${problem} entries than there are events`);
}
