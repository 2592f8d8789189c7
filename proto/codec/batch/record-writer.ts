import * as BatchField from "../../gen/batch-field.ts";
import { decimalScale, parseMantissa } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { VARINT_BYTES_MAX, putVarint, varintLength } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { QuoteRow } from "../types.ts";
import { putDifference } from "./difference-writer.ts";
import { WireError } from "../wire-error.ts";
import type { NamedField } from "./batch-kinds.ts";
import type { ChainState } from "./chain-state.ts";
import { ScaledColumn } from "./scaled-column.ts";
import type { PlacedText } from "./scaled-column.ts";

/** A row of a channel with records, its fields found by name. */
export type RecordRow = { readonly [property: string]: unknown };

/** Bit i: the row says nothing of field i. */
export function absentFields(fields: readonly NamedField[], row: RecordRow): number {
  let absent = 0;
  for (let index = 0; index < fields.length; index += 1) {
    if (row[(fields[index] as NamedField).property] === undefined) absent |= 1 << index;
  }
  return absent;
}

const columns: ScaledColumn[] = [];

/** One for each field, shared by all batches: encoding is synchronous and never re-entered. */
function columnOf(index: number): ScaledColumn {
  return (columns[index] ??= new ScaledColumn({ allowNegative: true }));
}

/** Takes over the fields of the rows. Throws WireError for a text that is no decimal. */
export function gatherRecords(fields: readonly NamedField[], rows: readonly RecordRow[]): void {
  for (let index = 0; index < fields.length; index += 1) {
    const field = fields[index] as NamedField;
    const column = columnOf(index);
    column.reset();
    if (field.type === "mantissa") addMantissas(column, field, rows);
    else for (const row of rows) addValue(column, field, row[field.property]);
  }
}

function addMantissas(column: ScaledColumn, field: NamedField, rows: readonly RecordRow[]): void {
  // Even fields of a quote are prices.
  const isPrice = field.scaleField === 0;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as unknown as QuoteRow;
    column.add(mantissaOf(row, field.property), isPrice ? row.priceScale : row.sizeScale);
  }
}

/** By names that are written out, because a property that is found by a variable is slow. */
function mantissaOf(row: QuoteRow, property: string): Mantissa {
  switch (property) {
    case "bidPriceMantissa":
      return row.bidPriceMantissa;
    case "bidSizeMantissa":
      return row.bidSizeMantissa;
    case "askPriceMantissa":
      return row.askPriceMantissa;
    case "askSizeMantissa":
      return row.askSizeMantissa;
    default:
      throw new RangeError(`a quote has no mantissa ${property}`);
  }
}

function addValue(column: ScaledColumn, field: NamedField, value: unknown): void {
  if (value === undefined) {
    column.add(0, 0);
  } else if (field.type === "text") {
    const text = value as string;
    const scale = decimalScale(text);
    const mantissa = parseMantissa(text, scale);
    if (typeof mantissa === "number" && !Number.isFinite(mantissa)) {
      throw new WireError("malformed", `${field.property} "${text}" is not a decimal`);
    }
    column.add(mantissa, scale);
  } else {
    column.add(Number(value), 0);
  }
}

/** The scale that suits each field, where `scales` were in use. */
export function wantedScales(
  fields: readonly NamedField[],
  scales: readonly number[],
  mayText: boolean,
): number[] {
  const wanted: number[] = [];
  for (let index = 0; index < fields.length; index += 1) {
    const group = (fields[index] as NamedField).scaleField;
    const scale = columnOf(index).wantedScale(scales[index] as number, mayText);
    wanted[index] = scale;
    if (scale > (wanted[group] as number)) wanted[group] = scale;
  }
  // The first of a group has the scale of all.
  for (let index = 0; index < fields.length; index += 1) {
    wanted[index] = wanted[(fields[index] as NamedField).scaleField] as number;
  }
  return wanted;
}

/** Brings the fields to those scales. */
export function settleRecords(scales: readonly number[]): void {
  for (let index = 0; index < scales.length; index += 1) {
    columnOf(index).settle(scales[index] as number);
  }
}

/** What a field's value is in the first row; undefined if it travels as text. */
export function firstValue(index: number): Mantissa | undefined {
  return columnOf(index).at(0);
}

let masks = new Uint32Array(256);

/** Writes the columns of the fields and moves the state's values. Returns what goes as text. */
export function writeRecords(
  writer: ByteWriter,
  state: ChainState,
  fields: readonly NamedField[],
  count: number,
): PlacedText[] {
  if (count > masks.length) masks = new Uint32Array(count);
  masks.fill(0, 0, count);
  const texts: PlacedText[] = [];
  const changed: number[] = [];
  for (let field = 0; field < fields.length; field += 1) {
    changed.push(markChanges(state, { field, fields: fields.length, count }, texts));
  }
  const every = !isWorthMasks(changed, count);
  if (!every) writeMasks(writer, count);
  for (let index = 0; index < fields.length; index += 1) {
    if (changed[index] === 0) continue;
    const { column } = fields[index] as NamedField;
    writeField(writer, state, { field: index, column, count, every });
  }
  return texts;
}

/** Sets the field's bit of each row that changes it; returns how many there are. */
function markChanges(
  state: ChainState,
  { field, fields, count }: { field: number; fields: number; count: number },
  texts: PlacedText[],
): number {
  const column = columnOf(field);
  const bit = 1 << field;
  let value = state.values[field] as Mantissa;
  let changed = 0;
  for (let index = 0; index < count; index += 1) {
    const next = column.at(index);
    if (next === undefined) {
      texts.push({ place: fields * index + field, text: column.text(index) });
    } else if (next !== value) {
      masks[index] = (masks[index] as number) | bit;
      changed += 1;
      value = next;
    }
  }
  return changed;
}

/** True if saying which rows change which fields takes fewer bytes than writing out zeros. */
function isWorthMasks(changed: readonly number[], count: number): boolean {
  let zeros = 0;
  for (const rows of changed) if (rows > 0) zeros += count - rows;
  let bytes = 1 + varintLength(count);
  for (let index = 0; index < count; index += 1) bytes += varintLength(masks[index] as number);
  return zeros > bytes;
}

function writeMasks(writer: ByteWriter, count: number): void {
  const start = writer.open(BatchField.Changes);
  writer.reserve(count * VARINT_BYTES_MAX);
  for (let index = 0; index < count; index += 1) {
    writer.position = putVarint(writer.bytes, writer.position, masks[index] as number);
  }
  writer.close(start);
}

function writeField(
  writer: ByteWriter,
  state: ChainState,
  place: { field: number; column: number; count: number; every: boolean },
): void {
  const { field, count, every } = place;
  const column = columnOf(field);
  const bit = 1 << field;
  const start = writer.open(place.column);
  writer.reserve(count * VARINT_BYTES_MAX);
  const { bytes } = writer;
  let at = start;
  let value = state.values[field] as Mantissa;
  for (let index = 0; index < count; index += 1) {
    if (((masks[index] as number) & bit) === 0) {
      if (every) at = putVarint(bytes, at, 0);
      continue;
    }
    const next = column.at(index) as Mantissa;
    at = putDifference(bytes, at, next, value);
    value = next;
  }
  state.values[field] = value;
  writer.position = at;
  writer.close(start);
}
