import type { Readable } from "node:stream";
import { UsageError } from "./errors.ts";

/** The largest request that is read from standard input. Captures are read elsewhere. */
const INPUT_BYTES_MAX = 16 * 1024 * 1024;

/** The whole of a stream as text. Throws `UsageError` above 16 MiB. */
export async function readInput(stream: Readable): Promise<string> {
  return (await readInputBytes(stream)).toString("utf8");
}

/** The whole of a stream. Throws `UsageError` above 16 MiB. */
export async function readInputBytes(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.byteLength;
    if (bytes > INPUT_BYTES_MAX) {
      throw new UsageError(`standard input exceeds ${INPUT_BYTES_MAX} bytes`);
    }
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}
