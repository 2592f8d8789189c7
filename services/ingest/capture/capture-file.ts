import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import type { CaptureWriter } from "./capture-recorder.ts";

/** A capture file that is being written. */
export type CaptureFile = CaptureWriter & {
  /** Resolves when the file exists; rejects if it cannot be created. */
  readonly opened: Promise<void>;
  /** Sends what was written on its way to the file, so that a kill does not cost it. */
  flush(): void;
  /** Resolves when everything is in the file; rejects if it could not be written. Idempotent. */
  close(): Promise<void>;
  /** The first thing that went wrong; nothing is written after it. */
  readonly failure: Error | undefined;
};

/**
 * Creates a gzipped capture file; an existing one is an error. The result reports what goes wrong,
 * and never throws.
 */
export function createCaptureFile(path: string): CaptureFile {
  const gzip = createGzip();
  const file = createWriteStream(path, { flags: "wx" });
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    gzip.destroy();
  };
  gzip.on("error", fail);
  file.on("error", fail);
  gzip.pipe(file);
  const opened = once(file, "open").then(() => {});
  // Whoever does not wait for it learns of it by `failure`.
  opened.catch(fail);
  const done = finished(file).then(
    () => {},
    (error: Error) => fail(error),
  );
  return {
    write(lines) {
      if (failure === undefined && !gzip.writableEnded) gzip.write(lines);
    },
    opened,
    flush() {
      if (failure === undefined && !gzip.writableEnded) gzip.flush(constants.Z_SYNC_FLUSH);
    },
    bufferedBytes: () => gzip.writableLength + gzip.readableLength + file.writableLength,
    async close() {
      gzip.end();
      await done;
      if (failure !== undefined) throw failure;
    },
    get failure() {
      return failure;
    },
  };
}
