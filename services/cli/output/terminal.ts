import { visibleJson, visibleLines, visibleText } from "#core/visible-text.ts";

/**
 * All that the commands print passes through here or through `LineOutput`, so that no text of a
 * gateway, a venue or the bus reaches the terminal with characters that it obeys.
 */

/** One line on standard output. */
export function printLine(line: string): void {
  process.stdout.write(`${visibleText(line)}\n`);
}

/** Our own lines on standard output; foreign text in them has to be on one line already. */
export function printLines(text: string): void {
  process.stdout.write(visibleLines(text.endsWith("\n") ? text : `${text}\n`));
}

/** A value as JSON on several lines. */
export function printJson(value: unknown): void {
  process.stdout.write(`${visibleJson(JSON.stringify(value, undefined, 2))}\n`);
}

/** One line on standard error that says what is wrong or worth knowing. */
export function complain(line: string): void {
  process.stderr.write(`tickwire: ${visibleText(line)}\n`);
}

/** Our own lines on standard error; foreign text in them has to be on one line already. */
export function remark(text: string): void {
  process.stderr.write(visibleLines(text.endsWith("\n") ? text : `${text}\n`));
}
