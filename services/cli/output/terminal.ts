import { visibleJson, visibleLines, visibleText } from "#core/visible-text.ts";
import { type ColourWish, hasColours, painted, paintedHelp } from "./colours.ts";
import type { StatusLine } from "./progress-bar.ts";
import { type Cell, tableLines } from "./table.ts";

/**
 * All that the commands print passes through here or through `LineOutput`, so that no text of a
 * gateway, a venue or the bus reaches the terminal with characters that it obeys.
 */

/** To the first column of the line, which is then empty. */
const EMPTY_LINE = "\r\u001b[2K";
const COLUMNS_DEFAULT = 80;

/** What the bottom line of the terminal shows at the moment. */
let status = "";

let colourWish: ColourWish = "auto";

/** What the command line says about colours, for everything that is printed from now on. */
export function wishColours(wish: ColourWish): void {
  colourWish = wish;
}

/** Whether what goes to standard output is to have colours. */
export function printsColours(): boolean {
  return coloursOn(process.stdout);
}

/** How wide the terminal of standard output is; undefined where there is none. */
function printedColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || COLUMNS_DEFAULT : undefined;
}

/** The help of a command; foreign text in it has to be on one line already. */
export function printHelp(text: string): void {
  const visible = visibleLines(text);
  write(process.stdout, printsColours() ? paintedHelp(visible) : visible);
}

/** A table on standard output, as wide as its terminal at most. */
export function printTable(header: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const lines = tableLines({
    header,
    rows,
    columns: printedColumns(),
    hasColours: printsColours(),
  });
  write(process.stdout, lines.map((line) => `${line}\n`).join(""));
}

/** One line on standard output, in parts of several colours. */
export function printParts(parts: readonly Cell[]): void {
  const hasColour = printsColours();
  const texts = parts.map((part) => {
    const { text, style } =
      typeof part === "string" ? { text: part, style: "plain" as const } : part;
    return painted(visibleText(text), hasColour ? style : "plain");
  });
  write(process.stdout, `${texts.join("")}\n`);
}

/** One line on standard output. */
export function printLine(line: string): void {
  write(process.stdout, `${visibleText(line)}\n`);
}

/** One line on standard output whose fields a program takes apart at the tabs between them. */
export function printFields(fields: readonly string[]): void {
  write(process.stdout, `${fields.map(visibleText).join("\t")}\n`);
}

/** Our own lines on standard output; foreign text in them has to be on one line already. */
export function printLines(text: string): void {
  write(process.stdout, visibleLines(text.endsWith("\n") ? text : `${text}\n`));
}

/** A value as JSON on several lines. */
export function printJson(value: unknown): void {
  write(process.stdout, `${visibleJson(JSON.stringify(value, undefined, 2))}\n`);
}

/** One line on standard error that says what is wrong or worth knowing. */
export function complain(line: string): void {
  complainLines(visibleText(line));
}

/** The same on several lines; foreign text in them has to be on one line already. */
export function complainLines(text: string): void {
  const name = painted("tickwire:", coloursOn(process.stderr) ? "bad" : "plain");
  write(process.stderr, `${name} ${visibleLines(text)}\n`);
}

/** Our own lines on standard error; foreign text in them has to be on one line already. */
export function remark(text: string): void {
  write(process.stderr, visibleLines(text.endsWith("\n") ? text : `${text}\n`));
}

/**
 * The bottom line of the terminal of standard error, for a bar of progress. What is printed by the
 * functions here goes above it.
 */
export function statusLine(): StatusLine {
  const { stderr, env } = process;
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return {
    isSeen: stderr.isTTY && env["TERM"] !== "dumb",
    get columns() {
      return stderr.columns || COLUMNS_DEFAULT;
    },
    isUnicode: /utf-?8/i.test(locale),
    show(text) {
      if (status === "" && text !== "") process.once("exit", removeStatus);
      if (text === "") process.removeListener("exit", removeStatus);
      status = visibleText(text);
      stderr.write(EMPTY_LINE + status);
    },
  };
}

/**
 * Takes whole lines of the log where they go to a terminal, so that they stand above its bottom
 * line. Undefined elsewhere: the log then writes by itself.
 */
export function terminalLog(): ((line: string) => void) | undefined {
  return process.stderr.isTTY ? (line) => write(process.stderr, line) : undefined;
}

/** Whether a terminal shows what is printed on standard output. */
export function printsToTerminal(): boolean {
  return process.stdout.isTTY;
}

function coloursOn(stream: NodeJS.WriteStream): boolean {
  return hasColours({ wish: colourWish, isTerminal: stream.isTTY, environment: process.env });
}

function removeStatus(): void {
  process.stderr.write(EMPTY_LINE);
}

function write(stream: NodeJS.WriteStream, text: string): void {
  const isBelow = status !== "" && stream.isTTY;
  if (isBelow) process.stderr.write(EMPTY_LINE);
  stream.write(text);
  if (isBelow) process.stderr.write(status);
}
