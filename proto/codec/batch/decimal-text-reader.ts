import * as BatchField from "../../gen/batch-field.ts";
import { fromBigInt, rescaleMantissa } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import type { DecimalText } from "../../gen/messages.ts";
import { createControlCodec } from "../control-codec.ts";
import type { ControlCodec } from "../control-codec.ts";
import { DECIMAL_TEXT_LENGTH_MAX } from "../limits.ts";
import { malformed } from "../wire-error.ts";
import type { FieldScan } from "./field-scan.ts";

const DecimalTextControl: ControlCodec<DecimalText> =
  /* @__PURE__ */ createControlCodec("uindex stext");

const PLAIN_DECIMAL = /^-?[0-9]+(?:\.[0-9]+)?$/;

/** True if some number of the batch travels as text. */
export function hasTexts(scan: FieldScan): boolean {
  return scan.ranges(BatchField.Texts).length > 0;
}

type TextPlaces = {
  readonly scales: readonly number[];
  readonly groups: readonly number[];
  /** Fields of an event as its writer counts them. */
  readonly fieldCount: number;
};

/**
 * Puts the numbers that travel as text into their columns, bringing columns of one group to the
 * finest scale among them. Returns the scales.
 */
export function applyTexts(
  scan: FieldScan,
  columns: readonly Mantissa[][],
  { scales, groups, fieldCount }: TextPlaces,
): readonly number[] {
  const ranges = scan.ranges(BatchField.Texts);
  const finest = [...scales];
  const texts: (PlainDecimal & { readonly column: number; readonly entry: number })[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const { index: place, text } = readDecimalText(scan.bytes.subarray(ranges[at], ranges[at + 1]));
    const column = place % fieldCount;
    const entry = (place - column) / fieldCount;
    // Not so either where there are no fields.
    if (!(entry < (columns[0]?.length ?? 0))) {
      throw malformed(`a text has the index ${place}`);
    }
    // A field that only the writer knows.
    if (column >= columns.length) continue;
    const decimal = plainDecimal(text);
    texts.push({ column, entry, ...decimal });
    const group = groups[column] as number;
    finest[group] = Math.max(finest[group] as number, decimal.scale);
  }
  for (const [index, values] of columns.entries()) {
    const before = scales[index] as number;
    const scale = finest[groups[index] as number] as number;
    finest[index] = scale;
    if (scale === before) continue;
    for (let entry = 0; entry < values.length; entry += 1) {
      values[entry] = rescaleMantissa(values[entry] as Mantissa, before, scale);
    }
  }
  for (const { column, entry, mantissa, scale } of texts) {
    const values = columns[column] as Mantissa[];
    values[entry] = fromBigInt(mantissa * 10n ** BigInt((finest[column] as number) - scale));
  }
  return finest;
}

type PlainDecimal = { readonly mantissa: bigint; readonly scale: number };

/** Of a text of the form PLAIN_DECIMAL, which needs none of what venues write besides. */
function plainDecimal(text: string): PlainDecimal {
  const scale = text.length - 1 - text.lastIndexOf(".");
  const hasPoint = scale < text.length;
  return { mantissa: BigInt(text.replace(".", "")), scale: hasPoint ? scale : 0 };
}

function readDecimalText(bytes: Uint8Array): DecimalText {
  const decimal = DecimalTextControl.decode(bytes);
  const { text } = decimal;
  if (text.length <= DECIMAL_TEXT_LENGTH_MAX && PLAIN_DECIMAL.test(text)) return decimal;
  throw malformed(`${text.length} characters are no decimal`);
}
