import { parseMantissa, rescaleMantissa, textScale } from "../model/decimal.ts";
import type { Mantissa } from "../model/decimal.ts";
import { readText } from "./byte-reader.ts";
import { DECIMAL_TEXT_LENGTH_MAX } from "./limits.ts";
import { MessageScan, shapesOf } from "./message-scan.ts";
import { WireError } from "./wire-error.ts";

/** One column and where its DecimalText messages are. */
type TextedColumn = {
  readonly values: Mantissa[];
  readonly texts: readonly number[];
};

const SHAPES = shapesOf({ varint: [1], bytes: [2] });

const PLAIN_DECIMAL = /^-?[0-9]+(?:\.[0-9]+)?$/;

/**
 * Puts the values that travel as text into columns that share a scale, bringing all of them to the
 * finest. Returns that scale.
 */
export function applyTexts(
  bytes: Uint8Array,
  scale: number,
  columns: readonly TextedColumn[],
): number {
  if (columns.every(({ texts }) => texts.length === 0)) return scale;
  const escaped = columns.map(({ values, texts }) => readTexts(bytes, texts, values.length));
  const finest = Math.max(scale, ...escaped.flatMap((texts) => [...texts.values()].map(textScale)));
  for (const [column, { values }] of columns.entries()) {
    if (finest > scale) {
      for (const [index, value] of values.entries()) {
        values[index] = rescaleMantissa(value, scale, finest);
      }
    }
    for (const [index, text] of escaped[column] ?? []) values[index] = parseMantissa(text, finest);
  }
  return finest;
}

/** Texts by their index. */
function readTexts(
  bytes: Uint8Array,
  ranges: readonly number[],
  count: number,
): ReadonlyMap<number, string> {
  const texts = new Map<number, string>();
  for (let range = 0; range < ranges.length; range += 2) {
    const scan = new MessageScan(bytes, SHAPES);
    scan.scan(ranges[range] as number, ranges[range + 1] as number);
    const index = scan.uint32(1);
    const [start = 0, end = 0] = scan.ranges(2).slice(-2);
    if (index >= count) throw new WireError("malformed", `text ${index} of a column of ${count}`);
    if (end - start > DECIMAL_TEXT_LENGTH_MAX) {
      const problem = `a decimal of ${end - start} bytes exceeds ${DECIMAL_TEXT_LENGTH_MAX}`;
      throw new WireError("malformed", problem);
    }
    const text = readText(bytes, start, end);
    if (!PLAIN_DECIMAL.test(text)) throw new WireError("malformed", `"${text}" is not a decimal`);
    texts.set(index, text);
  }
  return texts;
}
