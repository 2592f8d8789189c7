import { constants, gzipSync } from "node:zlib";
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import { assert } from "#core/assert.ts";
import { parseMantissa } from "@tickwire/proto/model";
import { DECIMAL128_DIGITS, type DecimalRange } from "./decimal-range.ts";
import type { TableFile } from "./table-file.ts";
import type { Cell, Column } from "./table.ts";

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

/** Rows of one row group: what is held in memory before it is written. */
const ROW_GROUP_ROWS = 50_000;

const DECIMAL128_BYTES = 16;

/**
 * A Parquet file, compressed with gzip, in row groups. A decimal column for which a range is given
 * is decimal128 at the range's scale, exactly; without one it is text. Times are timestamps in UTC
 * with microseconds.
 */
export function createParquetFile(
  path: string,
  columns: readonly Column[],
  ranges: ReadonlyMap<string, DecimalRange>,
): TableFile {
  const schema: SchemaElement[] = [
    { name: "tickwire", num_children: columns.length },
    ...columns.map((column) => elementOf(column, ranges.get(column.name))),
  ];
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema,
    codec: "GZIP",
    compressors: { GZIP: (bytes) => gzipSync(bytes, { level: constants.Z_BEST_SPEED }) },
    createdBy: "tickwire",
  });
  const convert = columns.map((column) => converterOf(column, ranges.get(column.name)));
  let group: unknown[][] = columns.map(() => []);
  let count = 0;
  const flush = (): void => {
    if (count === 0) return;
    const columnData = columns.map(({ name }, index) => ({ name, data: group[index] ?? [] }));
    const pending = writer.write({ columnData, rowGroupSize: ROW_GROUP_ROWS });
    assert(pending === undefined, "a file is written synchronously");
    group = columns.map(() => []);
    count = 0;
  };
  return {
    add(cells) {
      for (let index = 0; index < columns.length; index += 1) {
        const cell = cells[index];
        group[index]?.push(cell === undefined ? undefined : convert[index]?.(cell));
      }
      count += 1;
      if (count >= ROW_GROUP_ROWS) flush();
    },
    finish() {
      flush();
      assert(writer.finish() === undefined, "a file is written synchronously");
    },
  };
}

function elementOf({ name, kind }: Column, range: DecimalRange | undefined): SchemaElement {
  const repetition_type = "OPTIONAL";
  switch (kind) {
    case "boolean":
      return { name, repetition_type, type: "BOOLEAN" };
    case "integer":
      return { name, repetition_type, type: "INT64" };
    case "time":
      return {
        name,
        repetition_type,
        type: "INT64",
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
      };
    case "decimal":
      if (range === undefined) break;
      return {
        name,
        repetition_type,
        type: "FIXED_LEN_BYTE_ARRAY",
        type_length: DECIMAL128_BYTES,
        converted_type: "DECIMAL",
        scale: range.scale,
        precision: DECIMAL128_DIGITS,
      };
    case "text":
      break;
  }
  return { name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8" };
}

function converterOf({ kind }: Column, range: DecimalRange | undefined): (cell: Cell) => unknown {
  if (kind === "integer" || kind === "time") return (cell) => BigInt(cell as number);
  if (kind !== "decimal" || range === undefined) return (cell) => cell;
  const { scale } = range;
  return (cell) => BigInt(parseMantissa(cell as string, scale));
}
