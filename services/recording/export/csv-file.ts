import { closeSync, openSync, writeSync } from "node:fs";
import type { TableFile } from "./table-file.ts";
import type { Cell, Column } from "./table.ts";

/** Written at once. */
const CHUNK_CHARACTERS = 256 * 1024;

/** Text that stands in a line as it is. */
const PLAIN = /^[^",\r\n]*$/;

/**
 * A CSV file as RFC 4180 has it, with a line of names. Times are ISO 8601 in UTC with microseconds;
 * what is absent is empty, and an empty text is `""`.
 */
export function createCsvFile(path: string, columns: readonly Column[]): TableFile {
  const file = openSync(path, "wx");
  let text = `${columns.map(({ name }) => name).join(",")}\n`;
  const flush = (): void => {
    const bytes = Buffer.from(text);
    text = "";
    for (let start = 0; start < bytes.length;) start += writeSync(file, bytes, start);
  };
  return {
    add(cells) {
      text += `${cells.map((cell, index) => csvCell(cell, columns[index])).join(",")}\n`;
      if (text.length >= CHUNK_CHARACTERS) flush();
    },
    finish() {
      flush();
      closeSync(file);
    },
  };
}

function csvCell(cell: Cell, column: Column | undefined): string {
  if (cell === undefined) return "";
  if (column?.kind === "time") return isoTime(cell as number);
  if (typeof cell !== "string") return String(cell);
  if (cell !== "" && PLAIN.test(cell)) return cell;
  return `"${cell.replaceAll('"', '""')}"`;
}

/** The number itself for a time that no calendar has. */
function isoTime(timeUs: number): string {
  const date = new Date(Math.floor(timeUs / 1_000));
  if (Number.isNaN(date.getTime())) return String(timeUs);
  const micros = String(((timeUs % 1_000) + 1_000) % 1_000).padStart(3, "0");
  return date.toISOString().replace("Z", `${micros}Z`);
}
