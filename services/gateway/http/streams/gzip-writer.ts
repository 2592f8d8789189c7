import { constants, createGzip } from "node:zlib";
import type { Gzip } from "node:zlib";
import { SendResult } from "../../transport/transport.ts";
import type { HttpWriter } from "../../transport/transport.ts";

/**
 * A window of 8 KiB and tables to match: 64 KiB a stream. What repeats in events of JSON repeats
 * within a few of them, so a larger window saves next to nothing.
 */
const WINDOW_BITS = 13;
const MEMORY_LEVEL = 6;
const LEVEL = 3;

/**
 * Compresses a streamed body. What is written is flushed at once, so that the client can read it;
 * the work is done by a thread of Node's pool, one piece after the other.
 */
export class GzipWriter implements HttpWriter {
  readonly #raw: HttpWriter;
  readonly #onDrain: () => void;
  readonly #gzip: Gzip = createGzip({
    level: LEVEL,
    windowBits: WINDOW_BITS,
    memLevel: MEMORY_LEVEL,
    flush: constants.Z_SYNC_FLUSH,
  });
  /** Given to be compressed and not done. */
  #pendingBytes = 0;
  #isOver = false;

  /** `onDrain` is called when what was buffered has been taken. */
  constructor(raw: HttpWriter, onDrain: () => void) {
    this.#raw = raw;
    this.#onDrain = onDrain;
    this.#gzip.on("data", (bytes: Buffer) => {
      if (this.#isOver) return;
      if (raw.write(bytes) !== SendResult.Sent) this.#gzip.pause();
    });
    this.#gzip.on("end", () => raw.end());
  }

  write(chunk: Uint8Array): SendResult {
    if (this.#isOver || this.#gzip.writableEnded) return SendResult.Dropped;
    this.#pendingBytes += chunk.byteLength;
    this.#gzip.write(chunk, () => {
      this.#pendingBytes -= chunk.byteLength;
      this.#tellDrained();
    });
    return SendResult.Buffered;
  }

  bufferedBytes(): number {
    return this.#isOver ? 0 : this.#pendingBytes + this.#raw.bufferedBytes();
  }

  end(): void {
    if (!this.#isOver) this.#gzip.end();
  }

  abort(): void {
    if (this.#isOver) return;
    this.gone();
    this.#raw.abort();
  }

  /** The transport has room again. */
  rawDrained(): void {
    this.#gzip.resume();
    this.#tellDrained();
  }

  /** The client has gone. Idempotent. */
  gone(): void {
    this.#isOver = true;
    this.#gzip.destroy();
  }

  #tellDrained(): void {
    if (!this.#isOver && this.bufferedBytes() === 0) this.#onDrain();
  }
}
