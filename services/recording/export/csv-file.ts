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

/** Times are mostly of the second of the one before, whose text is kept. */
let lastSecond = 0;
let lastSecondText = "1970-01-01T00:00:00.";

/** The number itself for a time that no calendar has. */
function isoTime(timeUs: number): string {
  const second = Math.floor(timeUs / 1e6);
  if (second !== lastSecond) {
    const date = new Date(second * 1_000);
    if (Number.isNaN(date.getTime())) return String(timeUs);
    lastSecond = second;
    lastSecondText = date.toISOString().slice(0, -4);
  }
  return `${lastSecondText}${String(timeUs - second * 1e6).padStart(6, "0")}Z`;
}
