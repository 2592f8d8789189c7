import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { WireError } from "@tickwire/proto/codec";
import type { RecordedEntry, RecordedTopic } from "../format/entry.ts";
import { createCsvFile } from "./csv-file.ts";
import { DecimalRange } from "./decimal-range.ts";
import { createParquetFile } from "./parquet-file.ts";
import type { TableFile } from "./table-file.ts";
import { columnsOf, rowsOfEntry, type TableName, type TableRow } from "./table.ts";

export type TableFormat = "csv" | "parquet";

/** What was written of a table. */
type ExportedTable = {
  readonly table: TableName;
  readonly path: string;
  readonly rows: number;
};

type OpenTable = { readonly file: TableFile; readonly path: string; rows: number };

/** A table that is not complete has this behind its name. */
const PART = ".part";

/** The rows of entries: a state that is repeated has some where nothing came before it only. */
class EntryReader {
  readonly #seen = new Set<RecordedTopic>();
  unreadable = 0;

  rows(entry: RecordedEntry): readonly TableRow[] {
    const isFresh = !this.#seen.has(entry.topic);
    if (entry.kind === "events") this.#seen.add(entry.topic);
    try {
      return [...rowsOfEntry(entry, isFresh)];
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.unreadable += 1;
      return [];
    }
  }
}

/** What the numbers of each table need; to be shown every entry that is exported afterwards. */
export class DecimalRanges {
  readonly #tables = new Map<TableName, Map<string, DecimalRange>>();
  readonly #reader = new EntryReader();

  add(entry: RecordedEntry): void {
    for (const { table, cells } of this.#reader.rows(entry)) {
      const ranges = this.#rangesOf(table);
      for (const [index, { name, kind }] of columnsOf(table).entries()) {
        const cell = cells[index];
        if (kind === "decimal" && typeof cell === "string") ranges.get(name)?.add(cell);
      }
    }
  }

  /** The ranges of the columns of a table that fit decimals of 128 bits. */
  fitting(table: TableName): ReadonlyMap<string, DecimalRange> {
    return new Map([...this.#rangesOf(table)].filter(([, range]) => range.fits));
  }

  #rangesOf(table: TableName): Map<string, DecimalRange> {
    let ranges = this.#tables.get(table);
    if (ranges === undefined) {
      const decimals = columnsOf(table).filter(({ kind }) => kind === "decimal");
      ranges = new Map(decimals.map(({ name }) => [name, new DecimalRange()]));
      this.#tables.set(table, ranges);
    }
    return ranges;
  }
}

/**
 * Writes entries into tables, a file for each channel that has any. Memory does not grow with the
 * length of the recording.
 */
export class TableExport {
  readonly #folder: string;
  readonly #format: TableFormat;
  readonly #ranges: DecimalRanges | undefined;
  readonly #tables = new Map<TableName, OpenTable>();
  readonly #reader = new EntryReader();

  /** Without ranges, decimals of Parquet files are text. */
  constructor(folder: string, format: TableFormat, ranges?: DecimalRanges) {
    this.#folder = folder;
    this.#format = format;
    this.#ranges = ranges;
  }

  /** Batches that could not be read, and have no rows. */
  get unreadableBatches(): number {
    return this.#reader.unreadable;
  }

  /** Takes the next entry. Throws if a file cannot be written, or is there already. */
  add(entry: RecordedEntry): void {
    for (const { table, cells } of this.#reader.rows(entry)) {
      const open = this.#tables.get(table) ?? this.#open(table);
      open.file.add(cells);
      open.rows += 1;
    }
  }

  /** Completes the files, which have their names from here on. */
  finish(): readonly ExportedTable[] {
    const done: ExportedTable[] = [];
    for (const [table, { file, path, rows }] of this.#tables) {
      file.finish();
      renameSync(`${path}${PART}`, path);
      done.push({ table, path, rows });
    }
    return done;
  }

  /** Removes what was not completed. */
  discard(): void {
    for (const { path } of this.#tables.values()) rmSync(`${path}${PART}`, { force: true });
  }

  #open(table: TableName): OpenTable {
    const path = join(this.#folder, `${table}.${this.#format}`);
    const columns = columnsOf(table);
    const part = `${path}${PART}`;
    const file =
      this.#format === "csv"
        ? createCsvFile(part, columns)
        : createParquetFile(part, columns, this.#ranges?.fitting(table) ?? new Map());
    const open = { file, path, rows: 0 };
    this.#tables.set(table, open);
    return open;
  }
}
