import { parseAccessFile } from "#gateway/access/access-file.ts";
import type { AccessFile } from "#gateway/access/access-file.ts";
import { CommandError } from "./errors.ts";
import { replaceFile } from "./secret-files.ts";

type Entry = Readonly<Record<string, unknown>>;

/**
 * Changes one list of an access file, which held `before`, and leaves the rest as it was written.
 * Throws `CommandError` if the file cannot be written, or could not be used then.
 */
export function editAccess(
  file: string,
  before: string | undefined,
  list: "keys" | "revoked",
  change: (entries: readonly Entry[]) => readonly object[],
): void {
  const whole = JSON.parse(before ?? "{}") as Readonly<Record<string, readonly Entry[]>>;
  const edited = { ...whole, [list]: change(whole[list] ?? []) };
  const text = `${JSON.stringify(edited, undefined, 2)}\n`;
  readAccessText(file, text);
  replaceFile(file, { before, text });
}

/** What the text of an access file says. Throws `CommandError` if it cannot be used. */
export function readAccessText(file: string, text: string | undefined): AccessFile {
  const parsed = parseAccessFile(text ?? "{}");
  if (parsed.kind === "broken") throw new CommandError(`${file} cannot be used: ${parsed.reason}`);
  return parsed.file;
}
