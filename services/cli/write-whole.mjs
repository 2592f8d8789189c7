import { renameSync, writeFileSync } from "node:fs";

/** Writes a file that a reader finds as it was before, or whole. */
export function writeWhole(path, content) {
  const half = `${path}.${process.pid}`;
  writeFileSync(half, content);
  renameSync(half, path);
}
