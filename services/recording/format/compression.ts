import { promisify } from "node:util";
import * as zlib from "node:zlib";

/** How the content of a block is stored, by the number that its header has. */
export const COMPRESSIONS = ["none", "gzip", "zstd"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

type Transform = (bytes: Uint8Array) => Promise<Uint8Array>;
type Inflate = (bytes: Uint8Array, rawBytes: number) => Promise<Uint8Array>;

type ZlibTransform = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength?: number },
  callback: (error: Error | null, result: Buffer) => void,
) => void;

/** What this Node has of Zstandard: nothing before 22.15. */
const ZSTD = zlib as {
  readonly zstdCompress?: ZlibTransform;
  readonly zstdDecompress?: ZlibTransform;
};

const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.gunzip);

/** The compressions that this Node can write and read. */
export const USABLE_COMPRESSIONS: readonly Compression[] = COMPRESSIONS.filter(
  (compression) => compression !== "zstd" || ZSTD.zstdCompress !== undefined,
);

/** Compresses outside of the event loop. `compression` is one of USABLE_COMPRESSIONS. */
export function compressorOf(compression: Compression): Transform {
  switch (compression) {
    case "none":
      return async (bytes) => bytes;
    case "gzip":
      return (bytes) => gzip(bytes);
    case "zstd":
      return run(ZSTD.zstdCompress, {});
  }
}

/**
 * Restores what was compressed, and gives up beyond the length that it should have. Rejects for
 * what is none of this compression.
 */
export function decompressorOf(compression: Compression): Inflate {
  switch (compression) {
    case "none":
      return async (bytes) => bytes;
    case "gzip":
      return (bytes, rawBytes) => gunzip(bytes, { maxOutputLength: Math.max(1, rawBytes) });
    case "zstd":
      return (bytes, rawBytes) =>
        run(ZSTD.zstdDecompress, { maxOutputLength: Math.max(1, rawBytes) })(bytes);
  }
}

function run(
  transform: ZlibTransform | undefined,
  options: { readonly maxOutputLength?: number },
): Transform {
  return (bytes) =>
    new Promise((resolve, reject) => {
      if (transform === undefined) {
        reject(new Error("zstd needs Node 22.15 or newer"));
        return;
      }
      transform(bytes, options, (error, result) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
}
