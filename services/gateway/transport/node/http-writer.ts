import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import type { HandlerGuard } from "../handler-guard.ts";
import { StreamListener } from "../stream-listener.ts";
import type { HttpStream, HttpWriter } from "../transport.ts";
import { SendResult } from "../transport.ts";

/**
 * A socket that has bytes to write looks after this time whether some went out, and is cut the
 * second time that none did: after some 10 s, as with uWebSockets.js.
 */
const STALL_CHECK_MS = 5_000;

type NodeWriterOptions = {
  /** Its head is written. */
  readonly response: ServerResponse;
  readonly guard: HandlerGuard;
  readonly bufferedBytesMax: number;
};

/** A streamed body on `node:http`. */
export class NodeWriter implements HttpWriter {
  readonly #response: ServerResponse;
  readonly #bufferedBytesMax: number;
  readonly #listener: StreamListener;
  #ending = false;
  #waiting = false;

  constructor({ response, guard, bufferedBytesMax }: NodeWriterOptions) {
    this.#response = response;
    this.#bufferedBytesMax = bufferedBytesMax;
    this.#listener = new StreamListener(guard);
    response.on("finish", () => this.#listener.close("whole"));
    response.on("close", () => this.#listener.close("cut"));
    // A write after the client has gone; the close says so.
    response.on("error", () => response.destroy());
  }

  open(stream: HttpStream): void {
    this.#listener.open(stream, this);
  }

  write(chunk: Uint8Array): SendResult {
    const { byteLength } = chunk;
    if (this.#ending || this.#isGone()) return SendResult.Dropped;
    if (this.bufferedBytes() + byteLength > this.#bufferedBytesMax) return SendResult.Dropped;
    if (byteLength > 0) {
      // A reference is kept until the kernel has taken the bytes, so they are copied.
      this.#response.write(Buffer.from(chunk), this.#onWritten);
    }
    if (this.bufferedBytes() === 0) return SendResult.Sent;
    if (!this.#waiting) {
      this.#waiting = true;
      this.#response.setTimeout(STALL_CHECK_MS);
    }
    return SendResult.Buffered;
  }

  bufferedBytes(): number {
    return this.#listener.closed ? 0 : this.#response.writableLength;
  }

  end(): void {
    if (this.#ending || this.#listener.closed) return;
    this.#ending = true;
    this.#response.end();
  }

  abort(): void {
    if (this.#ending || this.#listener.closed) return;
    this.#listener.close("cut");
    this.#response.destroy();
  }

  /** A socket that was cut still takes writes and forgets them, until the response hears of it. */
  #isGone(): boolean {
    const { destroyed, socket } = this.#response;
    return this.#listener.closed || destroyed || socket?.destroyed === true;
  }

  readonly #onWritten = (): void => {
    // Also called, with an error, for what a socket that was cut did not write.
    if (!this.#waiting || this.#isGone() || this.#response.writableLength > 0) return;
    this.#waiting = false;
    this.#response.setTimeout(0);
    if (!this.#ending) this.#listener.drained();
  };
}
