import * as BatchField from "../../gen/batch-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { takeNumber, takeWide, varintEnd } from "../byte-reader.ts";
import type { RecordField } from "./batch-kinds.ts";
import type { ReadRecords } from "./payload.ts";
import type { ChainState } from "./chain-state.ts";
import { applyTexts, hasTexts } from "./decimal-text-reader.ts";
import { takeSum } from "./difference-reader.ts";
import { assertCount, misfit } from "./field-scan.ts";
import type { FieldScan } from "./field-scan.ts";

/** Bits that a number has room for; no channel has as many fields. */
const KNOWN_BITS = 0x3fff_ffff;

export function readRecords(
  scan: FieldScan,
  state: ChainState,
  fields: readonly RecordField[],
  count: number,
): ReadRecords {
  const changes = scan.entries(BatchField.Changes);
  if (changes > 0) assertCount(BatchField.Changes, changes, count);
  const masks = changes > 0 ? readMasks(scan, count) : undefined;
  // oxlint-disable-next-line unicorn/no-new-array -- one for each field
  const columns = new Array<Mantissa[]>(fields.length);
  for (let field = 0; field < fields.length; field += 1) {
    const { column } = fields[field] as RecordField;
    const place = { column, bit: 1 << field, start: state.values[field] as Mantissa };
    const values = readField(scan, place, masks, count);
    if (count > 0) state.values[field] = values[count - 1] as Mantissa;
    columns[field] = values;
  }
  const { scales, fieldCount } = state;
  if (!hasTexts(scan)) return { columns, scales };
  const groups = fields.map((field) => field.scaleField);
  return { columns, scales: applyTexts(scan, columns, { scales, groups, fieldCount }) };
}

/** The values of one field, one for each event, counted from `start`. */
function readField(
  scan: FieldScan,
  field: { readonly column: number; readonly bit: number; readonly start: Mantissa },
  masks: readonly number[] | undefined,
  count: number,
): Mantissa[] {
  const { column, bit } = field;
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const values = new Array<Mantissa>(count);
  let value = field.start;
  let at = scan.start(column);
  if (at < 0) {
    if (masks?.some((mask) => (mask & bit) !== 0) === true) throw misfit(column);
    return values.fill(value);
  }
  const { bytes } = scan;
  const end = scan.columnEnd(column);
  for (let index = 0; index < count; index += 1) {
    if (masks === undefined || ((masks[index] as number) & bit) !== 0) {
      if (at >= end) throw misfit(column);
      value = takeSum(bytes, at, value);
      at = varintEnd;
    }
    values[index] = value;
  }
  if (at === end) return values;
  throw misfit(column);
}

function readMasks(scan: FieldScan, count: number): number[] {
  const { bytes } = scan;
  let at = scan.start(BatchField.Changes);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const masks = new Array<number>(count);
  for (let index = 0; index < count; index += 1) {
    const mask = takeNumber(bytes, at);
    // Bits of fields that this code does not know are above those that it knows.
    masks[index] = mask >= 0 ? mask & KNOWN_BITS : Number(takeWide(bytes, at) & BigInt(KNOWN_BITS));
    at = varintEnd;
  }
  return masks;
}
