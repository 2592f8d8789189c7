import { fromBigInt } from "../model/decimal.ts";
import { ByteReader, readText, safeInteger, takeUint32, WIRE_BYTES } from "./byte-reader.ts";
import type { EnumTable } from "./enum-table.ts";
import { malformed, type WireError } from "./wire-error.ts";

/**
 * Reads and writes one of the few messages that steer a connection. It does less than MessageCodec,
 * in a third of the bytes, which every page that loads a client pays for: no maps, no signed
 * integers but int64, and lists of numbers are read only.
 */
export type ControlCodec<T> = {
  /** The caller owns the result. Throws WireError if a value does not fit its field. */
  encode(value: object): Uint8Array<ArrayBuffer>;
  /**
   * Copies what it keeps of `bytes`. Throws WireError. Unknown fields are skipped. `before` is what
   * came of the message already: messages in pieces are merged.
   */
  decode(bytes: Uint8Array, before?: T): T;
};

/** What a field of the kinds `e` and `m` refers to. */
export type ControlReference = EnumTable | Pick<ControlCodec<unknown>, "encode" | "decode">;

type Values = Record<string, unknown>;

type ControlField = {
  readonly number: number;
  readonly kind: string;
  readonly name: string;
  readonly isList: boolean;
  readonly isVarint: boolean;
  /** What absence stands for. */
  readonly absent: unknown;
  readonly reference: ControlReference | undefined;
};

const FIELD = /(\d*)(\w)(\*?)(\w+)/g;
const VARINT_KINDS = "uUIbe";
const UINT32_MAX = 0xffff_ffff;

const NO_BYTES = /* @__PURE__ */ new Uint8Array(0);

const encoder = /* @__PURE__ */ new TextEncoder();

/**
 * `text` has the fields as MessageSpec has them: number, unless it is one more than the one before,
 * kind, `*` for a list, name. Whoever writes it vouches that `T` and the fields agree.
 */
export function createControlCodec<T>(
  text: string,
  references: readonly ControlReference[] = [],
): ControlCodec<T> {
  const fields = fieldsOf(text, [...references]);
  return {
    encode: (value) => Uint8Array.from(writeFields(fields, value as Values)),
    decode: (bytes, before) => readFields(fields, bytes, before as Values | undefined) as T,
  };
}

function fieldsOf(text: string, references: ControlReference[]): Map<number, ControlField> {
  let number = 0;
  const fields = new Map<number, ControlField>();
  for (const [, given, kind = "", star, name = ""] of text.matchAll(FIELD)) {
    number = Number(given) || number + 1;
    const isVarint = VARINT_KINDS.includes(kind);
    const reference = "em".includes(kind) ? references.shift() : undefined;
    const zero = (reference as Partial<EnumTable> | undefined)?.nameOf?.get(0) ?? 0;
    const zeros: Readonly<Record<string, unknown>> = { b: false, s: "", y: NO_BYTES, m: undefined };
    const absent = kind in zeros ? zeros[kind] : zero;
    fields.set(number, { number, kind, name, isList: star !== "", isVarint, absent, reference });
  }
  return fields;
}

function readFields(
  fields: ReadonlyMap<number, ControlField>,
  bytes: Uint8Array,
  before: Values | undefined,
): Values {
  const values = before ?? {};
  if (before === undefined) {
    for (const { name, isList, absent } of fields.values()) values[name] = isList ? [] : absent;
  }
  const reader = new ByteReader(bytes, 0, bytes.length);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = fields.get(tag >>> 3);
    const isBytes = (tag & 7) === WIRE_BYTES;
    // A field whose wire type is not the schema's is an unknown one.
    if (
      field === undefined ||
      !(isBytes ? !field.isVarint || field.isList : isVarintOf(field, tag))
    )
      reader.skip(tag);
    else if (!isBytes) keep(field, readVarint(field, reader), values);
    else {
      const outerEnd = reader.enter();
      if (field.isVarint) {
        while (reader.position < reader.end) keep(field, readVarint(field, reader), values);
      } else keep(field, readContent(field, reader, values[field.name]), values);
      reader.position = reader.end;
      reader.end = outerEnd;
    }
  }
  return values;
}

function isVarintOf({ isVarint }: ControlField, tag: number): boolean {
  return isVarint && (tag & 7) === 0;
}

function keep({ name, isList }: ControlField, value: unknown, values: Values): void {
  if (isList) (values[name] as unknown[]).push(value);
  else values[name] = value;
}

function readVarint({ kind, name, reference }: ControlField, reader: ByteReader): unknown {
  const { position, bytes } = reader;
  const value = reader.varint();
  // More than a safe integer, which is NaN here, is not 0 either.
  if (kind === "b") return value !== 0;
  if (kind === "U" || kind === "I") {
    if (value >= 0) return value;
    const wide = reader.wide(position);
    return safeInteger(name, fromBigInt(kind === "I" ? BigInt.asIntN(64, wide) : wide));
  }
  const low = takeUint32(bytes, position);
  const words = reference as EnumTable | undefined;
  return words === undefined ? low : (words.nameOf.get(low | 0) ?? words.unknown);
}

/** What is up to the end of the reader; a message adds to what came of it before. */
function readContent(
  { kind, isList, reference }: ControlField,
  { bytes, position, end }: ByteReader,
  before: unknown,
): unknown {
  if (kind === "s") return readText(bytes, position, end);
  const content = bytes.subarray(position, end);
  // A copy: what Node calls slice() of a Buffer is none.
  if (kind === "y") return new Uint8Array(content);
  return (reference as ControlCodec<unknown>).decode(content, isList ? undefined : before);
}

function writeFields(fields: ReadonlyMap<number, ControlField>, values: Values): number[] {
  const out: number[] = [];
  for (const field of fields.values()) {
    const value = values[field.name];
    if (value === undefined || value === field.absent) continue;
    for (const each of field.isList ? (value as unknown[]) : [value]) writeValue(field, each, out);
  }
  return out;
}

function writeValue(field: ControlField, value: unknown, out: number[]): void {
  const { number, kind, isVarint, reference } = field;
  if (isVarint) {
    const words = reference as EnumTable | undefined;
    const count = words === undefined ? Number(value) : words.numberOf.get(value as string);
    const max = kind === "u" ? UINT32_MAX : Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(count) || count! < 0 || count! > max) throw misfit(field, value);
    writeVarint(number * 8, out);
    writeVarint(count!, out);
    return;
  }
  if (kind === "s" && typeof value !== "string") throw misfit(field, value);
  const content =
    kind === "s"
      ? encoder.encode(value as string)
      : kind === "y"
        ? (value as Uint8Array)
        : (reference as ControlCodec<unknown>).encode(value as object);
  writeVarint(number * 8 + WIRE_BYTES, out);
  writeVarint(content.length, out);
  for (const byte of content) out.push(byte);
}

/** Whole numbers from 0 to 2^53. */
function writeVarint(value: number, out: number[]): void {
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
}

function misfit({ name }: ControlField, value: unknown): WireError {
  return malformed(`${name} cannot be ${String(value)}`);
}
