import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";
import { parseCaptureLine } from "./capture-format.ts";
import type { CaptureLine } from "./capture-format.ts";

/** A longer line is damaged and skipped; instrument lists of the largest venues stay below it. */
const CAPTURE_LINE_LENGTH_MAX = 64 * 1024 * 1024;

const GZIP_MAGIC = [0x1f, 0x8b] as const;

/**
 * The lines of a capture file, in order, read as they are needed. Gzip is recognised by its first
 * bytes, whatever the name. A line that cannot be read, and a broken or truncated end of the
 * compressed stream, come as `damaged`; only a file that cannot be opened throws.
 */
export function readCapture(path: string): AsyncGenerator<CaptureLine> {
  return readCaptureStream(createReadStream(path, { highWaterMark: 256 * 1024 }));
}

/** The same for a stream, such as standard input. */
export async function* readCaptureStream(source: Readable): AsyncGenerator<CaptureLine> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let skipping = false;
  for await (const chunk of inflated(source)) {
    if (!(chunk instanceof Uint8Array)) {
      yield { kind: "damaged", reason: chunk.damage };
      break;
    }
    const text = rest + decoder.write(chunk as Buffer);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = text.slice(start, end);
      start = end + 1;
      if (skipping) skipping = false;
      else if (line !== "" && line !== "\r") yield parseCaptureLine(line);
    }
    rest = text.slice(start);
    if (rest.length > CAPTURE_LINE_LENGTH_MAX) {
      if (!skipping) yield { kind: "damaged", reason: "line too long" };
      skipping = true;
      rest = "";
    }
  }
  rest += decoder.end();
  if (rest !== "" && !skipping) yield parseCaptureLine(rest);
}

type Damage = { readonly damage: string };

/**
 * The chunks of a stream, decompressed if they are gzip. A broken stream ends with the damage as
 * the last item.
 */
async function* inflated(source: Readable): AsyncGenerator<Uint8Array | Damage> {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < GZIP_MAGIC.length) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  if (head[0] !== GZIP_MAGIC[0] || head[1] !== GZIP_MAGIC[1]) {
    if (head.length > 0) yield head;
    yield* chunksOf(iterator);
    return;
  }
  yield* inflate(head, iterator);
}

/**
 * What was inflated before an error still counts, so the output is collected as it comes: a failed
 * stream drops what it has buffered.
 */
async function* inflate(
  head: Buffer,
  iterator: AsyncIterator<Buffer>,
): AsyncGenerator<Uint8Array | Damage> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  let inflatedChunks: Buffer[] = [];
  let failure: Error | undefined;
  gunzip.on("data", (chunk: Buffer) => inflatedChunks.push(chunk));
  gunzip.on("error", (error) => {
    failure ??= error;
  });
  let input: Buffer | undefined = head;
  while (failure === undefined) {
    const chunk = input;
    await new Promise<void>((resolve) => {
      gunzip.once("close", resolve);
      const done = (): void => {
        gunzip.removeListener("close", resolve);
        resolve();
      };
      if (chunk === undefined) gunzip.end();
      else gunzip.write(chunk, done);
    });
    const ready = inflatedChunks;
    inflatedChunks = [];
    yield* ready;
    if (chunk === undefined) break;
    const next = await iterator.next();
    input = next.done === true ? undefined : next.value;
  }
  await iterator.return?.();
  if (failure !== undefined) yield { damage: failure.message };
}

async function* chunksOf(iterator: AsyncIterator<Buffer>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return;
    yield next.value;
  }
}
