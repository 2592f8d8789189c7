import { fromBigInt } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { ByteReader, takeShortVarint, takeVarint, varintEnd } from "./byte-reader.ts";
import type { PackedContent } from "./message-scan.ts";
import { WireError } from "./wire-error.ts";

/**
 * A packed sint64 column of exactly `count` values, each added to the sum before it (the first: to
 * `base`), modulo 2^64. An absent column is all zeros.
 */
export function readSums(column: PackedContent | undefined, count: number, base = 0): Mantissa[] {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  const values: Mantissa[] = new Array<Mantissa>(count);
  if (column === undefined) return values.fill(base);
  const { bytes, start, end } = column;
  let position = start;
  let sum = base;
  for (let index = 0; index < count; index += 1) {
    const short = takeShortVarint(bytes, position);
    sum += short >= 0 ? (short >>> 1) ^ -(short & 1) : unzigzag(takeVarint(bytes, position));
    position = varintEnd;
    // Not so either where the varint was NaN.
    if (!(sum <= Number.MAX_SAFE_INTEGER && sum >= -Number.MAX_SAFE_INTEGER)) {
      return readSumsExactly(column, count, base);
    }
    values[index] = sum;
  }
  assertAtEnd(position, end);
  return values;
}

function readSumsExactly(
  { bytes, start, end }: PackedContent,
  count: number,
  base: number,
): Mantissa[] {
  const reader = new ByteReader(bytes, start, end);
  const values: Mantissa[] = [];
  let sum = BigInt(base);
  for (let index = 0; index < count; index += 1) {
    sum = BigInt.asIntN(64, sum + bigSigned(reader));
    values.push(fromBigInt(sum));
  }
  assertAtEnd(reader.position, end);
  return values;
}

/**
 * A packed sint64 column, each value added to the one of `bases` at its place, modulo 2^64. An
 * absent column is all zeros.
 */
export function readOffsets(
  column: PackedContent | undefined,
  bases: readonly Mantissa[],
): Mantissa[] {
  if (column === undefined) return bases.slice();
  const count = bases.length;
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  const values: Mantissa[] = new Array<Mantissa>(count);
  const { bytes, start, end } = column;
  let position = start;
  for (let index = 0; index < count; index += 1) {
    const short = takeShortVarint(bytes, position);
    const offset =
      short >= 0 ? (short >>> 1) ^ -(short & 1) : unzigzag(takeVarint(bytes, position));
    position = varintEnd;
    const base = bases[index] as Mantissa;
    const value = typeof base === "number" ? base + offset : NaN;
    if (!(value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER)) {
      return readOffsetsExactly(column, bases);
    }
    values[index] = value;
  }
  assertAtEnd(position, end);
  return values;
}

function readOffsetsExactly(
  { bytes, start, end }: PackedContent,
  bases: readonly Mantissa[],
): Mantissa[] {
  const reader = new ByteReader(bytes, start, end);
  const values = bases.map((base) =>
    fromBigInt(BigInt.asIntN(64, BigInt(base) + bigSigned(reader))),
  );
  assertAtEnd(reader.position, end);
  return values;
}

function unzigzag(zigzag: number): number {
  if (zigzag <= 0x7fff_ffff) return (zigzag >>> 1) ^ -(zigzag & 1);
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}

function bigSigned(reader: ByteReader): bigint {
  const zigzag = bigVarint(reader);
  return (zigzag >> 1n) ^ -(zigzag & 1n);
}

/** A packed uint64 column of exactly `count` values; an absent column is all zeros. */
export function readUnsigned(column: PackedContent | undefined, count: number): Mantissa[] {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  const values: Mantissa[] = new Array<Mantissa>(count);
  if (column === undefined) return values.fill(0);
  const { bytes, start, end } = column;
  let position = start;
  for (let index = 0; index < count; index += 1) {
    let value = takeShortVarint(bytes, position);
    if (value < 0) {
      value = takeVarint(bytes, position);
      if (!(value >= 0)) return readUnsignedExactly(column, count);
    }
    position = varintEnd;
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

/** A packed uint32 column; what is larger is cut to 32 bits, as every protobuf decoder does. */
export function readUint32(column: PackedContent | undefined, count: number): number[] {
  return readUnsigned(column, count).map((value) =>
    typeof value === "number" && value <= 0xffff_ffff
      ? value
      : Number(BigInt.asUintN(32, BigInt(value))),
  );
}

/** A packed column of bools; an absent one is all false. */
export function readBools(column: PackedContent | undefined, count: number): boolean[] {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  if (column === undefined) return new Array<boolean>(count).fill(false);
  return readUnsigned(column, count).map((value) => value !== 0);
}

/**
 * A packed column of enums, each replaced by its entry in `names`; by `other` where there is none.
 */
export function readEnums<Name extends string>(
  column: PackedContent | undefined,
  count: number,
  { names, other }: { readonly names: readonly Name[]; readonly other: Name },
): Name[] {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and bounded by the caller
  const values: Name[] = new Array<Name>(count);
  if (column === undefined) return values.fill(names[0] ?? other);
  const { bytes, start, end } = column;
  if (end - start !== count) {
    // Some number takes several bytes, or the column is damaged.
    return readUnsigned(column, count).map((value) => names[Number(value)] ?? other);
  }
  for (let index = 0; index < count; index += 1) {
    const number = bytes[start + index] as number;
    if (number > 0x7f) throw new WireError("malformed", "a column has fewer entries than events");
    values[index] = names[number] ?? other;
  }
  return values;
}

function bigVarint(reader: ByteReader): bigint {
  reader.varint64();
  return (BigInt(reader.high) << 32n) | BigInt(reader.low);
}

/** A column with more or fewer entries than events ends elsewhere. */
function assertAtEnd(position: number, end: number): void {
  if (position === end) return;
  const problem = position > end ? "fewer" : "more";
  throw new WireError("malformed", `a column has ${problem} entries than there are events`);
}
