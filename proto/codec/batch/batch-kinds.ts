import { EVENT_KINDS } from "../../model/vocabulary.ts";
import type { EventField, EventKind } from "../../model/vocabulary.ts";
import type { BatchRows } from "../types.ts";

export type BatchKind = BatchRows["kind"];

/** What a field holds: a mantissa with a scale, a decimal as text, a number, a boolean. */
type RecordFieldType = "mantissa" | "text" | "integer" | "flag";

/** One field of a channel whose values travel as differences. */
export type RecordField = {
  /** Of the Batch: its column. */
  readonly column: number;
  readonly type: RecordFieldType;
  /** Index of the field whose scale this one shares; its own index if it shares none. */
  readonly scaleField: number;
};

/** A field of a record with the name that rows have for it. */
export type NamedField = RecordField & { readonly property: string };

const TYPES: Readonly<Record<string, RecordFieldType>> = { d: "text", i: "integer", b: "flag" };

/** Quotes are rows of mantissas, in which the prices have one scale and the sizes another. */
function recordField({ name, letter, column }: EventField, index: number, rows: string) {
  return rows === "quotes"
    ? { property: `${name}Mantissa`, column, type: "mantissa", scaleField: index & 1 }
    : { property: name, column, type: TYPES[letter], scaleField: index };
}

const RECORD_FIELDS: ReadonlyMap<string, readonly NamedField[]> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ EVENT_KINDS.filter(({ fields }) => (fields[0]?.column ?? 0) > 0).map(
    ({ rows, fields }) => [
      rows,
      fields.map((field, index) => recordField(field, index, rows) as NamedField),
    ],
  ),
);

/**
 * The fields of a channel whose values travel as differences, in the order of their bits and of
 * Base.values; undefined for other channels.
 */
export function recordFieldsOf(kind: string | undefined): readonly NamedField[] | undefined {
  return kind === undefined ? undefined : RECORD_FIELDS.get(kind);
}

/** The number in the schema's Channel of the channel whose batches have these rows. */
export function channelNumberOf(kind: BatchKind): number {
  return (EVENT_KINDS.find(({ rows }) => rows === kind) as EventKind).number;
}
