import { fromBigInt, type Mantissa } from "@tickwire/proto/model";
import type { ApplyTexts } from "./batch.ts";
import { bytesOf, fieldsOf, numberOf, textOf } from "./wire.ts";

const TEXT_LENGTH_MAX = 1_002;

/** Puts in what travels as text. */
export const applyTexts: ApplyTexts = (chain, fields, columns) => {
  const scales = [...chain.scales] as [number, number];
  const places = bytesOf(fields, 23).map((bytes) => {
    const message = fieldsOf(bytes);
    const place = numberOf(message, 1);
    const text = textOf(message, 2);
    const column = place % chain.fieldCount;
    const entry = (place - column) / chain.fieldCount;
    if (!(entry < columns[0]!.length) || !isDecimal(text)) throw new RangeError("a text is none");
    const scale = (text.split(".")[1] ?? "").length;
    if (column < columns.length) scales[column & 1] = Math.max(scales[column & 1]!, scale);
    return { column, entry, scale, mantissa: fromBigInt(BigInt(text.replace(".", ""))) };
  });
  if (places.length === 0) return scales;
  const scaled = (value: Mantissa, from: number, column: number) =>
    fromBigInt(BigInt(value) * 10n ** BigInt(scales[column & 1]! - from));
  for (const [column, values] of columns.entries()) {
    const from = chain.scales[column & 1]!;
    for (const [entry, value] of values.entries()) values[entry] = scaled(value, from, column);
  }
  for (const { column, entry, scale, mantissa } of places) {
    if (column < columns.length) columns[column]![entry] = scaled(mantissa, scale, column);
  }
  return scales;
};

function isDecimal(text: string): boolean {
  return text.length <= TEXT_LENGTH_MAX && /^-?\d+(\.\d+)?$/.test(text);
}
