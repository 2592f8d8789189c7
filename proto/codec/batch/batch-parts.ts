import type { BatchRows, BookRow } from "../types.ts";
import { recordFieldsOf } from "./batch-kinds.ts";
import type { NamedField } from "./batch-kinds.ts";
import { absentFields } from "./record-writer.ts";
import type { RecordRow } from "./record-writer.ts";

/** The rows in runs that may share a batch. */
export function partsOf(rows: BatchRows): BatchRows[] {
  const list: readonly object[] = rows.rows;
  const fields = recordFieldsOf(rows.kind);
  // A quote says all of its fields.
  if (rows.kind === "quotes" && list.length > 0) return [rows];
  const parts: BatchRows[] = [];
  let start = 0;
  for (let index = 1; index < list.length; index += 1) {
    if (!mustEnd(rows, fields, index)) continue;
    parts.push({ kind: rows.kind, rows: list.slice(start, index) } as BatchRows);
    start = index;
  }
  if (start === 0) return list.length === 0 ? [] : [rows];
  parts.push({ kind: rows.kind, rows: list.slice(start) } as BatchRows);
  return parts;
}

/** True if row `index` cannot be in one batch with the row before it. */
function mustEnd(
  rows: BatchRows,
  fields: readonly NamedField[] | undefined,
  index: number,
): boolean {
  if (rows.kind === "trades") {
    return rows.rows[index]?.historical !== rows.rows[index - 1]?.historical;
  }
  if (rows.kind === "books") {
    return (rows.rows[index] as BookRow).snapshot || (rows.rows[index - 1] as BookRow).snapshot;
  }
  if (fields === undefined) return false;
  const list = rows.rows as readonly object[] as readonly RecordRow[];
  const absent = absentFields(fields, list[index] as RecordRow);
  return absent !== absentFields(fields, list[index - 1] as RecordRow);
}
