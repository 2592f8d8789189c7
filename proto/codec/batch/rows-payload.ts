import { formatDecimal } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import type { EventKind } from "../../model/vocabulary.ts";
import { LiquidationCodec, ListingCodec, TopicStatusCodec } from "../../gen/messages.ts";
import { safeInteger } from "../byte-reader.ts";
import { channelFromWire, sideFromWire, stateFromWire, wordFromWire } from "../wire-names.ts";
import { recordFieldsOf } from "./batch-kinds.ts";
import type { NamedField } from "./batch-kinds.ts";
import { assertCount } from "./field-scan.ts";
import type { FieldScan } from "./field-scan.ts";
import type { Payload, ReadRecords } from "./payload.ts";
import { readRecords } from "./record-reader.ts";
import type { TimesOf } from "./times-codec.ts";

/** How the rows of a channel are read: any but trades, quotes and books. */
export function rowsPayload(kind: EventKind): Payload {
  const { number: channel, rows } = kind;
  const fields = recordFieldsOf(rows);
  if (fields === undefined) {
    return {
      channel,
      kind: rows,
      fields: [],
      readRows: (scan, _, count, timesOf) => readElements(scan, kind, count, timesOf),
    };
  }
  return {
    channel,
    kind: rows,
    fields,
    readRows: (scan, state, count, timesOf) =>
      recordRowsOf(readRecords(scan, state, fields, count), fields, state.absent, {
        count,
        timesOf,
      }),
  };
}

/** The events as rows, their fields under the names of the rows. */
function recordRowsOf(
  { columns, scales }: ReadRecords,
  fields: readonly NamedField[],
  absent: number,
  batch: { readonly count: number; readonly timesOf: TimesOf },
): object[] {
  const rows: object[] = [];
  for (let index = 0; index < batch.count; index += 1) {
    const row: Record<string, unknown> = { ...batch.timesOf(index) };
    for (const [field, { property, type }] of fields.entries()) {
      const value = columns[field]?.[index] as Mantissa;
      if ((absent & (1 << field)) !== 0) row[property] = undefined;
      else if (type === "text") row[property] = formatDecimal(value, scales[field] as number);
      else row[property] = type === "flag" ? value !== 0 : safeInteger(property, value);
    }
    rows.push(row);
  }
  return rows;
}

/** The rows of a channel whose events are elements of the batch, as messages of the schema. */
function readElements(
  scan: FieldScan,
  { elements, rows }: EventKind,
  count: number,
  timesOf: TimesOf,
): object[] {
  return elementsOf(scan, elements, count).map((bytes, index) => {
    if (rows === "liquidations") {
      const row = LiquidationCodec.decode(bytes);
      return { ...timesOf(index), ...row, aggressorSide: sideFromWire(row.aggressorSide) };
    }
    if (rows === "listings") {
      const row = ListingCodec.decode(bytes);
      const words = {
        // What a newer schema calls otherwise is news of the instrument all the same.
        change: wordFromWire(row.change, "LISTING_CHANGE_") ?? "changed",
        instrumentKind: wordFromWire(row.instrumentKind, "INSTRUMENT_KIND_"),
        instrumentState: wordFromWire(row.instrumentState, "INSTRUMENT_STATE_"),
      };
      return { ...timesOf(index), ...row, ...words };
    }
    const row = TopicStatusCodec.decode(bytes);
    const words = {
      channel: channelFromWire(row.channel),
      state: stateFromWire(row.state),
      instrumentState: wordFromWire(row.instrumentState, "INSTRUMENT_STATE_"),
    };
    return { ...timesOf(index), ...row, ...words };
  });
}

function elementsOf(scan: FieldScan, field: number, count: number): Uint8Array[] {
  const ranges = scan.ranges(field);
  assertCount(field, ranges.length / 2, count);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    elements.push(scan.bytes.subarray(ranges[at], ranges[at + 1]));
  }
  return elements;
}
