import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { assert } from "#core/assert.ts";

/** The built page is far below this. More would be some other folder, all of it in memory. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Reads a built page into memory: its files by their paths below the folder, with `/` between the
 * parts. Undefined if there is no such folder, as before the first build.
 */
export function readPageFolder(folder: string): ReadonlyMap<string, Uint8Array> | undefined {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  try {
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const content = readFileIfFile(join(folder, name));
      if (content === undefined) continue;
      bytes += content.length;
      assert(bytes <= PAGE_BYTES_MAX, `the page in ${folder} has at most ${PAGE_BYTES_MAX} bytes`);
      files.set(name.split(sep).join("/"), content);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return files.has("index.html") ? files : undefined;
}

function readFileIfFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return undefined;
    throw error;
  }
}
