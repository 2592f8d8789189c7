import {
  ByteReader,
  WIRE_BYTES,
  WIRE_VARINT,
  safeInteger,
  takeNumber,
  takeUint32,
  takeWide,
} from "../byte-reader.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { malformed, truncated } from "../wire-error.ts";
import type { WireError } from "../wire-error.ts";
import { takeSum } from "./difference-reader.ts";

// What a field looks like on the wire; generated code has it as a digit for each field.
const SHAPE_UNKNOWN = 0;
/** One varint; the last one counts. */
const SHAPE_SCALAR = 1;
/** Varints, packed or not. */
const SHAPE_COLUMN = 2;
// 3 is a message, whose pieces are one.
/** Texts or messages, each an element. */
const SHAPE_ELEMENTS = 4;

const NO_RANGES: readonly number[] = [];
const NO_BYTES = /* @__PURE__ */ new Uint8Array(0);

/**
 * Finds the fields of a message without reading them: in any order, packed or not, in pieces,
 * unknown ones skipped. One object serves message after message: what it found is valid until the
 * next `scan`.
 */
export class FieldScan {
  /** What the positions count in: the given bytes, or a copy with pieces put together. */
  bytes: Uint8Array = NO_BYTES;
  readonly #shapes: Uint8Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #reader = new ByteReader(NO_BYTES, 0, 0);
  #elements: (number[] | undefined)[] | undefined;
  #pieces: Map<number, number[]> | undefined;

  /** `shapes` has a digit for each field, as generated code says them. */
  constructor(shapes: string) {
    this.#shapes = Uint8Array.from(shapes, Number);
    this.#starts = new Int32Array(shapes.length);
    this.#ends = new Int32Array(shapes.length);
  }

  /** Throws WireError where the bytes are cut off or no protobuf message. */
  scan(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    const starts = this.#starts;
    // So few that a call of `fill` takes longer.
    for (let field = 0; field < starts.length; field += 1) starts[field] = -1;
    this.#elements = undefined;
    this.#pieces = undefined;
    const shapes = this.#shapes;
    const reader = this.#reader;
    reader.reset(bytes, start, end);
    while (reader.position < end) {
      const tag = reader.tag();
      const field = tag >>> 3;
      const shape = field < shapes.length ? (shapes[field] as number) : SHAPE_UNKNOWN;
      const wireType = tag & 7;
      if (wireType === WIRE_BYTES && shape >= SHAPE_COLUMN) {
        const length = reader.length();
        const from = reader.position;
        reader.position = from + length;
        if (shape === SHAPE_ELEMENTS) this.#addElement(field, from, from + length);
        else this.#addRange(field, from, from + length);
      } else if (wireType === WIRE_VARINT && (shape === SHAPE_SCALAR || shape === SHAPE_COLUMN)) {
        const from = reader.position;
        reader.varint();
        if (shape === SHAPE_SCALAR) starts[field] = -1;
        this.#addRange(field, from, reader.position);
      } else {
        reader.skip(tag);
      }
    }
    if (this.#pieces !== undefined) this.#join(this.#pieces);
  }

  #addElement(field: number, start: number, end: number): void {
    this.#elements ??= [];
    const ranges = this.#elements[field];
    if (ranges === undefined) this.#elements[field] = [start, end];
    else ranges.push(start, end);
  }

