import { ByteReader, WireType, safeSigned, safeUnsigned, takeVarint } from "./byte-reader.ts";
import { WireError } from "./wire-error.ts";

/** What a field may look like on the wire. */
const FieldShape = {
  Unknown: 0,
  /** One varint. */
  Varint: 1,
  /** Varints, packed or not. */
  Varints: 2,
  /** Length-delimited: a text or a message. */
  Bytes: 3,
  /** A message that excludes the other members of its oneof. */
  Member: 4,
} as const;
type FieldShape = (typeof FieldShape)[keyof typeof FieldShape];

/** Numbers of the fields of a message by their shape. */
type ShapeLists = {
  readonly varint?: readonly number[];
  readonly varints?: readonly number[];
  readonly bytes?: readonly number[];
  readonly member?: readonly number[];
};

/** The shapes of a message by field number, for MessageScan. */
export function shapesOf(lists: ShapeLists): readonly FieldShape[] {
  const { varint = [], varints = [], bytes = [], member = [] } = lists;
  const fieldMax = Math.max(...varint, ...varints, ...bytes, ...member);
  return Array.from({ length: fieldMax + 1 }, (_, field) => {
    if (varint.includes(field)) return FieldShape.Varint;
    if (varints.includes(field)) return FieldShape.Varints;
    if (bytes.includes(field)) return FieldShape.Bytes;
    return member.includes(field) ? FieldShape.Member : FieldShape.Unknown;
  });
}

/**
 * Packed content; the bytes are those of the message, or a copy where the content was in pieces.
 */
type PackedContent = {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
};

/**
 * Finds the fields of a message without reading them: any order, any number of times, packed or
 * not, unknown ones skipped. Fields are remembered as pairs of positions.
 */
export class MessageScan {
  readonly #bytes: Uint8Array;
  readonly #shapes: readonly FieldShape[];
  readonly #ranges: (number[] | undefined)[] = [];
  /** Number of the oneof member that is set; 0 if none is. */
  member = 0;

  /** `shapes` is indexed by field number. */
  constructor(bytes: Uint8Array, shapes: readonly FieldShape[]) {
    this.#bytes = bytes;
    this.#shapes = shapes;
  }

  /** Adds what is in the range; a message in several pieces is scanned piece by piece. */
  scan(start: number, end: number): this {
    const reader = new ByteReader(this.#bytes, start, end);
    while (reader.position < end) {
      const tag = reader.tag();
      const field = tag >>> 3;
      const shape = this.#shapes[field] ?? FieldShape.Unknown;
      const wireType = tag & 7;
      if (wireType === WireType.Varint && isVarintShape(shape)) {
        const valueStart = reader.position;
        reader.varint64();
        this.#remember(field, valueStart, reader.position);
      } else if (wireType === WireType.Bytes && isBytesShape(shape)) {
        const length = reader.length();
        if (shape === FieldShape.Member) this.#select(field);
        this.#remember(field, reader.position, reader.position + length);
        reader.position += length;
      } else {
        reader.skip(tag);
      }
    }
    return this;
  }

  #remember(field: number, start: number, end: number): void {
    const ranges = this.#ranges[field];
    if (ranges === undefined) this.#ranges[field] = [start, end];
    else ranges.push(start, end);
  }

  #select(field: number): void {
    if (this.member !== 0 && this.member !== field) this.#ranges[this.member] = undefined;
    this.member = field;
  }

  /** Pairs of start and end, in wire order. */
  ranges(field: number): readonly number[] {
    return this.#ranges[field] ?? [];
  }

  /** A uint64 field; 0 if it is absent. Throws WireError if it is beyond 2^53. */
  unsigned(field: number, name: string): number {
    const value = this.#lastSafe(field);
    if (value >= 0) return value;
    const reader = this.#last(field);
    return safeUnsigned(name, reader.low, reader.high);
  }

  /** An int64 field; 0 if it is absent. Throws WireError if it is beyond 2^53. */
  signed(field: number, name: string): number {
    const value = this.#lastSafe(field);
    if (value >= 0) return value;
    const reader = this.#last(field);
    return safeSigned(name, reader.low, reader.high);
  }

  /** A uint32 field; 0 if it is absent. */
  uint32(field: number): number {
    const value = this.#lastSafe(field);
    return value <= 0xffff_ffff ? value : this.#last(field).low;
  }

  bool(field: number): boolean {
    // NaN, which stands for more than a safe integer, is not 0 either.
    return this.#lastSafe(field) !== 0;
  }

  /** 0 if the field is absent, NaN if it is more than a safe integer. */
  #lastSafe(field: number): number {
    const ranges = this.#ranges[field];
    return ranges === undefined ? 0 : takeVarint(this.#bytes, ranges[ranges.length - 2] as number);
  }

  #last(field: number): ByteReader {
    const [start, end] = this.ranges(field).slice(-2) as [number, number];
    const reader = new ByteReader(this.#bytes, start, end);
    reader.varint64();
    return reader;
  }

  /** A packed field; undefined if it is empty. */
  packed(field: number): PackedContent | undefined {
    const ranges = this.#ranges[field];
    if (ranges === undefined) return undefined;
    const [start, end] = ranges as [number, number];
    const whole =
      ranges.length === 2 ? { bytes: this.#bytes, start, end } : joined(this.#bytes, ranges);
    return whole.start === whole.end ? undefined : whole;
  }

  /** A message field, whose pieces put together are the message. */
  message(field: number): Uint8Array {
    const { bytes, start, end } = this.packed(field) ?? { bytes: this.#bytes, start: 0, end: 0 };
    return bytes.subarray(start, end);
  }
}

function joined(bytes: Uint8Array, ranges: readonly number[]): PackedContent {
  let length = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    length += (ranges[index + 1] as number) - (ranges[index] as number);
  }
  const whole = new Uint8Array(length);
  let position = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    const piece = bytes.subarray(ranges[index], ranges[index + 1]);
    whole.set(piece, position);
    position += piece.length;
  }
  return { bytes: whole, start: 0, end: length };
}

function isVarintShape(shape: FieldShape): boolean {
  return shape === FieldShape.Varint || shape === FieldShape.Varints;
}

function isBytesShape(shape: FieldShape): boolean {
  return shape === FieldShape.Varints || shape === FieldShape.Bytes || shape === FieldShape.Member;
}

/** `count` must be what `what` says; used where two columns must agree. */
export function assertCount(what: string, count: number, expected: number): void {
  if (count !== expected) {
    throw new WireError("malformed", `${what}: ${count} entries for ${expected} events`);
  }
}
