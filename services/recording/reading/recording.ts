import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readBlockContent, TopicTable } from "../format/block-content.ts";
import { USABLE_COMPRESSIONS } from "../format/compression.ts";
import type { RecordedEntry, RecordedTopic } from "../format/entry.ts";
import type { IndexedFile } from "../format/recording-index.ts";
import { RecordingError } from "../recording-error.ts";
import { listRecordingFiles, readRecordingIndex } from "../writing/recording-folder.ts";
import { readBlocks, type RecordingDamage } from "./block-reader.ts";
import { scanRecordingFile } from "./scan-file.ts";

/** Which part of a recording is read. Times are the recorder's, in microseconds since 1970. */
type RecordedRange = {
  /** From here on; from the start if absent. */
  readonly fromTimeUs?: number | undefined;
  /** Up to before this; to the end if absent. */
  readonly toTimeUs?: number | undefined;
};

/** How far a reader has come, for whoever watches. */
type ReadProgress = { readonly readBytes: number; readonly totalBytes: number };

/** Blocks that are looked into for topics. */
const TOPIC_BLOCKS_MAX = 64;

/** An opened recording: a folder of files, or one file of it. */
export class Recording {
  /** What could not be read so far, by all that was read. */
  readonly damage: RecordingDamage = { tornBytes: 0, damagedBytes: 0 };
  readonly #folder: string;
  readonly #files: readonly IndexedFile[];
  readonly #table = new TopicTable();
  #readBytes = 0;

  private constructor(folder: string, files: readonly IndexedFile[]) {
    this.#folder = folder;
    this.#files = files;
  }

  /** Looks at what there is. Rejects with RecordingError (`no-recording`). */
  static async open(path: string): Promise<Recording> {
    const { folder, only } = await placeOf(path);
    const index = await readRecordingIndex(folder);
    const files: IndexedFile[] = [];
    for (const { name, bytes } of await listRecordingFiles(folder)) {
      if (only !== undefined && name !== only) continue;
      const known = index.get(name);
      const file =
        known?.bytes === bytes ? known : await scanRecordingFile(folder, { name, bytes });
      files.push(file);
    }
    if (!files.some(({ blocks }) => blocks > 0)) {
      throw new RecordingError("no-recording", `there is nothing whole of a recording in ${path}`);
    }
    return new Recording(folder, files);
  }

  /** Its files, oldest first. */
  get files(): readonly IndexedFile[] {
    return this.#files;
  }

  get firstTimeUs(): number {
    return this.#files.find(({ blocks }) => blocks > 0)?.firstTimeUs ?? 0;
  }

  get lastTimeUs(): number {
    return Math.max(...this.#files.map(({ lastTimeUs }) => lastTimeUs));
  }

  /** By the entries that were read last. */
  get progress(): ReadProgress {
    const totalBytes = this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
    return { readBytes: Math.min(this.#readBytes, totalBytes), totalBytes };
  }

  /**
   * The entries of a range in order. Before the first, those that lead to the state there come,
   * from the start of its file on: they are of a time before the range.
   */
  async *entries({ fromTimeUs = 0, toTimeUs = Infinity }: RecordedRange = {}): AsyncGenerator<
    readonly RecordedEntry[]
  > {
    this.#readBytes = 0;
    for (const file of this.#filesFrom(fromTimeUs)) {
      for await (const block of readBlocks(join(this.#folder, file.name), this.damage)) {
        this.#readBytes += block.bytes;
        if (block.header.firstTimeUs >= toTimeUs) return;
        if (!USABLE_COMPRESSIONS.includes(block.header.compression)) {
          const problem = `${file.name} is compressed with ${block.header.compression}`;
          throw new RecordingError("unreadable", `${problem}, which needs Node 22.15 or newer`);
        }
        const content = await block.content();
        const read = content && readBlockContent(content, this.#table);
        if (read === undefined) {
          this.damage.damagedBytes += block.bytes;
          continue;
        }
        const { entries } = read;
        yield block.header.lastTimeUs < toTimeUs
          ? entries
          : entries.filter(({ timeUs }) => timeUs < toTimeUs);
      }
    }
  }

  /**
   * The topics that there are at a time and shortly after it: each file begins with the state of
   * all that there were. Others may begin later.
   */
  async topics(timeUs = 0): Promise<readonly RecordedTopic[]> {
    const topics = new Set<RecordedTopic>();
    let blocks = 0;
    for await (const entries of this.entries({ fromTimeUs: timeUs })) {
      for (const { topic } of entries) topics.add(topic);
      blocks += 1;
      if (blocks >= TOPIC_BLOCKS_MAX) break;
    }
    return [...topics];
  }

  /** From the last file that begins at or before the time, and has something whole. */
  #filesFrom(timeUs: number): readonly IndexedFile[] {
    const isBefore = ({ blocks, firstTimeUs }: IndexedFile): boolean =>
      blocks > 0 && firstTimeUs <= timeUs;
    const first = Math.max(0, this.#files.findLastIndex(isBefore));
    const skipped = this.#files.slice(0, first);
    this.#readBytes = skipped.reduce((sum, { bytes }) => sum + bytes, 0);
    return this.#files.slice(first);
  }
}

async function placeOf(
  path: string,
): Promise<{ readonly folder: string; readonly only: string | undefined }> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { folder: path, only: undefined };
    return { folder: dirname(path), only: basename(path) };
  } catch (error) {
    throw new RecordingError("no-recording", `there is no recording at ${path}`, { cause: error });
  }
}
