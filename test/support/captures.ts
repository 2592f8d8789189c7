import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");

/**
 * Said once a missing capture and process, so that a skipped test does not look like a passed one.
 */
const announced = new Set<string>();

/**
 * Path of a recorded capture, by its name without `.ndjson.gz`. Looked for in the folder that the
 * environment variable TICKWIRE_CAPTURES names, or in `../shared/captures` beside the repository.
 * Undefined, with one visible line, where it is absent.
 */
export function capturePath(name: string): string | undefined {
  const folder = process.env["TICKWIRE_CAPTURES"] ?? join(ROOT, "..", "shared", "captures");
  const path = join(folder, `${name}.ndjson.gz`);
  if (existsSync(path)) return path;
  if (!announced.has(name)) {
    announced.add(name);
    process.stdout.write(`SKIPPED: capture ${name} is not there (set TICKWIRE_CAPTURES)\n`);
  }
  return undefined;
}
