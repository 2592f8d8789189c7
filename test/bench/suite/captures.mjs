// Recorded venue traffic for the benchmarks, in memory.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCapture } from "#ingest/capture/capture-reader.ts";

const FOLDER =
  process.env["TICKWIRE_CAPTURES"] ??
  join(import.meta.dirname, "..", "..", "..", "..", "shared", "captures");

/** The capture of this name, or undefined where it is not there. */
export async function loadCapture(name, { framesMax = Number.POSITIVE_INFINITY } = {}) {
  const path = join(FOLDER, `${name}.ndjson.gz`);
  if (!existsSync(path)) return undefined;
  const lines = [];
  let venue = "";
  let frames = 0;
  let bytes = 0;
  for await (const line of readCapture(path)) {
    if (line.kind === "header") venue = line.venue;
    if (line.kind === "header" || line.kind === "damaged") continue;
    lines.push(line);
    if (line.kind !== "received") continue;
    frames += 1;
    bytes += Buffer.byteLength(line.frame);
    if (frames === framesMax) break;
  }
  return { name, venue, lines, frames, bytes };
}
