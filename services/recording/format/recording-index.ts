/** What the index says of one file. Times are the recorder's, in microseconds since 1970. */
export type IndexedFile = {
  readonly name: string;
  /** Length when this was written; a longer file has more in it. */
  readonly bytes: number;
  readonly blocks: number;
  /** Without states that are repeated. */
  readonly events: number;
  readonly firstTimeUs: number;
  readonly lastTimeUs: number;
};

/** The index is a file of its own in the recording's folder. */
export const INDEX_NAME = "index.json";

const FORMAT = "tickwire-recording-index";
const VERSION = 1;
const FILE_NAME = /^(\d{6,9})-\d{8}T\d{6}Z\.twr$/;

/** The name of a file: its number, and when it was begun. */
export function recordingFileName(number: number, startedTimeUs: number): string {
  const started = new Date(Math.floor(startedTimeUs / 1_000)).toISOString();
  const stamp = started.replaceAll(/[-:]|\.\d+/g, "");
  return `${String(number).padStart(6, "0")}-${stamp}.twr`;
}

/** The number in the name of a recording's file; undefined for any other name. */
export function recordingFileNumber(name: string): number | undefined {
  const digits = FILE_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The text of the index. */
export function formatIndex(files: readonly IndexedFile[]): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, files }, undefined, 1)}\n`;
}

/**
 * The files of an index by name. What cannot be read counts as absent: an index only saves the
 * reader looking into the files.
 */
export function parseIndex(text: string): ReadonlyMap<string, IndexedFile> {
  const files = new Map<string, IndexedFile>();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return files;
  }
  const { format, version, files: listed } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || version !== VERSION || !Array.isArray(listed)) return files;
  for (const each of listed as readonly unknown[]) {
    if (isIndexedFile(each)) files.set(each.name, each);
  }
  return files;
}

function isIndexedFile(value: unknown): value is IndexedFile {
  if (typeof value !== "object" || value === null) return false;
  const { name, ...numbers } = value as IndexedFile;
  const { bytes, blocks, events, firstTimeUs, lastTimeUs } = numbers;
  return (
    typeof name === "string" &&
    recordingFileNumber(name) !== undefined &&
    [bytes, blocks, events, firstTimeUs, lastTimeUs].every((each) => Number.isSafeInteger(each))
  );
}
