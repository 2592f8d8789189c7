import { join } from "node:path";
import type { IndexedFile } from "../format/recording-index.ts";
import { readBlocks } from "./block-reader.ts";

/** What the index does not say of a file, because it was cut off or is being written. */
export async function scanRecordingFile(
  folder: string,
  { name, bytes }: { readonly name: string; readonly bytes: number },
): Promise<IndexedFile> {
  const facts = { name, bytes, blocks: 0, events: 0, firstTimeUs: 0, lastTimeUs: 0 };
  const damage = { tornBytes: 0, damagedBytes: 0 };
  for await (const { header } of readBlocks(join(folder, name), damage)) {
    if (facts.blocks === 0) facts.firstTimeUs = header.firstTimeUs;
    facts.blocks += 1;
    facts.events += header.events;
    facts.lastTimeUs = header.lastTimeUs;
  }
  return facts;
}
