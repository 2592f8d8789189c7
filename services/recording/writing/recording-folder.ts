import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  INDEX_NAME,
  parseIndex,
  recordingFileNumber,
  type IndexedFile,
} from "../format/recording-index.ts";
import { scanRecordingFile } from "../reading/scan-file.ts";

/** A file of a recording that is being written. */
export type RecordingFile = {
  /** Adds bytes at the end. */
  append(bytes: Uint8Array): Promise<void>;
  /** Has the disk keep what was added, so that it outlives a loss of power. */
  sync(): Promise<void>;
  /** Cuts off what is behind this length. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
};

/** Where a recording goes. Every method rejects with the operating system's error. */
export type RecordingFolder = {
  /** The files that are there, oldest first, with what the index says of them. */
  list(): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
  readIndex(): Promise<ReadonlyMap<string, IndexedFile>>;
  /** What the index does not say of a file. */
  scan(file: { readonly name: string; readonly bytes: number }): Promise<IndexedFile>;
  /** An existing file is an error. */
  create(name: string): Promise<RecordingFile>;
  remove(name: string): Promise<void>;
  /** Replaces the index, whole or not at all. */
  writeIndex(text: string): Promise<void>;
};

/** The folder at this path, which is created if it is not there. */
export async function openRecordingFolder(path: string): Promise<RecordingFolder> {
  await mkdir(path, { recursive: true });
  return {
    list: () => listRecordingFiles(path),
    readIndex: () => readRecordingIndex(path),
    scan: (file) => scanRecordingFile(path, file),
    create: async (name) => {
      const file = await open(join(path, name), "wx");
      return {
        // An operating system may take a part only; this writes until all is written.
        append: (bytes) => file.appendFile(bytes),
        sync: () => file.datasync(),
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
      };
    },
    remove: (name) => rm(join(path, name), { force: true }),
    writeIndex: async (text) => {
      const next = join(path, `${INDEX_NAME}.next`);
      await writeFile(next, text);
      await rename(next, join(path, INDEX_NAME));
    },
  };
}

/** The files of a recording by their numbers. */
export async function listRecordingFiles(
  path: string,
): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const names = (await readdir(path))
    .filter((name) => recordingFileNumber(name) !== undefined)
    .toSorted((a, b) => (recordingFileNumber(a) ?? 0) - (recordingFileNumber(b) ?? 0));
  const files = [];
  for (const name of names) files.push({ name, bytes: (await stat(join(path, name))).size });
  return files;
}

/** The index of the recording at this path; empty if there is none. */
export async function readRecordingIndex(path: string): Promise<ReadonlyMap<string, IndexedFile>> {
  try {
    return parseIndex(await readFile(join(path, INDEX_NAME), "utf8"));
  } catch {
    return new Map();
  }
}
