import { VARINT_BYTES_MAX, putBigVarint, putVarint } from "./byte-writer.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { DecimalColumn } from "./decimal-column.ts";
import { WireError } from "./wire-error.ts";

/** Differences up to here, twice, are safe integers. */
const FAST_DELTA_MAX = 2 ** 52;

/** Column of differences, kept from batch to batch. */
let scratch = new Float64Array(1_024);
const RETAINED_VALUES_MAX = 65_536;

/** Room for `count` differences; its content is whatever was there. */
export function deltaScratch(count: number): Float64Array {
  if (count > scratch.length || scratch.length > RETAINED_VALUES_MAX) {
    scratch = new Float64Array(Math.max(count, 1_024));
  }
  return scratch;
}

/** What to do with a column of zeros: nothing is sent for it, or it is written out. */
export const ZeroColumn = { Omit: "omit", Write: "write" } as const;
export type ZeroColumn = (typeof ZeroColumn)[keyof typeof ZeroColumn];

/**
 * A packed sint64 field of the first `count` values, which are whole numbers of magnitude 2^53 at
 * most; throws WireError for others. False if it wrote nothing, because all are 0.
 */
export function writeSigned(
  writer: ByteWriter,
  field: number,
  values: Float64Array,
  count: number,
  zeros: ZeroColumn = ZeroColumn.Omit,
): boolean {
  const before = writer.position;
  const start = writer.open(field);
  writer.reserve(count * VARINT_BYTES_MAX);
  const { bytes } = writer;
  let position = start;
  let seen = 0;
  for (let index = 0; index < count; index += 1) {
    const value = values[index] as number;
    if (value >= 0) seen |= value > 0 ? 1 : 0;
    else seen = 1;
    if (value > FAST_DELTA_MAX || value < -FAST_DELTA_MAX) {
      position = putLargeSigned(bytes, position, value);
      continue;
    }
    const zigzag = value < 0 ? -2 * value - 1 : 2 * value;
    if (zigzag < 0x80) {
      bytes[position] = zigzag;
      position += 1;
    } else {
      position = putVarint(bytes, position, zigzag);
    }
  }
  return closeColumn(writer, { before, start, position, isZero: seen === 0, zeros });
}

function putLargeSigned(bytes: Uint8Array, position: number, value: number): number {
  if (!(Math.abs(value) <= 2 ** 53)) {
    throw new WireError("unsafe-integer", `a difference of ${value} is beyond 2^53`);
  }
  return putBigVarint(bytes, position, zigzagBig(BigInt(value)));
}

/** Modulo 2^64. */
function zigzagBig(value: bigint): bigint {
  const wrapped = BigInt.asIntN(64, value);
  return BigInt.asUintN(64, wrapped < 0n ? -2n * wrapped - 1n : 2n * wrapped);
}

/** The same from bigints, which are taken modulo 2^64. */
function writeSignedExactly(
  writer: ByteWriter,
  field: number,
  values: readonly bigint[],
  zeros: ZeroColumn,
): boolean {
  const before = writer.position;
  const start = writer.open(field);
  writer.reserve(values.length * VARINT_BYTES_MAX);
  let { position } = writer;
  for (const value of values) position = putBigVarint(writer.bytes, position, zigzagBig(value));
  const isZero = values.every((value) => value === 0n);
  return closeColumn(writer, { before, start, position, isZero, zeros });
}

function closeColumn(
  writer: ByteWriter,
  column: {
    readonly before: number;
    readonly start: number;
    readonly position: number;
    readonly isZero: boolean;
    readonly zeros: ZeroColumn;
  },
): boolean {
  if (column.isZero && (column.zeros === ZeroColumn.Omit || column.position === column.start)) {
    writer.position = column.before;
    return false;
  }
  writer.position = column.position;
  writer.close(column.start);
  return true;
}

/** Part of a DecimalColumn: the values from `start` on. */
type ColumnRange = { readonly start: number; readonly count: number };

