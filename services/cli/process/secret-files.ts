import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { CommandError } from "./errors.ts";

/** Only the owner reads and writes what holds secrets, or the hashes of some. */
const OWNER_ONLY = 0o600;

/** The text of a file; undefined if there is none. Throws `CommandError` for any other reason. */
export function readFileIfThere(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Puts the text into the place of the file at once, so that whoever reads it sees the old or the
 * new one and never a part. A new file is the owner's alone; one that exists keeps who may read it.
 */
export function replaceFile(path: string, text: string, mode: number = OWNER_ONLY): void {
  const besides = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    writeFileSync(besides, text, { mode, flag: "wx" });
    chmodSync(besides, mode);
    renameSync(besides, path);
  } catch (error) {
    rmSync(besides, { force: true });
    const reason = (error as Error).message;
    throw new CommandError(`${path} cannot be written: ${reason}`, { cause: error });
  }
}

/** 32 random bytes, and an id of 12 letters and digits, for a new key. */
export function newKeyParts(): { readonly id: string; readonly secret: Uint8Array } {
  // Of 36 characters, 252 = 7 * 36 values of a byte are equally likely each.
  let id = "";
  while (id.length < 12) {
    const [byte = 255] = randomBytes(1);
    if (byte < 252) id += (byte % 36).toString(36);
  }
  return { id, secret: randomBytes(32) };
}