  #addRange(field: number, start: number, end: number): void {
    const before = this.#starts[field] as number;
    if (before < 0) {
      this.#starts[field] = start;
      this.#ends[field] = end;
      return;
    }
    this.#pieces ??= new Map();
    const pieces = this.#pieces.get(field);
    if (pieces !== undefined) pieces.push(start, end);
    else this.#pieces.set(field, [before, this.#ends[field] as number, start, end]);
  }

  /** Appends what came in pieces, each field in one piece, to a copy of the bytes. */
  #join(fields: ReadonlyMap<number, readonly number[]>): void {
    const { bytes } = this;
    let length = bytes.length;
    for (const pieces of fields.values()) {
      for (let at = 0; at < pieces.length; at += 2) {
        length += (pieces[at + 1] as number) - (pieces[at] as number);
      }
    }
    const whole = new Uint8Array(length);
    whole.set(bytes);
    let position = bytes.length;
    for (const [field, pieces] of fields) {
      this.#starts[field] = position;
      for (let at = 0; at < pieces.length; at += 2) {
        const piece = bytes.subarray(pieces[at], pieces[at + 1]);
        whole.set(piece, position);
        position += piece.length;
      }
      this.#ends[field] = position;
    }
    this.bytes = whole;
  }

  /** Start of a column or message; -1 if there is none. An empty one counts as none. */
  start(field: number): number {
    const start = this.#starts[field] as number;
    return start >= 0 && start === this.#ends[field] ? -1 : start;
  }

  end(field: number): number {
    return this.#ends[field] as number;
  }

  /**
   * End of a column up to which its entries may be read without asking where each ends; -1 if there
   * is none. Throws WireError if the last entry is cut off.
   */
  columnEnd(field: number): number {
    if (this.start(field) < 0) return -1;
    const end = this.end(field);
    if ((this.bytes[end - 1] as number) >= 0x80) throw truncated();
    return end;
  }

  /** True if the field is there, be it empty. */
  has(field: number): boolean {
    return (this.#starts[field] as number) >= 0;
  }

  /** Pairs of start and end of the elements. */
  ranges(field: number): readonly number[] {
    return this.#elements?.[field] ?? NO_RANGES;
  }

  /** A uint64 field, 0 if it is absent. Throws WireError if it is beyond 2^53. */
  unsigned(field: number, name: string): number {
    const value = this.#varint(field);
    return value >= 0 ? value : safeInteger(name, this.#wide(field));
  }

  /** An int64 field, 0 if it is absent. Throws WireError if it is beyond 2^53. */
  signed(field: number, name: string): number {
    const value = this.#varint(field);
    return value >= 0 ? value : safeInteger(name, BigInt.asIntN(64, this.#wide(field)));
  }

  /** A uint32 field, 0 if it is absent; what is larger is cut to 32 bits. */
  uint32(field: number): number {
    const start = this.#starts[field] as number;
    return start < 0 ? 0 : takeUint32(this.bytes, start);
  }

  /** `value` and a sint64 field, modulo 2^64. */
  sum(field: number, value: Mantissa): Mantissa {
    const start = this.#starts[field] as number;
    return start < 0 ? value : takeSum(this.bytes, start, value);
  }

  bool(field: number): boolean {
    // NaN, which stands for more than a safe integer, is not 0 either.
    return this.#varint(field) !== 0;
  }

  /** The bits of a scalar, 0 if it is absent. */
  #wide(field: number): bigint {
    const start = this.#starts[field] as number;
    return start < 0 ? 0n : takeWide(this.bytes, start);
  }

  /** A scalar; 0 if it is absent, NaN if it may be more than a safe integer. */
  #varint(field: number): number {
    const start = this.#starts[field] as number;
    return start < 0 ? 0 : takeNumber(this.bytes, start);
  }

  /** Entries of a column. Throws WireError if the last one is cut off. */
  entries(field: number): number {
    const end = this.columnEnd(field);
    const { bytes } = this;
    let count = 0;
    for (let at = this.start(field); at < end; at += 1) {
      if ((bytes[at] as number) < 0x80) count += 1;
    }
    return count;
  }
}

/** What is thrown for a column that has more or fewer entries than it should have. */
export function misfit(field: number): WireError {
  return malformed(`column ${field} does not fit`);
}

/** Throws WireError unless a column has one entry for each event. */
export function assertCount(field: number, entries: number, events: number): void {
  if (entries !== events) throw misfit(field);
}
