import { Buffer } from "node:buffer";
import { assert } from "#core/assert.ts";
import type { HandlerGuard } from "../handler-guard.ts";
import { StreamListener } from "../stream-listener.ts";
import type { HttpStream, HttpWriter } from "../transport.ts";
import { SendResult } from "../transport.ts";
import type { UwsResponse } from "../uws-module.ts";

/** What uWebSockets.js is given at a time while its own buffer is empty. */
const FREE_PIECE_BYTES = 64 * 1024;

/**
 * What it is given each time that the socket is writable while its buffer is not empty. The kernel
 * then takes more than this, so the buffer shrinks; the rest waits in our queue, where it counts.
 */
const PRESSED_PIECE_BYTES = 4 * 1024;

type UwsWriterOptions = {
  /** Its head is written. */
  readonly response: UwsResponse;
  readonly guard: HandlerGuard;
  readonly bufferedBytesMax: number;
  /** Runs what completes the response, which must not be touched after it. */
  complete(write: () => void): void;
};

/**
 * A streamed body. uWebSockets.js buffers without a limit and does not say how much, only that a
 * write did not go out whole. So the queue is ours, and uWebSockets.js gets little more than what
 * goes out. A client that takes nothing of it for 10 s is cut by uWebSockets.js.
 */
export class UwsWriter implements HttpWriter {
  readonly #options: UwsWriterOptions;
  readonly #response: UwsResponse;
  readonly #listener: StreamListener;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** What the buffer of uWebSockets.js may hold; 0 since it was found empty. */
  #pressedBytes = 0;
  #ending = false;
  #piece: Uint8Array = Buffer.alloc(0);
  #taken = true;

  constructor(options: UwsWriterOptions) {
    this.#options = options;
    this.#response = options.response;
    this.#listener = new StreamListener(options.guard);
    options.response.onWritable(() => this.#onWritable());
  }

  open(stream: HttpStream): void {
    this.#listener.open(stream, this);
  }

  write(chunk: Uint8Array): SendResult {
    const { byteLength } = chunk;
    if (this.#ending || this.#listener.closed) return SendResult.Dropped;
    if (this.bufferedBytes() + byteLength > this.#options.bufferedBytesMax) {
      return SendResult.Dropped;
    }
    let given = 0;
    while (given < byteLength && this.bufferedBytes() === 0) {
      const piece = chunk.subarray(given, given + FREE_PIECE_BYTES);
      this.#give(piece);
      given += piece.byteLength;
    }
    if (given < byteLength) {
      this.#queue.push(Buffer.from(chunk.subarray(given)));
      this.#queuedBytes += byteLength - given;
    }
    return this.bufferedBytes() === 0 ? SendResult.Sent : SendResult.Buffered;
  }

  bufferedBytes(): number {
    return this.#queuedBytes + this.#pressedBytes;
  }

  end(): void {
    if (this.#ending || this.#listener.closed) return;
    this.#ending = true;
    if (this.#queuedBytes === 0) this.#finish();
  }

  abort(): void {
    if (this.#ending || this.#listener.closed) return;
    this.#drop();
    this.#listener.close("cut");
    // Calls onAborted of the response, which ends the exchange.
    this.#response.close();
  }

  /** The response is dead. */
  gone(): void {
    this.#drop();
    this.#listener.close("cut");
  }

  readonly #writePiece = (): void => {
    this.#taken = this.#response.write(this.#piece);
  };

  readonly #writeEnd = (): void => {
    this.#response.end();
  };

  readonly #corkEnd = (): void => {
    this.#response.cork(this.#writeEnd);
  };

  readonly #writeNothing = (): void => {};

  /** Returns whether uWebSockets.js had nothing left to write before this piece. */
  #give(piece: Uint8Array): boolean {
    this.#piece = piece;
    this.#response.cork(this.#writePiece);
    this.#pressedBytes = this.#taken ? 0 : Math.max(this.#pressedBytes, piece.byteLength);
    return this.#taken;
  }

  /** Always true: uWebSockets.js wants false only where a `tryEnd` failed. */
  #onWritable(): boolean {
    if (this.#listener.closed || this.#options.guard.failed) return true;
    while (this.#queuedBytes > 0) if (!this.#give(this.#take())) return true;
    if (this.#ending) {
      this.#finish();
      return true;
    }
    // Where there is an onWritable, uWebSockets.js flushes its buffer with the next write only;
    // corking flushes without one. If that was not all, the socket will be writable again.
    this.#response.cork(this.#writeNothing);
    this.#pressedBytes = 0;
    this.#listener.drained();
    return true;
  }

  /** Takes a piece off the head of the queue. */
  #take(): Uint8Array {
    const [head] = this.#queue;
    assert(head !== undefined, "bytes that are counted as queued are in the queue");
    const piece = head.subarray(0, PRESSED_PIECE_BYTES);
    if (piece.byteLength === head.byteLength) this.#queue.shift();
    else this.#queue[0] = head.subarray(piece.byteLength);
    this.#queuedBytes -= piece.byteLength;
    return piece;
  }

  #finish(): void {
    this.#options.complete(this.#corkEnd);
    this.#listener.close("whole");
  }

  #drop(): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#pressedBytes = 0;
  }
}
