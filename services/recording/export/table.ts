import { bookRowsOf, readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BookRow, DecodedBatch } from "@tickwire/proto/codec";
import { EVENT_KINDS, formatDecimal, type Mantissa } from "@tickwire/proto/model";
import type { EventField, EventKind } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import type { RecordedEntry } from "../format/entry.ts";

/** What a column holds. Times are microseconds since 1970, decimals are exact plain text. */
type ColumnKind = "text" | "integer" | "time" | "decimal" | "boolean";

export type Column = {
  readonly name: string;
  readonly kind: ColumnKind;
};

/** A value of a row; undefined where there is nothing to say. */
export type Cell = string | number | boolean | undefined;

/** A table has the events of one channel; `notices` has what is said about the streams. */
export type TableName = Channel | "notices";

/** A row of a table. */
export type TableRow = { readonly table: TableName; readonly cells: readonly Cell[] };

/** Columns that the rows of every channel begin with. */
const HEAD: readonly Column[] = [
  { name: "venue", kind: "text" },
  { name: "symbol", kind: "text" },
  { name: "venue_symbol", kind: "text" },
  { name: "epoch", kind: "integer" },
  { name: "sequence", kind: "integer" },
  // True for the state at a start, which is no news.
  { name: "initial", kind: "boolean" },
  { name: "venue_time", kind: "time" },
  { name: "received_time", kind: "time" },
  { name: "published_time", kind: "time" },
  { name: "recorded_time", kind: "time" },
];

/** A book has a row for each of its levels, or one without a level. */
const BOOK: readonly Column[] = [
  { name: "snapshot", kind: "boolean" },
  { name: "side", kind: "text" },
  { name: "level", kind: "integer" },
  { name: "price", kind: "decimal" },
  { name: "size", kind: "decimal" },
];

const NOTICES: readonly Column[] = [
  { name: "venue", kind: "text" },
  { name: "symbol", kind: "text" },
  { name: "channel", kind: "text" },
  { name: "recorded_time", kind: "time" },
  { name: "kind", kind: "text" },
  { name: "continuity", kind: "text" },
  { name: "outcome", kind: "text" },
  { name: "reason", kind: "text" },
  { name: "epoch", kind: "integer" },
  { name: "sequence", kind: "integer" },
  { name: "missing_first", kind: "integer" },
  { name: "missing_last", kind: "integer" },
];

const COLUMNS = new Map<TableName, readonly Column[]>();

/** The columns of a table, in order. */
export function columnsOf(table: TableName): readonly Column[] {
  let columns = COLUMNS.get(table);
  if (columns === undefined) {
    columns = makeColumns(table);
    COLUMNS.set(table, columns);
  }
  return columns;
}

function makeColumns(table: TableName): readonly Column[] {
  if (table === "notices") return NOTICES;
  if (table === "book") return [...HEAD, ...BOOK];
  return [...HEAD, ...fieldsOf(table).map(columnOf)];
}

/**
 * The rows of an entry, in order. `fresh` says that nothing was given of its topic before: a state
 * that is repeated has no rows otherwise. Throws WireError for a batch that cannot be read.
 */
export function* rowsOfEntry(entry: RecordedEntry, fresh: boolean): Iterable<TableRow> {
  if (entry.kind === "notice") {
    yield noticeRow(entry);
    return;
  }
  if (entry.held && !fresh) return;
  const batch = readBusEvents(readBusBatch(entry.bytes));
  if (entry.topic.channel === "book") yield* bookRows(entry, batch);
  else yield* plainRows(entry, batch);
}

function noticeRow(entry: RecordedEntry & { readonly kind: "notice" }): TableRow {
  const { topic, timeUs, notice } = entry;
  const where = [topic.venue, topic.symbol, topic.channel, timeUs, notice.kind];
  const { epoch, reason } = notice;
  const cells =
    notice.kind === "gap"
      ? [undefined, undefined, reason, epoch, undefined, notice.missingFirst, notice.missingLast]
      : [notice.continuity, notice.outcome, reason, epoch, notice.sequence, undefined, undefined];
  return { table: "notices", cells: [...where, ...cells] };
}

function* plainRows(entry: RecordedEntry, batch: DecodedBatch): Iterable<TableRow> {
  const table = entry.topic.channel;
  const fields = fieldsOf(table);
  const isScaled = table === "trades" || table === "quotes";
  for (const [index, row] of rowsOf(batch).rows.entries()) {
    const values = row as object as Readonly<Record<string, unknown>>;
    const cells = fields.map((field) =>
      isScaled && field.letter === "d" ? scaledCell(values, field) : (values[field.name] as Cell),
    );
    yield { table, cells: [...headCells(entry, batch, index), ...cells] };
  }
}

/** The numbers of trades and quotes are mantissas, and those of a quote share their scales. */
function scaledCell(values: Readonly<Record<string, unknown>>, { name }: EventField): string {
  const scale = name.toLowerCase().endsWith("price") ? "priceScale" : "sizeScale";
  return formatDecimal(values[`${name}Mantissa`] as Mantissa, values[scale] as number);
}

function* bookRows(entry: RecordedEntry, batch: DecodedBatch): Iterable<TableRow> {
  if (batch.kind !== "books") return;
  for (const [index, row] of bookRowsOf(batch).entries()) {
    const head = [...headCells(entry, batch, index), row.snapshot];
    if (row.bids.prices.length + row.asks.prices.length === 0) {
      yield { table: "book", cells: [...head, undefined, undefined, undefined, undefined] };
    }
    yield* sideRows(head, "bid", row, row.bids);
    yield* sideRows(head, "ask", row, row.asks);
  }
}

function* sideRows(
  head: readonly Cell[],
  side: string,
  { priceScale, sizeScale }: BookRow,
  { prices, sizes }: BookRow["bids"],
): Iterable<TableRow> {
  for (let level = 0; level < prices.length; level += 1) {
    const price = formatDecimal(prices[level] as Mantissa, priceScale);
    const size = formatDecimal(sizes[level] as Mantissa, sizeScale);
    yield { table: "book", cells: [...head, side, level, price, size] };
  }
}

function headCells({ topic, timeUs }: RecordedEntry, batch: DecodedBatch, index: number): Cell[] {
  const { venue, symbol, instrument } = topic;
  const { epoch, firstSequence, snapshot, publishedTimeUs } = batch;
  const sequence = snapshot ? firstSequence : firstSequence + index;
  const times = [batch.venueTimesUs[index], batch.receivedTimesUs[index], publishedTimeUs, timeUs];
  return [venue, symbol, instrument.venueSymbol, epoch, sequence, snapshot, ...times];
}

function fieldsOf(channel: TableName): readonly EventField[] {
  return kindOf(channel)?.fields ?? [];
}

function kindOf(channel: TableName): EventKind | undefined {
  return EVENT_KINDS.find((kind) => kind.channel === channel);
}

const KIND_OF_LETTER: Readonly<Record<string, ColumnKind>> = {
  d: "decimal",
  i: "integer",
  b: "boolean",
};

function columnOf({ name, letter }: EventField): Column {
  const isTime = name.endsWith("TimeUs");
  const plain = isTime ? name.slice(0, -2) : name;
  const snake = plain.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  // Of a listing these are those of what is listed; the row's own come from its topic.
  const isTaken = HEAD.some((column) => column.name === snake);
  const kind = isTime ? "time" : (KIND_OF_LETTER[letter] ?? "text");
  return { name: isTaken ? `listed_${snake}` : snake, kind };
}
