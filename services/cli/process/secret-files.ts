import {
  chmodSync,
  chownSync,
  existsSync,
  fsyncSync,
  openSync,
  closeSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
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

/** What is to become of a file. */
type Replacement = {
  /** What it held when its new text was made of that; undefined if it was not there. */
  readonly before: string | undefined;
  readonly text: string;
  /** Of a file that is new; one that exists keeps its own. */
  readonly mode?: number;
  /** What it holds from now on is nobody's but its owner's, also if it exists. */
  readonly isSecret?: boolean;
};

/**
 * Puts a text into the place of a file at once, so that whoever reads it sees the old or the new
 * one and never a part, and so that it is on the disk when this returns. A file that exists keeps
 * its owner and who may read it; behind a link the file that it leads to is replaced. Throws
 * `CommandError` if that cannot be, or if somebody else has changed the file meanwhile.
 */
export function replaceFile(path: string, replacement: Replacement): void {
  const { before, text, mode = OWNER_ONLY, isSecret = false } = replacement;
  const target = existsSync(path) ? realpathSync(path) : path;
  const besides = `${target}.${randomBytes(6).toString("hex")}.new`;
  try {
    const old = existsSync(target) ? statSync(target) : undefined;
    const permissions = (old?.mode ?? mode) & (isSecret ? 0o700 : 0o777);
    writeWhole(besides, text);
    if (old !== undefined) takeOver(besides, old);
    chmodSync(besides, permissions);
    if (readFileIfThere(target) !== before) {
      throw new CommandError(`${path} was changed by somebody else meanwhile; try again`);
    }
    renameSync(besides, target);
  } catch (error) {
    rmSync(besides, { force: true });
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, "wx", OWNER_ONLY);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The file stays that of whoever had it: a gateway that runs as somebody else reads it on. */
function takeOver(path: string, old: { readonly uid: number; readonly gid: number }): void {
  const { uid, gid } = statSync(path);
  if (uid !== old.uid || gid !== old.gid) chownSync(path, old.uid, old.gid);
}

/** Without the name of the file beside it, which nobody knows. */
function reasonOf(error: unknown): string {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "its folder is not there";
  if (syscall === "chown") return "it belongs to somebody else; run this as its owner";
  return code ?? message;
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