/** Each value minus the one before (the first: minus 0), as a packed sint64 field. */
export function writeDeltas(
  writer: ByteWriter,
  field: number,
  column: DecimalColumn,
  { start, count }: ColumnRange,
  zeros: ZeroColumn = ZeroColumn.Omit,
): boolean {
  if (column.exact === undefined) {
    const { values } = column;
    const deltas = deltaScratch(count);
    let previous = 0;
    let isSafe = true;
    for (let index = 0; index < count; index += 1) {
      const value = values[start + index] as number;
      const delta = value - previous;
      if (delta > Number.MAX_SAFE_INTEGER || delta < -Number.MAX_SAFE_INTEGER) isSafe = false;
      deltas[index] = delta;
      previous = value;
    }
    if (isSafe) return writeSigned(writer, field, deltas, count, zeros);
  }
  let previous = 0n;
  const deltas = exactValues(column, start, count).map((value) => {
    // A value that travels as text leaves the column where it was.
    if (value === undefined) return 0n;
    const delta = value - previous;
    previous = value;
    return delta;
  });
  return writeSignedExactly(writer, field, deltas, zeros);
}

/**
 * Each value minus the value at the same place of the range that starts at `baseStart`. Where that
 * one travels as text, it counts as what its column holds there: the value before it.
 */
export function writeOffsets(
  writer: ByteWriter,
  field: number,
  column: DecimalColumn,
  { start, count, baseStart }: ColumnRange & { readonly baseStart: number },
): boolean {
  if (column.exact === undefined) {
    const { values } = column;
    const offsets = deltaScratch(count);
    let isSafe = true;
    for (let index = 0; index < count; index += 1) {
      const offset = (values[start + index] as number) - (values[baseStart + index] as number);
      if (offset > Number.MAX_SAFE_INTEGER || offset < -Number.MAX_SAFE_INTEGER) isSafe = false;
      offsets[index] = offset;
    }
    if (isSafe) return writeSigned(writer, field, offsets, count);
  }
  let base = 0n;
  const bases = exactValues(column, baseStart, count);
  const offsets = exactValues(column, start, count).map((value, index) => {
    base = bases[index] ?? base;
    return value === undefined ? 0n : value - base;
  });
  return writeSignedExactly(writer, field, offsets, ZeroColumn.Omit);
}

/** The values themselves, which are not negative, as a packed uint64 field. */
export function writeValues(
  writer: ByteWriter,
  field: number,
  column: DecimalColumn,
  { start, count }: ColumnRange,
): boolean {
  const before = writer.position;
  const contentStart = writer.open(field);
  writer.reserve(count * VARINT_BYTES_MAX);
  const { bytes } = writer;
  let position = contentStart;
  let isZero = true;
  if (column.exact === undefined) {
    const { values } = column;
    for (let index = start; index < start + count; index += 1) {
      const value = values[index] as number;
      if (value !== 0) isZero = false;
      position = putVarint(bytes, position, value);
    }
  } else {
    for (const value of exactValues(column, start, count)) {
      if (value) isZero = false;
      position = putBigVarint(bytes, position, value ?? 0n);
    }
  }
  const zeros = ZeroColumn.Omit;
  return closeColumn(writer, { before, start: contentStart, position, isZero, zeros });
}

/** What the range holds as text, as DecimalText messages with indexes from its start. */
export function writeTexts(
  writer: ByteWriter,
  field: number,
  column: DecimalColumn,
  { start, count }: ColumnRange,
): void {
  for (const { index, text } of column.escaped) {
    if (index < start || index >= start + count) continue;
    const content = writer.open(field);
    writer.uintField(1, index - start);
    writer.stringField(2, text);
    writer.close(content);
  }
}

function exactValues(
  column: DecimalColumn,
  start: number,
  count: number,
): readonly (bigint | undefined)[] {
  return (
    column.exact?.slice(start, start + count) ??
    Array.from(column.values.subarray(start, start + count), BigInt)
  );
}
